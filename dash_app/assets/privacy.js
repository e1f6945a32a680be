/* Rights of the person: asks for a report and draws it; corrections, taking back, making nameless. */
(function () {
  'use strict';
  const cg = window.citygrid, page = cg.page, zh = page.language === 'zh';
  const box = document.querySelector('[data-reports]'), search = document.querySelector('[data-find]');
  let last = null;

  const say = (key, blanks = {}) => (page.texts[key] || key).replace(/\{(\w+)\}/g, (_, name) => blanks[name] ?? '');
  const make = (name, words, cls) => Object.assign(document.createElement(name), { textContent: words ?? '', className: cls || '' });
  const moment = (text) => new Date(text).toLocaleString(zh ? 'zh-CN' : 'en-GB', { dateStyle: 'short', timeStyle: 'short' });
  const button = (words, act, cls = 'link') => {
    const made = Object.assign(make('button', words, cls), { type: 'button' });
    made.addEventListener('click', () => act(made));
    return made;
  };

  /* ---- finding somebody --------------------------------------------------------------------------- */

  search.addEventListener('submit', (event) => {
    event.preventDefault();
    const value = (name) => search.elements[name].value.trim() || null;
    last = { name: value('name'), phone: value('phone'), resident: value('resident') && Number(value('resident')), purpose: value('purpose') };
    find(event.submitter);
  });

  async function find(control) {
    const problem = search.querySelector('[data-problem]');
    problem.hidden = true;
    if (control) control.disabled = true;
    try {
      const said = await cg.send('POST', '/api/v1/privacy/report', last);
      box.replaceChildren(...(said ? said.reports : []).map(draw));
    } catch (failure) {
      box.replaceChildren();
      cg.tell(failure, problem);
    } finally {
      if (control) control.disabled = false;
    }
  }

  async function download(control, report) {
    control.disabled = true;
    try {
      const held = await cg.send('POST', '/api/v1/privacy/report/file', { resident: report.resident_id, purpose: last.purpose }, 'blob');
      const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(held), download: `person-${report.resident_id}.json` });
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (failure) {
      cg.tell(failure, search.querySelector('[data-problem]'));
    }
    control.disabled = false;
  }

  /* ---- a report ----------------------------------------------------------------------------------- */

  function draw(report) {
    const card = make('section', '', 'card'), head = make('header');
    const erased = report.records[0].fields.some((one) => one.name === 'erased_at' && one.value);
    head.append(make('h2', say('person.found', { id: report.resident_id })), make('span', report.territory, 'tag'), make('span', '', 'grow'));
    head.append(button(say('person.file'), (self) => download(self, report), 'btn'));
    if (page.erases && !erased) head.append(button(say('person.erase'), () => eraseDialog(report), 'btn'));
    card.append(head);
    if (report.masked) card.append(make('p', say('person.masked'), 's12 mute'));
    card.append(...report.records.map((one) => record(report, one, erased)));
    if (report.loads.length) card.append(make('p', say('person.loads', { files: report.loads.join(zh ? '，' : ', ') }), 's11 mute'));
    card.append(seen(report));
    return card;
  }

  function record(report, one, erased) {
    const part = make('div', '', 'record'), head = make('div', '', 'row'), list = make('dl', '', 'held');
    head.append(make('b', say(`person.table.${one.table}`)), make('span', one.key, 'mute s12'));
    if (one.source) head.append(make('span', say('person.source', { source: one.source }), 's12 mid'));
    const kept = one.kept_until ? say('person.until', { date: moment(one.kept_until).split(/[ ,]/)[0] }) : say(one.table === 'incident' ? 'person.while_open' : 'person.while');
    head.append(make('span', kept, 's12 mid'), make('span', '', 'grow'));
    const undone = report.records.some((other) => other.table === one.table && other.fields.some((held) => held.name === 'undoes' && String(held.value) === one.key));
    if (one.table === 'resident_correction' && page.correctable.length && !undone) head.append(button(say('person.undo'), () => undoDialog(report, one)));
    for (const held of one.fields) list.append(...line(report, one, held, erased));
    part.append(head, list);
    return part;
  }

  function line(report, one, held, erased) {
    const may = one.table === 'resident' && page.correctable.includes(held.name) && !report.masked && !erased;
    const value = held.value === null ? '–' : { m: say('person.m'), f: say('person.f'), true: say('yes'), false: say('no') }[held.value] || String(held.value);
    return [make('dt', zh ? held.zh : held.en), make('span', say(`person.class.${held.privacy}`), `class ${held.privacy}`), make('dd', value),
      may ? button(say('person.correct'), () => correctDialog(report, held)) : make('span')];
  }

  function seen(report) {
    const part = make('div', '', 'record'), table = make('table', '', 'looks');
    part.append(make('b', say('person.seen', { n: report.seen.length })));
    if (!report.seen.length) { part.append(make('p', say('person.nobody'), 'mute s12')); return part; }
    for (const look of report.seen) {
      const row = make('tr');
      row.append(...[moment(look.at), look.username, say(`person.did.${look.action}`), page.purposes[look.purpose] || page.grounds[look.purpose] || look.purpose || '', look.face || ''].map((text) => make('td', text)));
      table.append(row);
    }
    part.append(table);
    return part;
  }

  /* ---- dialogs ------------------------------------------------------------------------------------ */

  function field(label, control) {
    const made = make('label', '', 'field');
    made.append(make('span', label), control);
    return made;
  }

  /* A question about the person of a report; once it is done, that person is shown as they are now. */
  function dialog(report, title, note, fields, submit, act, done) {
    const form = make('form'), problem = Object.assign(make('div', '', 'problem'), { hidden: true }), actions = make('div', '', 'actions');
    problem.setAttribute('role', 'alert');
    actions.append(button(page.cancel, cg.closeDialog, 'btn'), Object.assign(make('button', submit, 'btn primary'), { type: 'submit' }));
    form.append(Object.assign(make('h2', title), { id: 'dialog-title' }), make('div', note || '', 'sub'), problem, ...fields, actions);
    cg.openDialog(form, document.activeElement);
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      event.submitter.disabled = true;
      try {
        await act(form.elements);
        cg.closeDialog();
        cg.toast(done);
        last = { resident: report.resident_id, purpose: last.purpose };
        find();
      } catch (failure) {
        cg.tell(failure, problem);
        event.submitter.disabled = false;
      }
    });
  }

  const input = (name, value) => Object.assign(document.createElement('input'), { name, value: value ?? '', maxLength: 200, autocomplete: 'off' });
  const choice = (name, options, chosen) => {
    const made = Object.assign(document.createElement('select'), { name });
    for (const [value, words] of options) made.append(Object.assign(make('option', words), { value, selected: value === String(chosen ?? '') }));
    return made;
  };
  const required = (control) => Object.assign(control, { required: true });

  function correctDialog(report, held) {
    const choices = { is_head: [['true', say('yes')], ['false', say('no')]], gender: [['', '–'], ['m', say('person.m')], ['f', say('person.f')]] }[held.name];
    const value = field(say('person.value'), choices ? choice('value', choices, held.value) : input('value', held.value));
    dialog(report, `${say('person.correct').replace('…', '')} · ${zh ? held.zh : held.en}`, '', [value, field(say('person.reason'), required(input('reason')))], say('person.save'),
      (asked) => cg.send('POST', `/api/v1/residents/${report.resident_id}/corrections`, { field: held.name, value: asked.value.value.trim() || null, reason: asked.reason.value.trim() }),
      say('person.corrected'));
  }

  function undoDialog(report, one) {
    dialog(report, say('person.undo').replace('…', ''), '', [field(say('person.reason'), required(input('reason')))], say('person.save'),
      (asked) => cg.send('POST', `/api/v1/corrections/${one.key}/undo`, { reason: asked.reason.value.trim() }), say('person.corrected'));
  }

  function eraseDialog(report) {
    const grounds = Object.assign(document.createElement('select'), { name: 'ground' });
    for (const [code, words] of Object.entries(page.grounds)) grounds.append(Object.assign(make('option', words), { value: code }));
    dialog(report, say('person.erase').replace('…', ''), say('person.erase_note'), [field(say('person.ground'), grounds)], say('person.erase_now'),
      (asked) => cg.send('POST', `/api/v1/residents/${report.resident_id}/erasure`, { ground: asked.ground.value }),
      say('person.erased'));
  }
})();
