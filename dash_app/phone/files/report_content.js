/* What it is: a category, a few words, and where inside the building if it matters; for whom if not for myself. */
import * as api from './api.js';
import { html, icon, put } from './html.js';
import { problem, toggle } from './parts.js';
import { momentWords } from './times.js';
import { questions } from './report_questions.js';
import { either, say } from './words.js';

const USED = 'cg_categories', USUAL = 6;

function used() {
  try { return JSON.parse(localStorage.getItem(USED)) || {}; } catch { return {}; }
}

/* Remember what this phone reports: its usual ones come first. */
export function noteUse(code) {
  const counts = used();
  localStorage.setItem(USED, JSON.stringify({ ...counts, [code]: (counts[code] || 0) + 1 }));
}

export function contentStep(app, report) {
  const besides = questions(app, report);
  let group = null, alike = [], asked = null;

  function usual() {
    const counts = used();
    return Object.keys(counts).sort((a, b) => counts[b] - counts[a]).map(report.category).filter(Boolean).slice(0, USUAL);
  }

  function groups() {
    const mine = usual();
    return [...(mine.length ? [{ code: 'usual', zh: say('report.usual'), en: say('report.usual'), categories: mine }] : []), ...report.groups];
  }

  function chosenGroup(all) {
    const code = report.draft.category;
    return all.find((one) => one.code === group)
      || all.find((one) => code && one.categories.some((category) => category.code === code))
      || all[0];
  }

  function categories() {
    const all = groups();
    if (report.failure) return html`${problem(report.failure)}<button class="btn big" data-do="retry">${say('error.retry')}</button>`;
    if (!all.length) return html`<div class="waiting"></div>`;
    const open = chosenGroup(all);
    return html`<div class="chips" role="tablist" data-keep="groups">${all.map((one) => html`<button type="button" class="choice" role="tab" aria-selected="${String(one === open)}" data-do="group" data-code="${one.code}">${either(one.zh, one.en)}</button>`)}</div>
      <div class="kinds" role="radiogroup" aria-label="${say('report.category')}">${open.categories.map((one) => html`<button type="button" class="kind" role="radio" aria-checked="${String(one.code === report.draft.category)}" data-do="pick" data-code="${one.code}">${icon(one.icon)}<span>${either(one.name_zh, one.name_en)}</span></button>`)}</div>`;
  }

  /* Is it there already? Asked anew whenever the place or the category is another one. */
  async function look() {
    const { fix, category, unit, floor, room } = report.draft;
    const question = JSON.stringify([fix, category, unit, floor, room]);
    if (!fix || !category || question === asked) return;
    asked = question;
    try {
      const { lon, lat, crs } = fix;
      const said = await api.get('/api/v1/incidents/alike', { lon, lat, crs, category, unit: unit.trim(), floor, room: room.trim() });
      if (question !== asked) return;
      alike = said.alike;
    } catch (error) {
      if (!(error instanceof api.Problem)) throw error;
      alike = []; // the question is a help: without an answer one reports as ever
    }
    if (!alike.some((one) => one.id === report.draft.sameAs)) report.change({ sameAs: null });
    app.redraw(drawSame);
  }

  function drawSame() {
    const part = document.getElementById('same');
    if (part) put(part, same());
  }

  function same() {
    if (!alike.length) return '';
    return html`<div class="card flat same"><h3>${say('same.question')}</h3><p class="s13 mid">${say('same.note')}</p>
      <div role="radiogroup" aria-label="${say('same.question')}">
      ${alike.slice(0, 3).map((one) => html`<button type="button" class="kind wide" role="radio" aria-checked="${String(one.id === report.draft.sameAs)}" data-do="same" data-id="${one.id}">
        <span class="grow"><b>${say('same.one', { m: Math.round(one.metres), time: momentWords(one.reported_at) })}</b><br><span class="s13 mute">${[one.place, say('stage.' + one.stage), one.reports > 1 ? say('same.reports', { n: one.reports }) : ''].filter(Boolean).join(' · ')}</span></span></button>`)}
      <button type="button" class="kind wide" role="radio" aria-checked="${String(report.draft.sameAs === null)}" data-do="same"><span class="grow">${say('same.other')}</span></button></div></div>`;
  }

  function draw() {
    look();
    const { draft } = report;
    return {
      body: html`<div class="pad form">
        <h2>${say('report.category')}</h2>${categories()}
        <div id="same">${same()}</div>
        ${besides.draw()}
        <label class="field"><span>${say('report.description')}</span><textarea rows="3" maxlength="4000" data-input="text" data-field="description" placeholder="${say('report.description_hint')}">${draft.description}</textarea></label>
        <div class="row"><label class="field grow"><span>${say('report.unit')}</span><input data-input="text" data-change="look" data-field="unit" maxlength="40" value="${draft.unit}" placeholder="${say('report.optional')}"></label>
        <label class="field grow"><span>${say('report.floor')}</span><input data-input="text" data-change="look" data-field="floor" inputmode="numeric" maxlength="3" value="${draft.floor}" placeholder="${say('report.optional')}"></label>
        <label class="field grow"><span>${say('report.room')}</span><input data-input="text" data-change="look" data-field="room" maxlength="20" value="${draft.room}" placeholder="${say('report.optional')}"></label></div>
        <div class="card flat">${toggle('behalf', draft.behalf, say('report.behalf'), say('report.behalf_note'))}
          ${draft.behalf ? html`<label class="field"><span>${say('report.behalf_name')}</span><input data-input="text" data-field="onBehalf" maxlength="80" value="${draft.onBehalf}" placeholder="${say('report.optional')}" autocomplete="off"></label>` : ''}</div>
        <button class="link centre" data-do="discard">${say('draft.discard')}</button></div>`,
      foot: html`<div class="bar"><button class="btn big" data-do="step" data-to="1">${say('report.previous')}</button><button class="btn big primary grow" data-do="step" data-to="3" ${draft.category && besides.ready() ? '' : html`disabled`}>${say('report.next')}</button></div>`,
    };
  }

  return {
    draw,
    actions: {
      group(button) {
        group = button.dataset.code;
        app.redraw();
      },
      pick(button) {
        report.change({ category: button.dataset.code, answers: {} });
        app.redraw();
      },
      look,
      ...besides.actions,
      same(button) {
        report.change({ sameAs: button.dataset.id ? Number(button.dataset.id) : null });
        app.redraw();
      },
      text: (box) => report.change({ [box.dataset.field]: box.value }),
      behalf() {
        report.change({ behalf: !report.draft.behalf });
        app.redraw();
      },
    },
  };
}
