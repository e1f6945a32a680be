/* Signing in: the password goes to the API, the cookie comes back, the page moves on. */
(function () {
  'use strict';
  const page = JSON.parse(document.getElementById('sign-in-page').textContent);
  const form = document.querySelector('[data-sign-in]');
  const problem = form.querySelector('[data-problem]');

  function tell(title, detail) {
    const text = document.createElement('b');
    text.textContent = title;
    problem.replaceChildren(text, detail || '');
    problem.hidden = false;
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    problem.hidden = true;
    const button = form.querySelector('[type=submit]');
    button.disabled = true;
    try {
      const answer = await fetch('/api/v1/session', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Accept-Language': page.language },
        body: JSON.stringify(Object.fromEntries(new FormData(form).entries())),
      });
      const said = await answer.json().catch(() => ({}));
      if (answer.ok) {
        const next = page.desk.includes(said.principal.role) ? page.next : '/m';
        return location.assign(said.first.length ? `/welcome?next=${encodeURIComponent(next)}` : next);
      }
      tell(said.title || page.texts['sign.failed'], said.remedy);
      form.elements.password.select();
    } catch {
      tell(page.texts['sign.failed'], page.texts['dialog.offline']);
    } finally {
      button.disabled = false;
    }
  });

  document.addEventListener('click', (event) => {
    const account = event.target.closest('[data-username]');
    if (!account) return;
    form.elements.username.value = account.dataset.username;
    form.elements.password.value = account.dataset.password;
    form.requestSubmit();
  });

  const show = form.querySelector('[data-show-password]');
  show.addEventListener('click', () => {
    const box = form.elements.password, shown = box.type === 'text';
    box.type = shown ? 'password' : 'text';
    show.setAttribute('aria-pressed', String(!shown));
    box.focus();
  });

  for (const choice of document.querySelectorAll('[data-language]')) {
    choice.addEventListener('click', () => {
      document.cookie = `cg_language=${choice.dataset.language};path=/;max-age=31536000;samesite=lax`;
      location.reload();
    });
  }

  const health = document.querySelector('[data-health]');
  fetch('/readyz').then((answer) => answer.ok, () => false).then((up) => {
    health.classList.toggle('broken', !up);
    health.querySelector('[data-health-word]').textContent = page.texts[up ? 'sign.healthy' : 'sign.unhealthy'];
  });
})();
