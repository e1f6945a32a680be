/* Accounts, one's own account, and what comes first: forms become JSON for the API, and the page is asked for
   again. What is answered only once (a password, recovery codes) is shown in a dialog first. */
(function () {
  'use strict';
  const page = JSON.parse(document.getElementById('accounts-page').textContent);
  const zh = page.language === 'zh', NOTE = 'cg_accounts_note', say = (key) => page.texts[key];
  let veil = null, before = null, leave = null;

  const mark = document.querySelector(`[data-page=${page.page}]`);
  if (mark) mark.setAttribute('aria-current', 'page');
  const kept = sessionStorage.getItem(NOTE);
  if (kept) { sessionStorage.removeItem(NOTE); toast(kept); }

  async function send(method, url, body) {
    let answer;
    try {
      answer = await fetch(url, {
        method,
        headers: { 'Content-Type': 'application/json', 'Accept-Language': page.language },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch {
      throw { title: page.failed, remedy: page.offline };
    }
    if (answer.status === 401) return location.assign(`/sign-in?next=${encodeURIComponent(page.here + location.search)}`);
    const said = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    if (!answer.ok) throw { title: (zh ? said.title_zh : said.title_en) || said.title || page.failed, remedy: (zh ? said.remedy_zh : said.remedy_en) || said.remedy || '' };
    return said;
  }

  function toast(text, ms = 6000) {
    const line = Object.assign(document.createElement('div'), { className: 'toast', textContent: text });
    document.querySelector('.toasts').append(line);
    setTimeout(() => line.remove(), ms);
  }

  function tell(problem, box) {
    if (!box) return toast(`${problem.title} ${problem.remedy}`, 9000);
    box.replaceChildren(Object.assign(document.createElement('b'), { textContent: problem.title }), problem.remedy);
    box.hidden = false;
    box.scrollIntoView({ block: 'nearest' });
  }

  function again(note) {
    if (note) sessionStorage.setItem(NOTE, note);
    location.reload();
  }

  /* ---- dialogs ---------------------------------------------------------------------------------- */

  function close() {
    if (leave) return leave();
    if (veil) veil.remove();
    veil = null;
    if (before) before.focus();
  }

  function open(content) {
    if (veil) veil.remove();
    veil = Object.assign(document.createElement('div'), { className: 'veil' });
    const dialog = Object.assign(document.createElement('div'), { className: 'dialog' });
    for (const [name, value] of [['role', 'dialog'], ['aria-modal', 'true'], ['aria-labelledby', 'dialog-title']]) dialog.setAttribute(name, value);
    dialog.append(content);
    veil.append(dialog);
    document.body.append(veil);
    const first = dialog.querySelector('input:not([type=hidden]),select,button');
    if (first) first.focus();
    dialog.addEventListener('keydown', (event) => trap(event, dialog));
    return dialog;
  }

  function trap(event, dialog) {
    if (event.key !== 'Tab') return;
    const stops = [...dialog.querySelectorAll('button,select,textarea,input:not([type=hidden])')].filter((e) => !e.disabled && e.offsetParent);
    const first = stops[0], last = stops[stops.length - 1];
    if (document.activeElement === (event.shiftKey ? first : last)) {
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    }
  }

  const make = (name, text, cls) => Object.assign(document.createElement(name), { textContent: text, className: cls || '' });

  /* Something that is never shown again: it stays until it was read, and can be copied. */
  function showOnce(title, note, lines, after, done) {
    const content = document.createDocumentFragment(), heading = make('h2', title), row = make('div', '', 'row actions');
    heading.id = 'dialog-title';
    const box = make('pre', lines.join('\n'), 'once');
    const copy = Object.assign(make('button', say('users.copy'), 'btn'), { type: 'button' });
    const go = Object.assign(make('button', done, 'btn primary'), { type: 'button' });
    copy.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(lines.join('\n'));
        copy.textContent = say('users.copied');
      } catch {
        getSelection().selectAllChildren(box);
      }
    });
    leave = after;
    go.addEventListener('click', after);
    row.append(copy, go);
    content.append(heading, make('p', note, 'sub'), box, row);
    open(content);
  }

  /* ---- forms ------------------------------------------------------------------------------------ */

  function bodyOf(form) {
    const body = {};
    for (const field of form.elements) {
      if (!field.name) continue;
      const text = field.type === 'checkbox' ? field.checked : field.type === 'password' ? field.value : field.value.trim();
      const kinds = { number: () => (text === '' ? null : Number(text)), null: () => text || null, moment: () => `${text}:00${page.offset}` };
      body[field.name] = (kinds[field.dataset.type] || (() => text))();
    }
    return body;
  }

  const THEN = {
    reload: () => again(page.page === 'welcome' ? null : say('users.saved')),
    once: (said) => showOnce(`${say('users.once')} · ${said.account.username}`, say('users.once_note'), [said.one_time_password], () => {
      const address = new URLSearchParams(location.search);
      address.set('id', said.account.id);
      location.search = address;
    }, say('users.done')),
    codes: (said) => showOnce(say('own.codes'), say('own.codes_note'), said.recovery_codes, () => again(), say('own.continue')),
    handed: (said) => {
      const handed = said.handed_over;
      again(handed ? say('users.handed').replace('{name}', handed.name).replace('{cases}', handed.cases).replace('{assists}', handed.assists).replace('{posts}', handed.posts) : say('users.left'));
    },
  };

  document.addEventListener('submit', async (event) => {
    const form = event.target.closest('form[data-url]');
    if (!form) return;
    event.preventDefault();
    const button = event.submitter || form.querySelector('[type=submit]'), box = form.querySelector('[data-problem]');
    box.hidden = true;
    button.disabled = true;
    try {
      const said = await send(form.dataset.method, form.dataset.url, bodyOf(form));
      if (said) THEN[form.dataset.then](said);
    } catch (problem) {
      tell(problem, box);
      button.disabled = false;
      const typed = form.querySelector('input[type=password],input[name=code]');
      if (typed) typed.focus();
    }
  });

  async function act(button) {
    button.disabled = true;
    try {
      await send(button.dataset.act, button.dataset.url, button.dataset.body ? JSON.parse(button.dataset.body) : undefined);
      again(say('users.saved'));
    } catch (problem) {
      tell(problem);
      button.disabled = false;
    }
  }

  /* ---- the second factor ------------------------------------------------------------------------ */

  async function enrol(where) {
    const said = await send('POST', '/api/v1/me/second-factor');
    if (!said) return;
    where.querySelector('[data-qr]').src = `data:image/svg+xml;utf8,${encodeURIComponent(said.qr_svg)}`;
    where.querySelector('[data-secret]').textContent = said.secret.replace(/(.{4})/g, '$1 ').trim();
  }

  const here = document.querySelector('[data-enrol-here]');
  if (here) {
    here.querySelector('[data-close-dialog]').remove();
    enrol(here).catch((problem) => tell(problem));
  }

  /* ---- clicks and keys -------------------------------------------------------------------------- */

  document.addEventListener('click', (event) => {
    const on = (selector) => event.target.closest(selector);
    for (const menu of document.querySelectorAll('details.menu[open]')) if (menu !== on('details.menu')) menu.open = false;
    if (on('[data-close-dialog]') || event.target === veil) return close();
    const opener = on('[data-open]'), button = on('[data-act]');
    if (opener) {
      before = opener;
      return open(document.getElementById(opener.dataset.open).content.cloneNode(true));
    }
    if (button) return act(button);
    if (on('[data-enrol]')) {
      before = on('[data-enrol]');
      return enrol(open(document.getElementById('enrol').content.cloneNode(true))).catch((problem) => tell(problem));
    }
    const row = on('tr[data-account]');
    if (row && !on('a')) return row.querySelector('a').click();
    const language = on('[data-language]'), theme = on('[data-theme-choice]');
    if (language) document.cookie = `cg_language=${language.dataset.language};path=/;max-age=31536000;samesite=lax`;
    if (theme) document.cookie = `cg_theme=${theme.dataset.themeChoice};path=/;max-age=31536000;samesite=lax`;
    if (language || theme) return location.reload();
    if (on('[data-sign-out]')) fetch('/api/v1/session', { method: 'DELETE' }).finally(() => location.assign('/sign-in'));
  });

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && veil) close();
  });

  const filter = document.querySelector('form[data-filter]');
  if (filter) filter.addEventListener('change', (event) => { if (event.target.matches('select')) filter.requestSubmit(); });
})();
