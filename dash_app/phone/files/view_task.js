/* One case: its clock, why it is mine, what was seen, and what may be done with it now. */
import * as api from './api.js';
import * as drafts from './draft.js';
import * as map from './map.js';
import * as position from './position.js';
import { handBack, finish, plainMove } from './moves.js';
import { html, icon } from './html.js';
import { now, page } from './page.js';
import { avatar, backHeader, doorWords, reason, stages } from './parts.js';
import { distanceWords, dueWords, leftWords, metresBetween, momentWords, timeOf } from './times.js';
import { workMove, workSection } from './work.js';
import { either, say, titleOf } from './words.js';

const ON_THE_BAR = ['accept', 'finish', 'hand_back', 'confirm', 'verify', 'rework'];
const DONE = ['handled', 'verified', 'closed'];
const IN_TIME = ['in_time', 'due_soon', 'overdue'];

/* Cases read before, for whom: read again without a network. */
const read = new Map();
const MOST_READ = 30;

export function taskView(app, id) {
  const before = read.get(id);
  let item = before && before.me === app.me ? before.item : null, looked = false;
  const latest = () => item;
  const stopMoving = position.onMove(() => { if (item) app.redraw(); });

  function clockBlock() {
    const running = IN_TIME.includes(item.clock);
    return html`<section class="clock-block c-${item.clock}">
      <div class="row base"><span class="clock">${leftWords(item.clock, item.due_at)}</span>
        ${running && item.due_at ? html`<span class="s13 mid">${dueWords(item.due_at)}</span>` : ''}<span class="grow"></span>
        <span class="row">${stages(item.stage)}<span class="s13 mid">${say('step.' + item.stage)}</span></span></div>
      ${item.limit_words_zh ? html`<p class="s13 mid">${either(item.limit_words_zh, item.limit_words_en)}</p>` : ''}
      ${running && item.due_at && item.dispatched_at ? bar() : ''}
    </section>`;
  }

  /* From dispatch to the deadline, to scale; past it the whole bar is used up. */
  function bar() {
    const from = Date.parse(item.dispatched_at), until = Date.parse(item.due_at);
    const used = Math.min(100, Math.max(1, (100 * (now() - from)) / Math.max(1, until - from)));
    return html`<div class="time-bar" aria-hidden="true"><i style="width:${used.toFixed(1)}%"></i></div>
      <div class="row s13 mute ends"><span>${momentWords(item.dispatched_at)}</span><span class="grow"></span><span>${momentWords(item.due_at)}</span></div>`;
  }

  function said() {
    const [photo] = item.photos, who = item.on_behalf ? say('task.for', { name: item.on_behalf }) : say('channel.' + item.channel);
    return html`<section class="said">
      ${photo ? html`<a class="photo" href="/api/v1/photos/${photo.id}" target="_blank" rel="noopener"><img src="/api/v1/photos/${photo.id}" alt="${say('task.photo_' + photo.kind)}"></a>` : ''}
      <div class="s14">${item.description ? html`“${item.description}” ` : ''}<span class="mute">${who} · ${momentWords(item.reported_at)}</span></div>
    </section>`;
  }

  function facts() {
    const lines = [
      ['pin', item.place || item.cell_name, doorWords(item)],
      ['list', either(item.category_zh, item.category_en), either(item.group_zh, item.group_en)],
      item.handler && !item.mine ? ['people', item.handler.name, say('task.handler')] : null,
      item.department_zh ? ['shield', either(item.department_zh, item.department_en), say('task.department')] : null,
    ].filter((line) => line && line[1]);
    return html`<section class="lines">${lines.map(([sign, title, note]) => html`<div class="line"><span class="tile">${icon(sign, 's')}</span><div><div>${title}</div>${note ? html`<div class="s13 mute">${note}</div>` : ''}</div></div>`)}</section>`;
  }

  function photos() {
    if (item.photos.length < 2) return '';
    return html`<section><h3>${say('task.photos')}</h3><div class="photos">${item.photos.map((photo) => html`<figure><a href="/api/v1/photos/${photo.id}" target="_blank" rel="noopener"><img src="/api/v1/photos/${photo.id}" alt="${say('task.photo_' + photo.kind)} ${timeOf(photo.at)}"></a><figcaption class="s13 mute">${say('task.photo_' + photo.kind)} ${timeOf(photo.at)}</figcaption></figure>`)}</div></section>`;
  }

  function story() {
    return html`<section><h3>${say('task.story')}</h3><ol class="story">${item.story.map((move) => html`<li><b>${say('move.' + move.move)}</b><span class="s13 mute">${momentWords(move.at)}</span><div class="s13 mid">${move.role === 'system' ? say('role.system') : move.actor_name}${move.member ? html` → ${move.member}` : ''}${move.note ? html`：${move.note}` : ''}</div></li>`)}</ol></section>`;
  }

  /* What is open besides the bar, unless it asks for what only the desk has: a person, a date, another place. */
  const TAKES = ['takes_member', 'takes_date', 'takes_place', 'takes_force', 'takes_case'];
  const others = () => item.moves.filter((move) => !ON_THE_BAR.includes(move.name) && !TAKES.some((name) => move[name]));

  function actionBar() {
    const open = new Map(item.moves.map((move) => [move.name, move]));
    const main = open.has('accept') ? html`<button class="btn big primary grow" data-do="accept">${icon('check')}${say('do.accept')}</button>`
      : open.has('finish') ? html`<button class="btn big primary grow" data-do="finish">${icon('cam')}${say('do.finish')}</button>`
      : open.has('confirm') ? html`<button class="btn big primary grow" data-do="plain" data-move="confirm">${icon('eye')}${say('do.confirm')}</button>`
      : open.has('verify') ? html`<button class="btn big primary grow" data-do="plain" data-move="verify">${icon('check')}${say('do.verify')}</button>` : '';
    const back = open.has('hand_back') ? ['hand_back', ''] : open.has('rework') ? ['plain', 'rework'] : null;
    if (!main && !back && !others().length) return '';
    return html`<div class="bar">
      ${back ? html`<button class="btn big" data-do="${back[0]}" data-move="${back[1]}">${icon('undo', 's')}${say('do.' + (back[1] || back[0]))}</button>` : ''}${main}
      ${others().length ? html`<button class="btn big square" data-do="more" aria-label="${say('more')}">${icon('more')}</button>` : ''}</div>`;
  }

  function chip() {
    const here = position.here();
    if (!here || !item) return '';
    return html`<div class="chip">${icon('walk', 's')}<b>${distanceWords(metresBetween(here, item))}</b><span class="mute">${say('task.straight')}</span></div>`;
  }

  const view = {
    tab: null,
    ticks: true,

    loaded: item !== null,

    async load() {
      item = await api.get(`/api/v1/incidents/${id}`);
      read.delete(id);
      read.set(id, { me: app.me, item });
      if (read.size > MOST_READ) read.delete(read.keys().next().value);
      if (DONE.includes(item.stage)) drafts.discard(drafts.ofFinish(app.me.principal.username, id)); // sent, if not by this phone
      if (app.asking && !item.moves.some((move) => move.name === app.asking)) app.closeSheet(); // somebody else has it now
    },

    draw() {
      if (!item) return { title: '', header: backHeader(''), cls: 'on-map', body: html`<div class="map-back" data-map></div><div class="sheet tall waiting"></div>`, foot: ' ', tab: null };
      return {
        title: titleOf(item),
        header: backHeader(titleOf(item), item.number.slice(5)),
        cls: 'on-map',
        tab: null,
        body: html`<div class="map-back" data-map></div>${chip()}<div class="sheet tall" data-sheet data-keep="case"><div class="grab"></div>
          ${clockBlock()}${said()}
          <section><h3>${say(item.mine ? 'task.why' : 'report.who')}</h3>${reason(item, page.language)}
            ${item.member ? html`<div class="row s13 mid">${avatar(item.member.name, item.member.on_duty, 'small')}<span>${item.member.name} · ${say('role.' + item.member.role)} · ${say(item.member.on_duty ? 'duty.on' : 'duty.off')}</span></div>` : ''}</section>
          ${workSection(item)}${facts()}${photos()}${story()}</div>`,
        foot: actionBar(),
      };
    },

    async after(main) {
      if (!item) return;
      const here = position.here(), own = app.cells.find((post) => post.ground === item.cell_code);
      if (!(await map.attach(main.querySelector('[data-map]'), item))) return;
      const marker = { role: 'incident', clock: item.clock, hollow: item.hollow, icon: item.icon, incident: item.id };
      map.show('focus', [...(own ? [map.feature(own.geometry, { role: 'cell' })] : []), map.point(item, marker)]);
      map.show('here', here ? [map.point(here)] : []);
      if (looked) return;
      looked = true;
      const padding = { top: 70, left: 60, right: 60, bottom: main.querySelector('[data-sheet]').offsetHeight + 30 };
      if (here && metresBetween(here, item) < 1500) map.look({ bounds: map.boundsOf([map.point(here).geometry, map.point(item).geometry]), padding, zoom: 17.5, still: true });
      else map.look({ at: item, zoom: 17, padding, still: true });
    },

    live(event) { if (String(event.id) === String(id)) app.refresh(); },
    leave: stopMoving,

    actions: {
      accept: () => plainMove(app, latest, 'accept'),
      plain: (button) => plainMove(app, latest, button.dataset.move),
      finish: () => finish(app, latest),
      hand_back: () => handBack(app, latest),
      work: (button) => workMove(app, latest, button.dataset.move, Number(button.dataset.task)),
      more() {
        app.ask(html`<h2>${say('more')}</h2>${others().map((move) => html`<button class="btn big" data-do="move" data-move="${move.name}">${either(move.zh, move.en)}</button>`)}`, {
          move: (button) => plainMove(app, latest, button.dataset.move),
        });
      },
    },
  };
  return view;
}
