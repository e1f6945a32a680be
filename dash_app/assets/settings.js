/* The settings page: forms become JSON for the API, and the page is asked for again. */
(function () {
  'use strict';
  const cg = window.citygrid, page = cg.page, API = '/api/v1/settings';

  /* Do it, then show the page as it is now, with what was done at its foot. */
  async function change(control, method, url, body, box) {
    if (control) control.disabled = true;
    try {
      const said = await cg.send(method, url, body);
      if (!said) return;
      const same = 'change' in said && said.change === null;
      leaving = true;
      cg.again(page.texts[same ? 'set.unchanged' : 'set.saved']);
    } catch (problem) {
      cg.tell(problem, box);
      if (control) control.disabled = false;
    }
  }

  /* ---- dialogs ---------------------------------------------------------------------------------- */

  function open(button) {
    const content = document.getElementById(button.dataset.open).content.cloneNode(true), form = content.querySelector('form');
    fill(form, button.dataset);
    const dialog = cg.openDialog(content, button);
    dialog.classList.toggle('wide', form.classList.contains('wide'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      submit(form, event.submitter);
    });
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
        const said = await cg.send('POST', `${API}/notices/preview`, body);
        view.querySelector('[data-preview-subject]').textContent = said.subject;
        view.querySelector('[data-preview-text]').textContent = said.text;
      } catch (problem) {
        return cg.tell(problem, box);
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
      await cg.send('POST', `${API}/contacts/${button.dataset.testContact}/test`);
      cg.toast(page.texts['contact.sent']);
    } catch (problem) {
      cg.tell(problem);
    } finally {
      button.disabled = false;
    }
  }

  document.addEventListener('click', (event) => {
    const on = (selector) => event.target.closest(selector);
    const dialog = on('.dialog'), form = dialog && dialog.querySelector('form');
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
})();
