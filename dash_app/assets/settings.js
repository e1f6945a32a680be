/* The settings page: forms become JSON for the API, and the page is asked for again. */
(function () {
  'use strict';
  const page = JSON.parse(document.getElementById('settings-page').textContent);
  const zh = page.language === 'zh', NOTE = 'cg_settings_note', API = '/api/v1/settings';
  let veil = null, before = null;

  document.querySelector('[data-page=settings]').setAttribute('aria-current', 'page');
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
    if (answer.status === 401) return location.assign(`/sign-in?next=${encodeURIComponent('/settings' + location.search)}`);
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
    const title = Object.assign(document.createElement('b'), { textContent: problem.title });
    box.replaceChildren(title, problem.remedy);
    box.hidden = false;
    box.scrollIntoView({ block: 'nearest' });
  }

  /* Do it, then show the page as it is now, with what was done at its foot. */
  async function change(control, method, url, body, box) {
    if (control) control.disabled = true;
    try {
      const said = await send(method, url, body);
      const same = 'change' in said && said.change === null;
      sessionStorage.setItem(NOTE, page.texts[same ? 'set.unchanged' : 'set.saved']);
      leaving = true;
      location.reload();
    } catch (problem) {
      tell(problem, box);
      if (control) control.disabled = false;
    }
  }

  /* ---- dialogs ---------------------------------------------------------------------------------- */

  function close() {
    if (veil) veil.remove();
    veil = null;
    if (before) before.focus();
  }

  function open(button) {
    before = button;
    veil = Object.assign(document.createElement('div'), { className: 'veil' });
    const dialog = Object.assign(document.createElement('div'), { className: 'dialog' });
    dialog.setAttribute('role', 'dialog');
    dialog.setAttribute('aria-modal', 'true');
    dialog.setAttribute('aria-labelledby', 'dialog-title');
    dialog.append(document.getElementById(button.dataset.open).content.cloneNode(true));
    const form = dialog.querySelector('form');
    dialog.classList.toggle('wide', form.classList.contains('wide'));
    fill(form, button.dataset);
    veil.append(dialog);
    document.body.append(veil);
    (form.querySelector('input:not([type=hidden]),select') || form).focus();
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      submit(form, event.submitter);
    });
    dialog.addEventListener('keydown', (event) => trap(event, dialog));
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

  /* What the button carries as data-set-* goes into the fields of these names. */
  function fill(form, data) {
    for (const [key, value] of Object.entries(data)) {
      if (!key.startsWith('set')) continue;
      const name = key.slice(3).replace(/^[A-Z]/, (c) => c.toLowerCase()).replace(/[A-Z]/g, (c) => '_' + c.toLowerCase());
      if (name === 'questions') JSON.parse(value).forEach((one) => addQuestion(form, one));
      if (name === 'title') form.querySelector('[data-title]').textContent = value;
      const field = form.elements[name] || form.elements['@' + name];
      if (!field) continue;
      if (field.type === 'checkbox') field.checked = value === 'true';
      else field.value = value;
    }
    const code = form.elements['@code'];
    if (data.setKnown && code) code.readOnly = true;
    const active = form.elements.active;
    if (active) {
      form.querySelector('[data-retire]').hidden = !data.setKnown || active.value !== 'true';
      form.querySelector('[data-use-again]').hidden = !data.setKnown || active.value === 'true';
      form.querySelector('[data-delete]').hidden = !data.setKnown;
    }
  }

  /* The fields as a body: `@name` belongs into the address, a dot makes an object. */
  function bodyOf(form) {
    const body = {}, address = {};
    for (const field of form.elements) {
      if (!field.name || field.dataset.part !== undefined || (field.type === 'radio' && !field.checked)) continue;
      const text = field.type === 'checkbox' ? field.checked : field.value.trim();
      if (field.name.startsWith('@')) { address[field.name.slice(1)] = text; continue; }
      const kinds = { number: () => (text === '' ? null : Number(text)), null: () => text || null, bool: () => text === 'true' };
      body[field.name] = (kinds[field.dataset.type] || (() => text))();
    }
    if (form.querySelector('[data-questions]')) body.questions = questionsOf(form);
    const url = form.dataset.url.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(address[name] || ''));
    return { body, url };
  }

  function submit(form, button, changes = {}) {
    const { body, url } = bodyOf(form);
    change(button, form.dataset.method, url, { ...body, ...changes }, form.querySelector('[data-problem]'));
  }

  /* ---- a category's questions ------------------------------------------------------------------- */

  function addQuestion(form, one = {}) {
    const list = form.querySelector('[data-questions]');
    const block = list.querySelector('[data-question-block]').content.cloneNode(true).firstElementChild;
    block.dataset.key = one.key || `q${Date.now().toString(36)}${list.querySelectorAll('[data-question]').length}`;
    const field = (name) => block.querySelector(`[name=${name}]`);
    field('zh').value = one.zh || '';
    field('en').value = one.en || '';
    field('kind').value = one.kind || 'text';
    field('required').checked = Boolean(one.required);
    field('options').value = (one.options || []).map((option) => `${option.zh} | ${option.en}`).join('\n');
    list.insertBefore(block, list.querySelector('[data-add-question]'));
    dress(list);
  }

  function dress(list) {
    const blocks = list.querySelectorAll('[data-question]');
    list.querySelector('[data-no-questions]').hidden = blocks.length > 0;
    for (const block of blocks) block.querySelector('[data-options]').hidden = block.querySelector('[name=kind]').value !== 'choice';
  }

  function questionsOf(form) {
    return [...form.querySelectorAll('[data-question]')].map((block) => {
      const field = (name) => block.querySelector(`[name=${name}]`);
      const options = field('options').value.split('\n').map((line) => line.split('|').map((part) => part.trim())).filter(([first]) => first);
      return {
        key: block.dataset.key, zh: field('zh').value.trim(), en: field('en').value.trim(), kind: field('kind').value,
        required: field('required').checked,
        options: field('kind').value === 'choice' ? options.map(([first, second]) => ({ zh: first, en: second || first })) : [],
      };
    });
  }

  /* ---- the year --------------------------------------------------------------------------------- */
  const stateBox = document.getElementById('year-state');
  const year = stateBox ? JSON.parse(stateBox.textContent) : null;
  const shipped = year && JSON.stringify(year);
  let leaving = false;
  const dirty = () => Boolean(year) && JSON.stringify(year) !== shipped;

  function turn(button) {
    const day = button.dataset.day, weekend = button.dataset.weekend !== undefined;
    const other = document.querySelector('[name=other]').value.trim();
    if (day in year.off) {
      delete year.off[day];
      if (weekend) year.worked.push(day);
    } else if (year.worked.includes(day)) {
      year.worked = year.worked.filter((one) => one !== day);
    } else {
      year.off[day] = other || document.querySelector('[name=holiday]:checked').value;
    }
    year.worked.sort();
    year.off = Object.fromEntries(Object.entries(year.off).sort());
    drawYear();
  }

  function drawYear() {
    for (const button of document.querySelectorAll('[data-day]')) {
      const day = button.dataset.day, off = day in year.off, worked = year.worked.includes(day);
      button.classList.toggle('off', off);
      button.classList.toggle('worked', worked);
      button.classList.toggle('weekend', button.dataset.weekend !== undefined && !off && !worked);
      button.title = off ? `${day} · ${year.off[day]}` : day;
    }
    document.querySelector('[data-year-totals]').textContent = page.texts['cal.totals'].replace('{off}', Object.keys(year.off).length).replace('{worked}', year.worked.length);
    document.querySelector('[data-year-save]').disabled = !dirty();
    document.querySelector('[data-year-reset]').hidden = !dirty();
  }
  if (year) drawYear();
  window.addEventListener('beforeunload', (event) => { if (dirty() && !leaving) event.preventDefault(); });

  /* ---- words of a notice ------------------------------------------------------------------------ */
  const notice = document.querySelector('[data-notice]');
  let lastField = null, previewing = null;

  async function preview(form) {
    const box = form.querySelector('[data-problem]');
    for (const view of form.querySelectorAll('[data-preview]')) {
      const language = view.dataset.preview;
      const body = { subject: form.elements[`subject.${language}`].value, text: form.elements[`text.${language}`].value, language };
      try {
        const said = await send('POST', `${API}/notices/preview`, body);
        view.querySelector('[data-preview-subject]').textContent = said.subject;
        view.querySelector('[data-preview-text]').textContent = said.text;
      } catch (problem) {
        return tell(problem, box);
      }
    }
    box.hidden = true;
  }

  if (notice) {
    notice.addEventListener('focusin', (event) => { if (event.target.matches('input[name^=subject],textarea')) lastField = event.target; });
    notice.addEventListener('input', () => {
      clearTimeout(previewing);
      previewing = setTimeout(() => preview(notice), 350);
    });
    notice.addEventListener('submit', (event) => {
      event.preventDefault();
      const field = (name) => notice.elements[name].value.trim();
      const body = {
        urgent: notice.elements.urgent.checked,
        senders: [...notice.querySelectorAll('[name=senders]:checked')].map((box) => box.value),
        subject: { zh: field('subject.zh'), en: field('subject.en') },
        text: { zh: field('text.zh'), en: field('text.en') },
      };
      change(event.submitter, 'PUT', `${API}/notices/${notice.dataset.notice}`, body, notice.querySelector('[data-problem]'));
    });
  }

  function insertBlank(name) {
    const field = lastField || notice.querySelector('textarea');
    field.setRangeText(`{${name}}`, field.selectionStart, field.selectionEnd, 'end');
    field.focus();
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }

  /* ---- clicks ----------------------------------------------------------------------------------- */

  async function testContact(button) {
    button.disabled = true;
    try {
      await send('POST', `${API}/contacts/${button.dataset.testContact}/test`);
      toast(page.texts['contact.sent']);
    } catch (problem) {
      tell(problem);
    } finally {
      button.disabled = false;
    }
  }

  document.addEventListener('click', (event) => {
    const on = (selector) => event.target.closest(selector);
    const dialog = on('.dialog'), form = dialog && dialog.querySelector('form');
    for (const menu of document.querySelectorAll('details.menu[open]')) if (menu !== on('details.menu')) menu.open = false;
    if (on('[data-close-dialog]') || event.target === veil) return close();
    if (on('[data-open]')) { event.preventDefault(); return open(on('[data-open]')); }
    if (on('[data-take-out]')) return submit(form, on('[data-take-out]'), { kind: null, value: null });
    if (on('[data-retire]')) return submit(form, on('[data-retire]'), { active: false });
    if (on('[data-use-again]')) return submit(form, on('[data-use-again]'), { active: true });
    if (on('[data-delete]')) return change(on('[data-delete]'), 'DELETE', bodyOf(form).url, undefined, form.querySelector('[data-problem]'));
    if (on('[data-add-question]')) return addQuestion(form);
    if (on('[data-drop-question]')) { const list = on('[data-questions]'); on('[data-question]').remove(); return dress(list); }
    if (on('[data-undo]')) return change(on('[data-undo]'), 'POST', `${API}/changes/${on('[data-undo]').dataset.undo}/undo`);
    if (on('button[data-day]')) return turn(on('[data-day]'));
    if (on('[data-year-reset]')) { leaving = true; return location.reload(); }
    if (on('[data-year-save]')) return change(on('[data-year-save]'), 'PUT', `${API}/calendar/${year.year}`, { off: year.off, worked: year.worked }, document.querySelector('#settings-main [data-problem]'));
    if (on('[data-blank]')) return insertBlank(on('[data-blank]').dataset.blank);
    if (on('[data-notice-reset]')) return change(on('[data-notice-reset]'), 'DELETE', `${API}/notices/${on('[data-notice-reset]').dataset.noticeReset}`);
    if (on('[data-test-contact]')) return testContact(on('[data-test-contact]'));
    if (on('[data-remove-contact]') && confirm(page.texts['contact.remove_sure'])) return change(on('[data-remove-contact]'), 'DELETE', `${API}/contacts/${on('[data-remove-contact]').dataset.removeContact}`);
    const language = on('[data-language]'), theme = on('[data-theme-choice]');
    if (language) document.cookie = `cg_language=${language.dataset.language};path=/;max-age=31536000;samesite=lax`;
    if (theme) document.cookie = `cg_theme=${theme.dataset.themeChoice};path=/;max-age=31536000;samesite=lax`;
    if (language || theme) return location.reload();
    if (on('[data-sign-out]')) fetch('/api/v1/session', { method: 'DELETE' }).finally(() => location.assign('/sign-in'));
  });

  document.addEventListener('change', (event) => {
    const set = event.target.closest('[data-choose-set]');
    if (set) {
      const where = set.dataset.chooseSet ? `?territory=${set.dataset.chooseSet}` : '';
      change(set, 'PUT', `${API}/rule-choice${where}`, { rule_set: set.value || null });
    }
    if (event.target.matches('[data-submit]')) event.target.form.submit();
    const list = event.target.closest('[data-questions]');
    if (list) dress(list);
  });

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && veil) close();
  });
})();
