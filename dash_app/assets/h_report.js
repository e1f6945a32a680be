/* Taking down a case: point at the place, say what it is, and see at once who answers for it. */
(function () {
  'use strict';
  const cg = window.citygrid;
  let key = null, asking = 0;

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-new-case]');
    if (!button || document.querySelector('.veil')) return;
    key = crypto.randomUUID();
    cg.pickPlace((place) => {
      const template = document.querySelector('[data-new-case-form]');
      const dialog = cg.openDialog(template, button, send, place);
      dialog.classList.add('wide');
      dialog.querySelector('[name=category]').focus();
      dialog.querySelector('[name=category]').addEventListener('change', (change) => chosen(dialog, change.target));
    }, 'report.pick');
  });

  function chosen(dialog, select) {
    const option = select.selectedOptions[0], questions = JSON.parse(option.dataset.questions || '[]');
    dialog.querySelector('[data-asked]').replaceChildren(...questions.map(question));
    whose(dialog, select.value);
  }

  /* One question of the category as a field; its kind tells how the answer is read. */
  function question(one) {
    const label = document.createElement('label'), words = document.createElement('span');
    label.className = 'field';
    words.textContent = cg.page.language === 'zh' ? one.zh : one.en;
    label.append(words, control(one));
    return label;
  }

  function control(one) {
    const yesNo = [['true', cg.say('yes')], ['false', cg.say('no')]];
    const choices = one.kind === 'yes_no' ? yesNo : one.kind === 'choice' ? one.options.map((option) => [option.zh, cg.page.language === 'zh' ? option.zh : option.en]) : null;
    const field = document.createElement(choices ? 'select' : 'input');
    if (choices) field.append(new Option('', ''), ...choices.map(([value, text]) => new Option(text, value)));
    if (one.kind === 'number') Object.assign(field, { type: 'number', step: 'any' });
    if (one.kind === 'text') field.maxLength = 200;
    field.required = Boolean(one.required);
    Object.assign(field.dataset, { answer: one.key, kind: one.kind });
    return field;
  }

  function answersOf(dialog) {
    const read = { number: Number, yes_no: (text) => text === 'true', text: String, choice: String };
    const fields = [...dialog.querySelectorAll('[data-answer]')].filter((field) => field.value.trim() !== '');
    return Object.fromEntries(fields.map((field) => [field.dataset.answer, read[field.dataset.kind](field.value.trim())]));
  }

  async function whose(dialog, category) {
    const mine = ++asking, box = dialog.querySelector('[data-who]');
    const [lon, lat] = dialog.querySelector('[data-place]').value.split(',').map(Number);
    const query = new URLSearchParams({ lon, lat, crs: 'EPSG:4490', category });
    const answer = category ? await fetch(`/api/v1/responsible?${query}`, { headers: { 'Accept-Language': cg.page.language } }).then((got) => got.json(), () => null) : null;
    if (mine !== asking) return;
    const said = answer && (cg.page.language === 'zh' ? answer.reason_zh || answer.title_zh : answer.reason_en || answer.title_en);
    box.textContent = said || '';
    box.hidden = !said;
  }

  async function send(fields, dialog, button) {
    const text = (name) => String(fields.get(name) || '').trim();
    const [lon, lat] = text('place').split(',').map(Number);
    const report = { report_key: key, lon, lat, crs: 'EPSG:4490', category: text('category'), channel: text('channel'), description: text('description'), answers: answersOf(dialog) };
    for (const name of ['on_behalf', 'unit']) if (text(name)) report[name] = text(name);
    if (text('floor')) report.floor = Number(text('floor'));
    const photos = fields.getAll('photos').filter((file) => file.size);
    button.disabled = true;
    try {
      let body = JSON.stringify(report), headers = { 'Content-Type': 'application/json' };
      if (photos.length) {
        body = new FormData();
        body.append('report', JSON.stringify(report));
        photos.forEach((file) => body.append('photos', file));
        headers = {};
      }
      const answer = await cg.post('/api/v1/incidents', body, headers);
      cg.closeDialog();
      cg.toast(cg.say('report.done', { number: answer.number }), { ms: 6000 });
      cg.refresh({ why: 'reported' });
      cg.choose('incident', String(answer.id));
    } catch (problem) {
      cg.tell(problem, dialog);
    } finally {
      button.disabled = false;
    }
  }
})();
