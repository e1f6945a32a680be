/* What the pages without Dash share: their data, the way to the API, a line at the foot, dialogs, the rail. */
window.citygrid = (function () {
  'use strict';
  const page = JSON.parse(document.querySelector('script[type="application/json"][id$="-page"]').textContent);
  const zh = page.language === 'zh', NOTE = 'cg_note', NOTE_MS = 6000, PROBLEM_MS = 9000;
  let veil = null, before = null, instead = null;

  /* An answer of the API as its JSON, or as what `as` names (blob); a refusal is thrown as {title, remedy} in
     the page's language. */
  async function send(method, url, body, as = 'json') {
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
    if (answer.status === 401) return location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    const said = answer.status === 204 ? {} : await answer[answer.ok ? as : 'json']().catch(() => ({}));
    if (!answer.ok) throw { title: (zh ? said.title_zh : said.title_en) || said.title || page.failed, remedy: (zh ? said.remedy_zh : said.remedy_en) || said.remedy || '' };
    return said;
  }

  function toast(text, ms = NOTE_MS) {
    const line = Object.assign(document.createElement('div'), { className: 'toast', textContent: text });
    document.querySelector('.toasts').append(line);
    setTimeout(() => line.remove(), ms);
  }

  /* What went wrong and what to do about it: in the box of its form, else at the foot. */
  function tell(problem, box) {
    if (!box) return toast(`${problem.title} ${problem.remedy}`.trim(), PROBLEM_MS);
    box.replaceChildren(Object.assign(document.createElement('b'), { textContent: problem.title }), problem.remedy);
    box.hidden = false;
    box.scrollIntoView({ block: 'nearest' });
  }

  /* The page as it is now, with a line at its foot that says what was done. */
  function again(note) {
    if (note) sessionStorage.setItem(NOTE, note);
    location.reload();
  }
  const kept = sessionStorage.getItem(NOTE);
  if (kept) { sessionStorage.removeItem(NOTE); toast(kept); }

  function closeDialog() {
    if (instead) return instead();
    if (veil) veil.remove();
    veil = null;
    if (before) before.focus();
  }

  /* `content` in a dialog over the page; the focus goes back to `opener`. With `closed`, that is called instead
     of closing: for what must have been read. */
  function openDialog(content, opener, closed = null) {
    if (veil) veil.remove();
    before = opener || before;
    instead = closed;
    veil = Object.assign(document.createElement('div'), { className: 'veil' });
    const dialog = Object.assign(document.createElement('div'), { className: 'dialog' });
    for (const [name, value] of [['role', 'dialog'], ['aria-modal', 'true'], ['aria-labelledby', 'dialog-title']]) dialog.setAttribute(name, value);
    dialog.append(content);
    veil.append(dialog);
    document.body.append(veil);
    const first = dialog.querySelector('input:not([type=hidden]),select') || dialog.querySelector('button');
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

  const mark = document.querySelector(`[data-page=${page.page}]`);
  if (mark) mark.setAttribute('aria-current', 'page');

  document.addEventListener('click', (event) => {
    const on = (selector) => event.target.closest(selector);
    for (const menu of document.querySelectorAll('details.menu[open]')) if (menu !== on('details.menu')) menu.open = false;
    if (on('[data-close-dialog]') || (veil && event.target === veil)) return closeDialog();
    const language = on('[data-language]'), theme = on('[data-theme-choice]');
    if (language) document.cookie = `cg_language=${language.dataset.language};path=/;max-age=31536000;samesite=lax`;
    if (theme) document.cookie = `cg_theme=${theme.dataset.themeChoice};path=/;max-age=31536000;samesite=lax`;
    if (language || theme) return location.reload();
    if (on('[data-sign-out]')) fetch('/api/v1/session', { method: 'DELETE' }).finally(() => location.assign('/sign-in'));
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && veil) closeDialog();
  });

  return { page, send, toast, tell, again, openDialog, closeDialog };
})();
