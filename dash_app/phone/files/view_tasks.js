/* My tasks: the on-duty switch, my ground with the cases on it, the open ones nearest first. */
import * as api from './api.js';
import * as drafts from './draft.js';
import * as map from './map.js';
import * as position from './position.js';
import { html, icon, when } from './html.js';
import { move } from './moves.js';
import { page } from './page.js';
import { doorWords, empty, glyph, pill, stages } from './parts.js';
import { distanceWords, metresBetween, timeOf } from './times.js';
import { myWork, workCard, workMove } from './work.js';
import { say, titleOf } from './words.js';

const MINE = ['dispatched', 'handling', 'parked'];
const LOOK = { reported: 'tasks.confirm', handled: 'tasks.verify' };   /* what somebody else waits for: that I look */
let byDistance = true;
let last = null;   /* what was listed last, and for whom: back from a case it is there at once, network or not */

export function tasksView(app) {
  let { rows, asked, work } = last && last.me === app.me ? last : { rows: [], asked: [], work: [] };
  let draft = null, looked = false;
  const stopMoving = position.onMove(() => { if (view.loaded) { app.redraw(); } });

  const metres = (row) => (position.here() ? metresBetween(position.here(), row) : null);
  const near = () => byDistance && position.here();
  const sorted = (list) => [...list].sort((a, b) => (near() ? metres(a) - metres(b) : Date.parse(a.due_at || '9999') - Date.parse(b.due_at || '9999')));

  function header() {
    const [post] = app.cells.length ? app.cells : app.me.posts, on = app.me.on_duty;
    const until = post && post.ends_at ? say('duty.until', { time: timeOf(post.ends_at) }) : say('duty.on');
    const words = [post && post.name, on ? until : say('duty.off')].filter(Boolean).join(' · ');
    if (on === null) return html`<h1>${say('tasks.title')}</h1>`;
    return html`<h1>${say('tasks.title')}</h1><button class="duty" role="switch" aria-checked="${String(on)}" aria-label="${say('duty.switch')}" data-do="duty"><span class="cut">${words}</span><span class="switch"></span></button>`;
  }

  function card(row) {
    const away = metres(row), fresh = row.stage === 'dispatched';
    return html`<article class="card task" data-do="open" data-id="${row.id}" data-incident="${row.id}">
      <span class="sign">${glyph(row)}</span>
      <a class="name cut" href="#/task/${row.id}">${titleOf(row)}</a>${pill(row)}
      <span class="s13 mid cut">${row.place || row.cell_name || ''} ${doorWords(row)}</span><span class="s13 mute away">${away === null ? '' : distanceWords(away)}</span>
      <div class="row foot">${stages(row.stage)}<span class="s13 mute cut grow">${say(fresh ? 'tasks.new' : 'stage.' + row.stage)}</span>
        ${row.stage === 'parked' ? '' : html`<button class="btn act primary" data-do="${fresh ? 'accept' : 'open'}" data-id="${row.id}">${say(LOOK[row.stage] || (fresh ? 'do.accept' : 'tasks.go'))}</button>`}</div>
    </article>`;
  }

  function list() {
    const all = sorted(rows), mine = all.filter((row) => MINE.includes(row.stage)), waiting = all.filter((row) => !MINE.includes(row.stage));
    return html`${work.length ? html`<div class="list-head"><h2>${say('work.mine', { n: work.length })}</h2></div>${work.map(workCard)}` : ''}
      ${asked.length ? html`<div class="list-head"><h2>${say('tasks.asked', { n: asked.length })}</h2><span class="s13 mute">${say('tasks.asked_note')}</span></div>${sorted(asked).map(card)}` : ''}
      <div class="list-head"><h2>${say('tasks.open', { n: mine.length })}</h2>
        <span class="s13 mute">${say(near() ? 'tasks.nearest' : 'tasks.soonest')}</span><span class="grow"></span>
        ${position.here() ? html`<button class="link" data-do="order">${icon('sort', 'xs')}${say(near() ? 'tasks.by_due' : 'tasks.by_distance')}</button>` : ''}</div>
      ${mine.length ? mine.map(card) : empty('check', say('tasks.none'), say('tasks.none_note'))}
      ${waiting.length ? html`<div class="list-head"><h2>${say('tasks.waiting', { n: waiting.length })}</h2></div>${waiting.map(card)}` : ''}
      ${draft ? html`<a class="hint" href="#/report">${icon('doc', 's')}<span>${say('tasks.draft')}</span></a>` : ''}
      ${position.isRefused() ? html`<div class="hint">${icon('locate', 's')}<span>${say('position.refused')}</span></div>` : ''}`;
  }

  const view = {
    tab: 'tasks',
    ticks: true,
    loaded: Boolean(last && last.me === app.me),

    async load() {
      const get = (mine) => api.get('/api/v1/incidents', { mine, open: true, limit: 200 });
      const [tasks, turn, helping] = await Promise.all([get('tasks'), get('turn'), myWork()]);
      const own = new Set(tasks.incidents.map((row) => row.id));
      rows = tasks.incidents;
      work = helping;
      asked = turn.incidents.filter((row) => !own.has(row.id) && LOOK[row.stage]);
      last = { me: app.me, rows, asked, work };
      const account = app.me.principal.username;
      draft = await drafts.load(account);
      drafts.discardOthers(account, rows.map((row) => row.id));
    },

    draw: () => ({
      title: say('tasks.title'),
      tab: 'tasks',
      header: header(),
      body: html`<div class="map-strip" data-map></div><div class="list" ${when(!view.loaded, 'aria-busy="true"')}>${view.loaded ? list() : html`<div class="waiting"></div>`}</div>`,
    }),

    async after(main) {
      const here = position.here(), [cell] = app.cells;
      const opened = (event) => {
        const hit = map.caseAt(event);
        if (hit && hit.id !== undefined) app.go('#/task/' + hit.id);
      };
      if (!(await map.attach(main.querySelector('[data-map]'), here || page.middle, opened))) return;
      map.show('focus', app.cells.map((post) => map.feature(post.geometry, { role: 'cell' })));
      map.show('open', [
        ...[...rows, ...asked].map((row) => map.point(row, { clock: row.clock, hollow: row.hollow, icon: row.icon }, row.id)),
        ...work.map((one) => map.point(one, { clock: one.task.clock, hollow: false, icon: one.icon }, one.task.incident_id)),
      ]);
      map.show('here', here ? [map.point(here)] : []);
      if (looked || !view.loaded) return;
      looked = true;
      if (cell) map.look({ bounds: map.boundsOf(app.cells.map((post) => post.geometry)), padding: 22, zoom: 17.5, still: true });
      else if (rows.length) map.look({ bounds: map.boundsOf(rows.map((row) => map.point(row).geometry)), padding: 40, still: true });
      else if (here) map.look({ at: here, zoom: 16, still: true });
    },

    live: () => app.refresh(),
    leave: stopMoving,

    actions: {
      open: (element) => app.go('#/task/' + element.dataset.id),
      async work(button) {
        const one = work.find((other) => String(other.task.id) === button.dataset.task);
        await workMove(app, () => ({ id: one.task.incident_id, version: one.version }), button.dataset.move, one.task.id);
      },
      order() {
        byDistance = !byDistance;
        app.redraw();
      },
      async accept(button) {
        const latest = () => rows.find((one) => String(one.id) === button.dataset.id);
        button.disabled = true;
        try {
          await move(app, latest, 'accept');
        } finally {
          await app.refresh();
        }
      },
      async duty() {
        const answer = await api.put('/api/v1/me/duty', { on_duty: !app.me.on_duty });
        app.me.on_duty = answer.on_duty;
        app.redraw();
        app.toast(say(answer.on_duty ? 'duty.now_on' : 'duty.now_off'));
      },
    },
  };
  return view;
}
