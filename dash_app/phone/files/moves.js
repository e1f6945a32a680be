/* Moving a case on: at once, with photographs of the finished work, or back to the desk with a reason. */
import * as api from './api.js';
import * as drafts from './draft.js';
import * as position from './position.js';
import { html, icon } from './html.js';
import { MOST, appendPhotos, photoGrid, takeIn } from './photos.js';
import { either, say } from './words.js';

const REASONS = ['not_mine', 'wrong_kind', 'duplicate', 'not_found', 'no_means'];

/* `latest` tells the case as it was last read: a question may stand open while the case moves on. */
export async function move(app, latest, name, more = {}) {
  const at = position.here(), here = at && { lon: at.lon, lat: at.lat, crs: 'EPSG:4326' };
  const { id, version } = latest();
  try {
    await api.post(`/api/v1/incidents/${id}/moves`, { move: name, version, here, ...more });
  } catch (error) {
    // Somebody was faster: what is shown is old, whatever the answer to that is.
    if (error.status === 409) await app.refresh();
    if (error.status !== 409 || !isDone(app, latest(), name, version)) throw error;
  }
  app.closeSheet();
  app.toast(say('done.' + name, {}, say('done.other')));
}

/* Whether the one who was faster was I: the move was made, only its answer was lost on the way. */
const isDone = (app, item, name, version) => ((item && item.story) || []).some((row) => row.move === name && row.version === version + 1 && row.role === app.me.principal.role);

/* A move that needs nothing, or only words. */
export async function plainMove(app, latest, name) {
  const item = latest(), { needs_note: needsNote, takes_amount: takesAmount, zh, en } = item.moves.find((one) => one.name === name);
  if (!needsNote) {
    await move(app, latest, name);
    return app.refresh();
  }
  const before = takesAmount ? html`<label class="field"><span>${say('extend.amount', { unit: say('limit.' + item.limit_kind) })}</span><input type="number" min="0.5" step="0.5" value="${item.limit_value}" inputmode="decimal"></label>` : '';
  askWhy(app, { title: either(zh, en), before, about: name }, async (note) => {
    await move(app, latest, name, takesAmount ? { note, amount: Number(document.querySelector('#sheet input').value) } : { note });
    await app.refresh();
  });
}

export function handBack(app, latest) {
  const before = html`<div class="chips">${REASONS.map((name) => html`<button type="button" class="choice" data-do="pick">${say('reason.' + name)}</button>`)}</div>`;
  askWhy(app, { title: say('hand_back.title'), before, about: 'hand_back' }, async (note) => {
    await move(app, latest, 'hand_back', { note });
    app.go('#/tasks');
  });
}

/* Ask for words; they may be left out where they are only a help. */
export function askWhy(app, { title, before = '', optional = false, about = null }, then) {
  app.ask(html`<h2>${title}</h2><p class="s13 mid">${say(optional ? 'note.optional' : 'note.needed')}</p>${before}
    <textarea rows="3" maxlength="1000" data-input="note" placeholder="${say(optional ? 'note.words' : 'note.placeholder')}" aria-label="${say('note.placeholder')}"></textarea>
    <div class="bar"><button class="btn big" data-do="close">${say('cancel')}</button><button class="btn big primary grow" data-do="send" ${optional ? '' : html`disabled`}>${title}</button></div>`, {
    pick(button) {
      const box = document.querySelector('#sheet textarea');
      box.value = button.textContent;
      allow();
    },
    note: allow,
    async send(button) {
      button.disabled = true;
      try { await then(document.querySelector('#sheet textarea').value.trim()); } finally { button.disabled = false; }
    },
  }, about);
  function allow() {
    document.querySelector('#sheet [data-do=send]').disabled = !optional && !document.querySelector('#sheet textarea').value.trim();
  }
}

/* Photographs first, then the move that names them: a move never waits for half an upload. What was taken is
 * kept until it is sent: a camera may cost a small phone its page. */
export async function finish(app, latest) {
  const { id } = latest(), name = drafts.ofFinish(app.me.principal.username, id);
  const draft = { photos: [], words: '', ...(await drafts.load(name)) };
  let sent = null, busy = 0;
  const keep = () => drafts.keep(name, draft);
  const draw = () => app.ask(html`<h2>${say('finish.title')}</h2><p class="s13 mid">${say('finish.note')}</p>
    ${photoGrid(draft.photos, busy)}
    <textarea rows="2" maxlength="1000" data-input="words" placeholder="${say('finish.words')}" aria-label="${say('finish.words')}">${draft.words}</textarea>
    <div class="bar"><button class="btn big" data-do="close">${say('cancel')}</button><button class="btn big primary grow" data-do="send" ${draft.photos.length && !busy ? '' : html`disabled`}>${icon('check')}${say('do.finish_now')}</button></div>`, {
    async add(input) {
      const files = [...input.files];
      busy = files.length;
      draw();
      draft.photos.push(...await takeIn(app, files, MOST - draft.photos.length));
      busy = 0;
      changed();
    },
    drop(button) {
      draft.photos = draft.photos.filter((photo) => String(photo.id) !== button.dataset.id);
      changed();
    },
    words(box) {
      draft.words = box.value;
      keep();
    },
    async send(button) {
      button.disabled = true;
      try {
        sent ??= await upload(id, draft.photos, (part) => { button.textContent = say('finish.sending', { p: Math.round(part * 100) }); });
        await move(app, latest, 'finish', { note: draft.words.trim() || null, photos: sent });
        await drafts.discard(name);
        await app.refresh();
      } catch (error) {
        if (app.asking === 'finish') draw();
        throw error;
      }
    },
  }, 'finish');

  /* Other photographs are other to send; the question may have been closed meanwhile, what was taken stays. */
  function changed() {
    sent = null;
    keep();
    if (app.asking === 'finish') draw();
  }
  draw();
}

async function upload(id, photos, went) {
  const form = new FormData();
  form.append('kind', 'after');
  appendPhotos(form, photos);
  return (await api.postForm(`/api/v1/incidents/${id}/photos`, form, went)).photos.map((photo) => photo.id);
}
