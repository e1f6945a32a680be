/* Photographs not sent yet: small pictures of them, one to take away, one to add. */
import { html, icon } from './html.js';
import { say } from './words.js';

export const MOST = 9;
const addresses = new Map();

/* One address per photograph as long as the page lives: a redraw must not load it again. */
function address({ id, blob }) {
  if (!addresses.has(id)) addresses.set(id, URL.createObjectURL(blob));
  return addresses.get(id);
}

export function photoGrid(taken) {
  return html`<div class="photo-grid">${taken.map((photo) => html`<figure><img src="${address(photo)}" alt="${say('photo.taken')}"><button type="button" data-do="drop" data-id="${photo.id}" aria-label="${say('photo.drop')}">${icon('x', 's')}</button></figure>`)}
    ${taken.length < MOST ? html`<label class="add">${icon('cam')}<span class="s13">${say('photo.add')}</span><input type="file" accept="image/*" multiple data-change="add"></label>` : ''}</div>`;
}
