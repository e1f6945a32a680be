/* My cells: the ground I answer for, what stands on it, and the team around it. */
import * as api from './api.js';
import * as map from './map.js';
import * as position from './position.js';
import { html, icon } from './html.js';
import { page } from './page.js';
import { avatar, empty } from './parts.js';
import { say } from './words.js';

export function cellsView(app, chosen) {
  const cell = app.cells.find((post) => post.ground === chosen) || app.cells[0];
  let facts = null, looked = false;
  const stopMoving = position.onMove(() => map.show('here', position.here() ? [map.point(position.here())] : []));
  const grouped = (n) => n.toLocaleString('en-US');

  function header() {
    if (app.cells.length < 2) return html`<h1 class="cut">${say('cells.title', { name: cell.name })}</h1><span class="grow"></span><span class="note">${cell.community || ''}</span>`;
    return html`<button class="pick" data-do="pick"><h1 class="cut">${say('cells.title', { name: cell.name })}</h1>${icon('down', 's')}</button><span class="grow"></span><span class="note">${say('cells.mine', { n: app.cells.length })}</span>`;
  }

  const mate = (one) => html`<div class="line">${avatar(one.name, one.on_duty, 'small')}<div class="grow"><div>${one.name}</div><div class="s13 mute">${say('role.' + one.post)}${one.stand_in ? ` · ${say('cells.stand_in', { name: one.stand_in })}` : ''}</div></div><span class="s13 mute">${say(one.on_duty ? 'duty.on' : 'duty.off')}</span></div>`;
  const figure = (name, n) => html`<div><div class="s13 mid">${say('cells.' + name)}</div><div class="figure">${grouped(n)}<span class="s13 mute">${say('unit.' + name)}</span></div></div>`;

  function body() {
    if (!facts) return html`<div class="waiting"></div>`;
    const heads = facts.team.filter((one) => one.post === 'building_head');
    return html`<div class="card"><div class="figures">${['households', 'residents', 'shops', 'buildings'].map((name) => figure(name, facts[name]))}</div></div>
      <div class="card rows">
        <div class="line"><span class="accent">${icon('lid')}</span><div class="grow"><div>${say('cells.components')}</div><div class="s13 mute">${say('cells.components_note')}</div></div><span class="mid">${grouped(facts.components)}</span></div>
        <div class="line"><span class="accent">${icon('ruler')}</span><div class="grow"><div>${say('cells.area')}</div><div class="s13 mute cut">${facts.roads.join(' · ')}</div></div><span class="mid">${say('cells.hectares', { n: facts.area_ha.toFixed(1) })}</span></div>
      </div>
      <div class="card rows"><h3>${say('cells.team')}</h3>${facts.team.filter((one) => one.post !== 'building_head').map(mate)}${heads.length ? html`<div class="line"><span class="accent">${icon('people')}</span><div class="grow"><div>${say('cells.heads', { n: heads.length })}</div><div class="s13 mute">${say('cells.heads_note')}</div></div></div>` : ''}</div>`;
  }

  return {
    tab: 'cells',

    async load() { if (cell) facts = await api.get('/api/v1/cells/' + cell.ground); },

    draw() {
      if (!cell) return { title: say('tab.cells'), tab: 'cells', body: empty('grid', say('cells.none'), say('cells.none_note')) };
      return {
        title: say('cells.title', { name: cell.name }),
        tab: 'cells',
        header: header(),
        body: html`<div class="map-strip tall" data-map></div><div class="list">${body()}</div>`,
      };
    },

    async after(main) {
      if (!cell) return;
      if (!(await map.attach(main.querySelector('[data-map]'), position.here() || page.middle))) return;
      map.show('focus', [map.feature(cell.geometry, { role: 'cell' })]);
      map.show('here', position.here() ? [map.point(position.here())] : []);
      if (!looked) map.look({ bounds: map.boundsOf([cell.geometry]), padding: 20, zoom: 18, still: true });
      looked = true;
    },

    leave: stopMoving,

    actions: {
      pick: () => app.ask(html`<h2>${say('cells.mine', { n: app.cells.length })}</h2>${app.cells.map((post) => html`<button class="btn big wide" data-do="go" data-to="#/cells/${post.ground}">${say('cells.title', { name: post.name })}${post.stand_in ? html` <span class="tag">${say('cells.standing_in')}</span>` : ''}</button>`)}`),
    },
  };
}
