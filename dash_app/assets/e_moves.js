/* Moving a case on: the buttons the server offered, their dialogs, and what the server said to them. */
(function () {
  'use strict';
  const cg = window.citygrid;
  const ERROR_MS = 9000, UNDO_MS = 60000;
  let veil = null, before = null;

  cg.closeDialog = function () {
    if (veil) veil.remove();
    veil = null;
    if (before) before.focus();
  };

  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-close-dialog]') || event.target === veil) return cg.closeDialog();
    const button = event.target.closest('[data-move]');
    if (!button) return;
    const foot = button.closest('[data-incident-id]');
    /* A button may speak of another case than the panel's: a report that joined it, one that is alike. */
    const data = { ...foot.dataset, ...button.dataset };
    if (button.dataset.on) Object.assign(data, { incidentId: button.dataset.on, version: button.dataset.onVersion });
    const form = foot.querySelector(`template[data-form="${button.dataset.move}"]`);
    cg.closeMenus(null, true);
    if (form && form.dataset.takesPlace !== undefined) pick((place) => ask(form, data, button, place));
    else if (form) ask(form, data, button);
    else send(data, button.dataset.move, new FormData(), null, button);
  });

  /* A place comes from the map: the next click on it is the answer, Esc takes the question back. */
  function pick(then, words = 'dialog.pick') {
    const map = cg.map.map, canvas = map.getCanvas();
    if (cg.picking) cg.picking.stop();
    const quiet = cg.toast(cg.say(words), { ms: 60000 });
    canvas.style.cursor = 'crosshair';
    function done(event) {
      quiet();
      setTimeout(() => { cg.picking = null; }, 300);   /* the same click must not choose what lies there */
      canvas.style.cursor = '';
      map.off('click', done);
      if (event) then(`${event.lngLat.lng.toFixed(6)}, ${event.lngLat.lat.toFixed(6)}`);
    }
    cg.picking = { stop: () => done(null) };
    map.on('click', done);
  }

  cg.pickPlace = pick;

  /* A day so many days from today, on the city's calendar. */
  const dayAhead = (days) => new Intl.DateTimeFormat('en-CA', { timeZone: cg.page.timezone }).format(new Date(Date.now() + days * 86400000));

  /* The dialog of a template; `then(fields, dialog, button)` gets what is filled in. */
  cg.openDialog = function (template, button, then, place) {
    before = button;
    veil = Object.assign(document.createElement('div'), { className: 'veil' });
    const dialog = Object.assign(document.createElement('div'), { className: 'dialog' });
    dialog.setAttribute('role', 'dialog');
    dialog.setAttribute('aria-modal', 'true');
    dialog.setAttribute('aria-labelledby', 'dialog-title');
    dialog.append(template.content.cloneNode(true));
    veil.append(dialog);
    document.body.append(veil);
    if (place) dialog.querySelector('[data-place]').value = place;
    for (const box of dialog.querySelectorAll('[data-days-ahead]')) {
      box.min = dayAhead(1);
      box.value = dayAhead(Number(box.dataset.daysAhead));
    }
    const first = dialog.querySelector('select,textarea,input');
    if (first) first.focus();
    dialog.querySelector('form').addEventListener('submit', (event) => {
      event.preventDefault();
      then(new FormData(event.target), dialog, event.submitter);
    });
    dialog.addEventListener('keydown', (event) => {
      if (event.key !== 'Tab') return;
      const stops = [...dialog.querySelectorAll('button,select,textarea,input')].filter((e) => !e.disabled);
      const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
      if (document.activeElement === edge) {
        event.preventDefault();
        (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
      }
    });
    return dialog;
  };
  const ask = (form, data, button, place) => cg.openDialog(
    form, button, (fields, dialog, submitter) => send(data, form.dataset.form, fields, dialog, submitter), place);

  async function send(data, move, fields, dialog, button) {
    const body = { move, version: Number(data.version) };
    const note = String(fields.get('note') || '').trim();
    if (note) body.note = note;
    if (fields.get('member_id')) body.member_id = Number(fields.get('member_id'));
    if (fields.get('amount')) body.amount = Number(fields.get('amount'));
    if (data.subtaskId) body.subtask_id = Number(data.subtaskId);
    if (data.caseId) body.case_id = Number(data.caseId);
    if (fields.get('force')) {
      const [kind, value] = fields.get('force').split(':');
      if (kind === 'department') body.department = value;
      else body.member_id = Number(value);
    }
    if (fields.get('review_on')) body.review_on = fields.get('review_on');
    if (fields.get('place')) {
      const [lon, lat] = fields.get('place').split(',').map(Number);
      body.place = { lon, lat, crs: 'EPSG:4490' };
    }
    if (button) button.disabled = true;
    try {
      const photo = fields.get('photo');
      if (photo && photo.size) body.photos = await upload(data.incidentId, photo);
      const answer = await cg.postJson(`/api/v1/incidents/${data.incidentId}/moves`, body);
      cg.closeDialog();
      cg.refresh({ why: 'moved', id: Number(data.incidentId) });
      cg.offerUndo([answer]);
    } catch (problem) {
      tell(problem, dialog);
    } finally {
      if (button) button.disabled = false;
    }
  }

  async function upload(incident, photo) {
    const form = new FormData();
    form.append('kind', 'after');
    form.append('photo', photo);
    const answer = await post(`/api/v1/incidents/${incident}/photos`, form, {});
    return (answer.photos || [answer]).map((one) => one.id);
  }

  async function post(url, body, headers, method = 'POST') {
    let answer;
    try {
      answer = await fetch(url, { method, body, headers: { 'Accept-Language': cg.page.language, ...headers } });
    } catch {
      throw { title: cg.say('dialog.failed'), detail: cg.say('dialog.offline') };
    }
    if (answer.status === 401) document.dispatchEvent(new CustomEvent('cg:signed-out'));
    const json = await answer.json().catch(() => ({}));
    if (!answer.ok) throw json;
    return json;
  }

  cg.postJson = (url, body) => post(url, JSON.stringify(body), { 'Content-Type': 'application/json' });
  cg.getJson = (url) => post(url, undefined, {}, 'GET');

  /* A dispatch can be taken back for a minute, as the table of moves says: cases whose answer offers it. */
  cg.offerUndo = function (answers) {
    const open = answers.filter((one) => one.moves.some((move) => move.name === 'undo'));
    if (!open.length) return;
    const label = cg.say('undo.button') + (open.length > 1 ? ` ${open.length}` : '');
    cg.toast((s) => cg.say('undo.offer', { s }), { ms: UNDO_MS, action: { label, run: () => undo(open) } });
  };

  async function undo(answers) {
    try {
      for (const one of answers) await cg.postJson(`/api/v1/incidents/${one.id}/moves`, { move: 'undo', version: one.version });
      cg.toast(cg.say('undo.done'));
    } catch (problem) {
      tell(problem);
    }
    cg.refresh({ why: 'undone' });
  }

  /* What went wrong and what to do about it: in the dialog it happened in, else for a while at the foot. */
  function tell(problem, dialog) {
    const zh = cg.page.language === 'zh';
    const title = (zh ? problem.title_zh || problem.message_zh : problem.title_en || problem.message_en) || problem.title || cg.say('dialog.failed');
    const detail = (zh ? problem.remedy_zh : problem.remedy_en) || problem.remedy || problem.detail || '';
    if (!dialog) return cg.toast(`${title} ${detail}`, { ms: ERROR_MS });
    const box = dialog.querySelector('[data-problem]');
    box.hidden = false;
    box.innerHTML = `<b>${cg.escape(title)}</b>${cg.escape(detail)}`;
  }

  Object.assign(cg, { post, tell });
})();
