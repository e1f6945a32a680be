/* Moving a case on: at once, with photographs of the finished work, or back to the desk with a reason. */
import * as api from './api.js';
import * as position from './position.js';
import { html, icon } from './html.js';
import { photoGrid } from './photos.js';
import { either, say } from './words.js';

const REASONS = ['not_mine', 'wrong_kind', 'duplicate', 'not_found', 'no_means'];

export async function move(app, item, name, more = {}) {
  const at = position.here(), here = at && { lon: at.lon, lat: at.lat, crs: 'EPSG:4326' };
  try {
    await api.post(`/api/v1/incidents/${item.id}/moves`, { move: name, version: item.version, here, ...more });
  } catch (error) {
    // Somebody was faster: what is shown is old, whatever the answer to that is.
    if (error.status === 409) await app.refresh();
    throw error;
  }
  app.closeSheet();
  app.toast(say('done.' + name, {}, say('done.other')));
}

/* A move that needs nothing, or only words. */
export async function plainMove(app, item, name) {
  const { needs_note: needsNote, takes_amount: takesAmount, zh, en } = item.moves.find((one) => one.name === name);
  if (!needsNote) {
    await move(app, item, name);
    return app.refresh();
  }
  const amount = takesAmount ? html`<label class="field"><span>${say('extend.amount', { unit: say('limit.' + item.limit_kind) })}</span><input type="number" min="0.5" step="0.5" value="${item.limit_value}" inputmode="decimal"></label>` : '';
  askWhy(app, either(zh, en), amount, async (note) => {
    await move(app, item, name, takesAmount ? { note, amount: Number(document.querySelector('#sheet input').value) } : { note });
    await app.refresh();
  });
}

export function handBack(app, item) {
  const chips = html`<div class="chips">${REASONS.map((name) => html`<button type="button" class="choice" data-do="pick">${say('reason.' + name)}</button>`)}</div>`;
  askWhy(app, say('hand_back.title'), chips, async (note) => {
    await move(app, item, 'hand_back', { note });
    app.go('#/tasks');
  });
}

/* Ask for words; they may be left out where they are only a help. */
export function askWhy(app, title, before, then, optional = false) {
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
  });
  function allow() {
    document.querySelector('#sheet [data-do=send]').disabled = !optional && !document.querySelector('#sheet textarea').value.trim();
  }
}

/* Photographs first, then the move that names them: a move never waits for half an upload. */
export function finish(app, item) {
  const taken = [];
  let sent = null, words = '';
  const draw = () => app.ask(html`<h2>${say('finish.title')}</h2><p class="s13 mid">${say('finish.note')}</p>
    ${photoGrid(taken)}
    <textarea rows="2" maxlength="1000" data-input="words" placeholder="${say('finish.words')}" aria-label="${say('finish.words')}">${words}</textarea>
    <div class="bar"><button class="btn big" data-do="close">${say('cancel')}</button><button class="btn big primary grow" data-do="send" ${taken.length ? '' : html`disabled`}>${icon('check')}${say('do.finish_now')}</button></div>`, {
    add(input) {
      taken.push(...[...input.files].map((blob) => ({ id: crypto.getRandomValues(new Uint32Array(1))[0], blob })));
      sent = null;
      draw();
    },
    drop(button) {
      taken.splice(taken.findIndex((photo) => String(photo.id) === button.dataset.id), 1);
      sent = null;
      draw();
    },
    words(box) { words = box.value; },
    async send(button) {
      button.disabled = true;
      try {
        sent ??= await upload(item.id, taken);
        await move(app, item, 'finish', { note: words.trim() || null, photos: sent });
        await app.refresh();
      } finally {
        button.disabled = false;
      }
    },
  });
  draw();
}

async function upload(id, taken) {
  const form = new FormData();
  form.append('kind', 'after');
  taken.forEach(({ blob }, i) => form.append('photos', blob, blob.name || `photo-${i + 1}.jpg`));
  return (await api.postForm(`/api/v1/incidents/${id}/photos`, form)).photos.map((photo) => photo.id);
}
