/* What the server wrote into the page, and the server's clock. */
export const page = JSON.parse(document.getElementById('phone-page').textContent);

const loadedAt = performance.now(), serverTime = Date.parse(page.now);

/* The present moment by the server's clock, in milliseconds: a phone's own may be wrong. */
export function now() {
  return serverTime + (performance.now() - loadedAt);
}

/* Choose a language or a theme: kept for a year, seen at the next load. What is on the page stays a draft. */
export function choose(name, value) {
  document.cookie = `cg_${name}=${value};path=/;max-age=31536000;samesite=lax`;
  location.reload();
}
