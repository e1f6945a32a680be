/* Moving a case on: the buttons the server offered, their dialogs, and what the server said to them. */
(function () {
  'use strict';
  const cg = window.citygrid;
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
    const form = foot.querySelector(`template[data-form="${button.dataset.move}"]`);
    cg.closeMenus(null, true);
    if (form && form.dataset.takesPlace !== undefined) pick((place) => ask(form, foot.dataset, button, place));
    else if (form) ask(form, foot.dataset, button);
    else send(foot.dataset, button.dataset.move, new FormData(), null, button);
  });

  /* A place comes from the map: the next click on it is the answer, Esc takes the question back. */
  function pick(then) {
    const map = cg.map.map, canvas = map.getCanvas();
    cg.toast(cg.say('dialog.pick'));
    canvas.style.cursor = 'crosshair';
    function done(event) {
      setTimeout(() => { cg.picking = null; }, 300);   /* the same click must not choose what lies there */
      canvas.style.cursor = '';
      map.off('click', done);
      if (event) then(`${event.lngLat.lng.toFixed(6)}, ${event.lngLat.lat.toFixed(6)}`);
    }
    cg.picking = { stop: () => done(null) };
    map.on('click', done);
  }

  function ask(template, data, button, place) {
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
    const first = dialog.querySelector('select,textarea,input');
    if (first) first.focus();
    dialog.querySelector('form').addEventListener('submit', (event) => {
      event.preventDefault();
      send(data, template.dataset.form, new FormData(event.target), dialog, event.submitter);
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
  }

  async function send(data, move, fields, dialog, button) {
    const body = { move, version: Number(data.version) };
    const note = String(fields.get('note') || '').trim();
    if (note) body.note = note;
    if (fields.get('member_id')) body.member_id = Number(fields.get('member_id'));
    if (fields.get('amount')) body.amount = Number(fields.get('amount'));
    if (fields.get('review_on')) body.review_on = fields.get('review_on');
    if (fields.get('place')) {
      const [lon, lat] = fields.get('place').split(',').map(Number);
      body.place = { lon, lat, crs: 'EPSG:4490' };
    }
    if (button) button.disabled = true;
    try {
      const photo = fields.get('photo');
      if (photo && photo.size) body.photos = await upload(data.incidentId, photo);
      await post(`/api/v1/incidents/${data.incidentId}/moves`, JSON.stringify(body), { 'Content-Type': 'application/json' });
      cg.closeDialog();
      cg.refresh({ why: 'moved', id: Number(data.incidentId) });
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

  async function post(url, body, headers) {
    let answer;
    try {
      answer = await fetch(url, { method: 'POST', body, headers: { 'Accept-Language': cg.page.language, ...headers } });
    } catch {
      throw { title: cg.say('dialog.failed'), detail: cg.say('dialog.offline') };
    }
    if (answer.status === 401) document.dispatchEvent(new CustomEvent('cg:signed-out'));
    const json = await answer.json().catch(() => ({}));
    if (!answer.ok) throw json;
    return json;
  }

  function tell(problem, dialog) {
    const zh = cg.page.language === 'zh';
    const title = (zh ? problem.title_zh || problem.message_zh : problem.title_en || problem.message_en) || problem.title || cg.say('dialog.failed');
    const detail = (zh ? problem.remedy_zh : problem.remedy_en) || problem.remedy || problem.detail || '';
    if (!dialog) return cg.toast(`${title} ${detail}`);
    const box = dialog.querySelector('[data-problem]');
    box.hidden = false;
    box.innerHTML = `<b>${cg.escape(title)}</b>${cg.escape(detail)}`;
  }
})();
