/* What the server wrote into the page, and the server's clock. */
export const page = JSON.parse(document.getElementById('phone-page').textContent);

const ahead = Date.parse(page.now) - Date.now();

/* The present moment by the server's clock, in milliseconds: a phone's own may be wrong. */
export const now = () => Date.now() + ahead;

/* Choose a language or a theme: kept for a year, seen at the next load. What is on the page stays a draft. */
export function choose(name, value) {
  document.cookie = `cg_${name}=${value};path=/;max-age=31536000;samesite=lax`;
  location.reload();
}
