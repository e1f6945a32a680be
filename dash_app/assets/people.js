/* The people page: what is chosen goes to the API, and the page is asked for again. */
(function () {
  'use strict';
  const page = JSON.parse(document.getElementById('people-page').textContent);
  const zh = page.language === 'zh';
  let veil = null, before = null;

  document.querySelector('[data-page=people]').setAttribute('aria-current', 'page');

  async function send(method, url, body) {
    let answer;
    try {
      answer = await fetch(url, {
        method,
        headers: { 'Content-Type': 'application/json', 'Accept-Language': page.language },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch {
      throw new Error(`${page.failed} ${page.offline}`);
    }
    if (answer.status === 401) return location.assign(`/sign-in?next=${encodeURIComponent('/people' + location.search)}`);
    if (answer.ok) return null;
    const said = await answer.json().catch(() => ({}));
    const title = (zh ? said.title_zh : said.title_en) || said.title || page.failed;
    throw new Error(`${title} ${(zh ? said.remedy_zh : said.remedy_en) || said.remedy || ''}`.trim());
  }

  function toast(text) {
    const line = Object.assign(document.createElement('div'), { className: 'toast', textContent: text });
    document.querySelector('.toasts').append(line);
    setTimeout(() => line.remove(), 6000);
  }

  async function change(control, method, url, body) {
    control.disabled = true;
    try {
      await send(method, url, body);
      location.reload();
    } catch (problem) {
      toast(problem.message);
      control.disabled = false;
    }
  }

  function closeDialog() {
    if (veil) veil.remove();
    veil = null;
    if (before) before.focus();
  }

  function askHours(button) {
    before = button;
    veil = Object.assign(document.createElement('div'), { className: 'veil' });
    const dialog = Object.assign(document.createElement('div'), { className: 'dialog' });
    dialog.setAttribute('role', 'dialog');
    dialog.setAttribute('aria-modal', 'true');
    dialog.setAttribute('aria-labelledby', 'dialog-title');
    dialog.append(document.getElementById('hours-form').content.cloneNode(true));
    dialog.querySelector('h2').textContent = button.getAttribute('aria-label');
    veil.append(dialog);
    document.body.append(veil);
    dialog.querySelector('input').focus();
    dialog.querySelector('form').addEventListener('submit', async (event) => {
      event.preventDefault();
      const shifts = page.hours[new FormData(event.target).get('hours')];
      const problem = dialog.querySelector('[data-problem]');
      try {
        await send('PUT', `/api/v1/duties/${button.dataset.hours}/shifts`, { shifts });
        location.reload();
      } catch (refusal) {
        problem.textContent = refusal.message;
        problem.hidden = false;
      }
    });
  }

  document.addEventListener('click', (event) => {
    const on = (selector) => event.target.closest(selector);
    if (on('[data-close-dialog]') || event.target === veil) return closeDialog();
    const decision = on('[data-decide]'), hours = on('[data-hours]');
    if (hours) return askHours(hours);
    if (decision) {
      const leave = decision.closest('[data-leave]'), chosen = leave.querySelector('[data-stand-in]').value;
      const body = { decision: decision.dataset.decide };
      if (chosen && body.decision === 'approve') body.stand_in_id = Number(chosen);
      return change(decision, 'POST', `/api/v1/leaves/${leave.dataset.leave}/decision`, body);
    }
    const language = on('[data-language]'), theme = on('[data-theme-choice]');
    if (language) document.cookie = `cg_language=${language.dataset.language};path=/;max-age=31536000;samesite=lax`;
    if (theme) document.cookie = `cg_theme=${theme.dataset.themeChoice};path=/;max-age=31536000;samesite=lax`;
    if (language || theme) return location.reload();
    if (on('[data-sign-out]')) {
      fetch('/api/v1/session', { method: 'DELETE' }).finally(() => location.assign('/sign-in'));
    }
  });

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && veil) closeDialog();
  });

  document.addEventListener('change', (event) => {
    const subdistrict = event.target.closest('[data-subdistrict]'), standIn = event.target.closest('[data-stand-in]');
    if (subdistrict) {
      const address = new URLSearchParams(location.search);
      address.set('subdistrict', subdistrict.value);
      location.search = address;
    }
    if (!standIn || !standIn.value) return;
    const leave = standIn.closest('[data-leave]');
    if (leave.classList.contains('asked')) return;   /* sent along with the decision */
    change(standIn, 'PUT', `/api/v1/leaves/${leave.dataset.leave}/stand-in`, { member_id: Number(standIn.value) });
  });
})();
