/* Accounts, one's own account, and what comes first: forms become JSON for the API, and the page is asked for
   again. What is answered only once (a password, recovery codes) is shown in a dialog first. */
(function () {
  'use strict';
  const cg = window.citygrid, page = cg.page, say = (key) => page.texts[key];

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
    go.addEventListener('click', after);
    row.append(copy, go);
    content.append(heading, make('p', note, 'sub'), box, row);
    cg.openDialog(content, null, after);
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
    reload: () => cg.again(page.page === 'welcome' ? null : say('users.saved')),
    once: (said) => showOnce(`${say('users.once')} · ${said.account.username}`, say('users.once_note'), [said.one_time_password], () => {
      const address = new URLSearchParams(location.search);
      address.set('id', said.account.id);
      location.search = address;
    }, say('users.done')),
    codes: (said) => showOnce(say('own.codes'), say('own.codes_note'), said.recovery_codes, () => cg.again(), say('own.continue')),
    handed: (said) => {
      const handed = said.handed_over;
      cg.again(handed ? say('users.handed').replace('{name}', handed.name).replace('{cases}', handed.cases).replace('{assists}', handed.assists).replace('{posts}', handed.posts) : say('users.left'));
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
      const said = await cg.send(form.dataset.method, form.dataset.url, bodyOf(form));
      if (said) THEN[form.dataset.then](said);
    } catch (problem) {
      cg.tell(problem, box);
      button.disabled = false;
      const typed = form.querySelector('input[type=password],input[name=code]');
      if (typed) typed.focus();
    }
  });

  async function act(button) {
    button.disabled = true;
    try {
      await cg.send(button.dataset.act, button.dataset.url, button.dataset.body ? JSON.parse(button.dataset.body) : undefined);
      cg.again(say('users.saved'));
    } catch (problem) {
      cg.tell(problem);
      button.disabled = false;
    }
  }

  /* ---- the second factor ------------------------------------------------------------------------ */

  async function enrol(where) {
    const said = await cg.send('POST', '/api/v1/me/second-factor');
    if (!said) return;
    where.querySelector('[data-qr]').src = `data:image/svg+xml;utf8,${encodeURIComponent(said.qr_svg)}`;
    where.querySelector('[data-secret]').textContent = said.secret.replace(/(.{4})/g, '$1 ').trim();
  }

  const here = document.querySelector('[data-enrol-here]');
  if (here) {
    here.querySelector('[data-close-dialog]').remove();
    enrol(here).catch(cg.tell);
  }

  /* ---- clicks ----------------------------------------------------------------------------------- */

  document.addEventListener('click', (event) => {
    const on = (selector) => event.target.closest(selector);
    const opener = on('[data-open]'), button = on('[data-act]');
    const template = (id) => document.getElementById(id).content.cloneNode(true);
    if (opener) return cg.openDialog(template(opener.dataset.open), opener);
    if (button) return act(button);
    if (on('[data-enrol]')) return enrol(cg.openDialog(template('enrol'), on('[data-enrol]'))).catch(cg.tell);
    const row = on('tr[data-account]');
    if (row && !on('a')) row.querySelector('a').click();
  });

  const filter = document.querySelector('form[data-filter]');
  if (filter) filter.addEventListener('change', (event) => { if (event.target.matches('select')) filter.requestSubmit(); });
})();
