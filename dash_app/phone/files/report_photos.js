/* Photographs, a last look, and sending. The key of the draft goes along: sent twice, it is written once. */
import * as api from './api.js';
import * as drafts from './draft.js';
import { noteUse } from './report_content.js';
import { html, icon } from './html.js';
import { MOST, appendPhotos, photoGrid, takeIn } from './photos.js';
import { doorWords, problem } from './parts.js';
import { either, say } from './words.js';

export function photoStep(app, report) {
  let failure = null, sending = false, gone = 0;

  function summary() {
    const { draft } = report, kind = report.category(draft.category);
    const place = doorWords(draft);
    const lines = [
      kind && [kind.icon, either(kind.name_zh, kind.name_en), draft.description],
      draft.fix && ['pin', `${draft.fix.lon.toFixed(5)}, ${draft.fix.lat.toFixed(5)}`, [say(draft.fix.by === 'gps' ? 'report.by_gps' : 'report.by_tap', { n: draft.fix.accuracy_m }), place].filter(Boolean).join(' · ')],
      draft.behalf && ['people', say('report.behalf'), draft.onBehalf || say('report.behalf_unnamed')],
    ].filter(Boolean);
    return html`<div class="card flat">${lines.map(([sign, title, note]) => html`<div class="line"><span class="tile">${icon(sign, 's')}</span><div class="grow"><div>${title}</div>${note ? html`<div class="s13 mute">${note}</div>` : ''}</div></div>`)}</div>`;
  }

  function refused() {
    if (!failure) return '';
    const before = failure.status === 409 && failure.details.incident;
    return html`${problem(failure)}${before ? html`<div class="row"><button class="btn grow" data-do="go" data-to="#/task/${before}">${say('draft.see_first')}</button><button class="btn grow" data-do="rekey">${say('draft.as_new')}</button></div>` : ''}`;
  }

  function draw() {
    return {
      body: html`<div class="pad form"><h2>${say('report.step3')}</h2><p class="s13 mid">${say('report.photo_note')}</p>
        ${photoGrid(report.draft.photos, report.taking)}<h2>${say('report.check')}</h2>${summary()}</div>`,
      foot: html`${refused()}<div class="bar"><button class="btn big" data-do="step" data-to="2">${say('report.previous')}</button><button class="btn big primary grow" data-do="send" ${sending || report.taking ? html`disabled` : ''}>${sending ? sendingWords() : say(failure && api.unreachable(failure) ? 'report.send_again' : 'report.send')}</button></div>`,
    };
  }

  /* How much has gone, once there is something to wait for. */
  const sendingWords = () => say('report.sending', { part: gone > 0 && gone < 1 ? `${Math.round(gone * 100)}%` : '' });

  function went(part) {
    gone = part;
    const button = document.querySelector('#foot [data-do=send]');
    if (button && sending && report.seen) button.textContent = sendingWords();
  }

  /* The report as the server takes it; empty fields stay out. */
  function body() {
    const { draft } = report, { by, ...fix } = draft.fix, floor = Number.parseInt(draft.floor, 10);
    const values = {
      ...fix,
      report_key: draft.key,
      category: draft.category,
      description: draft.description.trim(),
      chosen_cell: draft.chosen,
      floor: Number.isFinite(floor) ? floor : null,
      unit: draft.unit.trim(),
      room: draft.room.trim(),
      same_as: draft.sameAs,
      answers: Object.keys(draft.answers || {}).length ? draft.answers : null,
      on_behalf: draft.behalf ? draft.onBehalf.trim() || say('report.behalf_unnamed') : null,
    };
    return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== ''));
  }

  async function send() {
    const { draft } = report;
    if (!draft.fix || !draft.category) return report.step(draft.fix ? 2 : 1);
    sending = true;
    failure = null;
    gone = 0;
    app.redraw();
    const form = new FormData();
    form.append('report', JSON.stringify(body()));
    appendPhotos(form, draft.photos);
    try {
      await report.keep();
      const answer = await api.postForm('/api/v1/incidents', form, went);
      noteUse(draft.category);
      await drafts.discard(app.me.principal.username);
      report.answer = answer;
      report.draft = drafts.fresh();
      if (!report.seen) app.toast(html`<b>${say('sent.title')}</b><div>${answer.number}</div>`, 'good');
    } catch (error) {
      if (!(error instanceof api.Problem)) throw error;
      failure = error;
      if (!report.seen) app.tell(error);
    } finally {
      sending = false;
      app.redraw();
    }
  }

  return {
    draw,
    actions: {
      send,
      async add(input) {
        const files = [...input.files];
        report.taking = files.length;
        app.redraw();
        const taken = await takeIn(app, files, MOST - report.draft.photos.length);
        report.taking = 0;
        report.change({ photos: [...report.draft.photos, ...taken] });
        app.redraw();
      },
      drop(button) {
        report.change({ photos: report.draft.photos.filter((photo) => String(photo.id) !== button.dataset.id) });
        app.redraw();
      },
      /* The first one arrived after all, and this has become another: it gets a key of its own. */
      rekey() {
        report.change({ key: drafts.fresh().key });
        failure = null;
        app.redraw();
      },
    },
  };
}
