/* Photographs not sent yet: taken in small enough to send, shown as small pictures, one to take away, one to add. */
import { html, icon } from './html.js';
import { isPicture, shrunk } from './shrink.js';
import { say } from './words.js';

export const MOST = 9;
const addresses = new Map();

/* One address per photograph as long as the page lives: a redraw must not load it again. */
function address({ id, blob }) {
  if (!addresses.has(id)) addresses.set(id, URL.createObjectURL(blob));
  return addresses.get(id);
}

/* The chosen files as photographs, at most `room`; what is no picture is told at once, not after it was sent. */
export async function takeIn(app, files, room) {
  const taken = [], others = [];
  for (const file of files.slice(0, room)) {
    if (await isPicture(file)) taken.push({ id: crypto.getRandomValues(new Uint32Array(1))[0], blob: await shrunk(file) });
    else others.push(file.name);
  }
  if (others.length) app.tell({ title: say('photo.none', { names: others.join(', ') }), remedy: say('photo.none_remedy') });
  if (files.length > room) app.toast(say('photo.most', { n: MOST }));
  return taken;
}

export function appendPhotos(form, photos) {
  photos.forEach(({ blob }, i) => form.append('photos', blob, blob.name || `photo-${i + 1}.jpg`));
}

/* `busy`: how many are being taken in. A picture this browser cannot show (HEIC) is named instead. */
export function photoGrid(taken, busy = 0) {
  return html`<div class="photo-grid">${taken.map((photo) => html`<figure><img src="${address(photo)}" alt="${say('photo.taken')}"><span class="name s13">${photo.blob.name}</span><button type="button" data-do="drop" data-id="${photo.id}" aria-label="${say('photo.drop')}">${icon('x', 's')}</button></figure>`)}
    ${Array.from({ length: busy }, () => html`<figure class="busy" role="status" aria-label="${say('photo.busy')}"></figure>`)}
    ${taken.length + busy < MOST ? html`<label class="add">${icon('cam')}<span class="s13">${say('photo.add')}</span><input type="file" accept="image/*" multiple data-change="add"></label>` : ''}</div>`;
}
