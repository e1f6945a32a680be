/* The frame: who is signed in, which view is open, what a tap does, what is told in passing. */
import * as api from './api.js';
import * as live from './live.js';
import * as map from './map.js';
import * as position from './position.js';
import { html, icon, put } from './html.js';
import { tellOfDecisions, tellOfLeave } from './leave.js';
import { now, page } from './page.js';
import { backHeader, problem } from './parts.js';
import { redrawn } from './redrawn.js';
import { timeOf } from './times.js';
import { say } from './words.js';
import { cellsView } from './view_cells.js';
import { meView } from './view_me.js';
import { reportView } from './view_report.js';
import { signInView } from './view_sign_in.js';
import { taskView } from './view_task.js';
import { tasksView } from './view_tasks.js';

const VIEWS = { tasks: tasksView, task: taskView, report: reportView, cells: cellsView, me: meView };
const TABS = [['tasks', 'case'], ['report', 'cam'], ['cells', 'grid'], ['me', 'people']];
const OF_WORK = ['tasks', 'cells'];   /* what a resident has none of */
const TOAST_MS = 4200, MINUTE = 60000, TRY_AGAIN_MS = 15000;

const root = put(document.getElementById('phone'), html`<header id="top"></header><div id="lost" role="status"></div><main id="view" tabindex="-1"></main><footer id="foot"></footer><div id="veil" hidden><div id="sheet" role="dialog" aria-modal="true" tabindex="-1"></div></div>`);
const [top, lost, main, foot, veil] = root.children, sheet = veil.firstElementChild, behind = [top, main, foot];
const waiting = new Set();
let view = null, painted = null, sheetActions = {}, depth = 0, pressed = false, reachedAt = now(), again = null;

export const app = {
  me: null,

  /* The move the open question is about, or null. */
  asking: null,

  /* The cells of the person, each with its outline; the first is the one to begin with. */
  get cells() { return this.me ? this.me.posts.filter((post) => post.geometry && post.ground.length === 15) : []; },

  get isResident() { return Boolean(this.me) && this.me.principal.role === 'resident'; },

  /* Where one begins and comes back to. */
  get home() { return this.isResident ? '#/me' : '#/tasks'; },

  go(hash) {
    if (location.hash === hash) open();
    else location.hash = hash;
  },

  back() {
    if (depth > 0) history.back();
    else this.go(this.home);
  },

  /* Draw again what changed, the whole view or the part `draw` draws. Not under a finger, or the button it
     presses would be gone before it lifts; what comes while somebody types draws its part only, or the caret would go. */
  redraw(draw = paint) {
    if (pressed) waiting.add(draw);
    else draw();
  },

  async refresh() {
    const asked = view;
    await load(asked);
    if (view === asked) this.redraw();
  },

  toast(text, kind = '') {
    const toast = put(document.createElement('div'), text);
    toast.className = `toast ${kind}`;
    if (kind === 'bad') toast.setAttribute('role', 'alert');
    document.getElementById('toasts').append(toast);
    setTimeout(() => toast.remove(), TOAST_MS);
  },

  tell(error) {
    this.toast(html`<b>${error.title || say('error.unknown')}</b>${error.remedy ? html`<div>${error.remedy}</div>` : ''}`, 'bad');
  },

  /* A question over the view, perhaps about a move. Its buttons carry data-do like the view's own. */
  ask(markup, actions = {}, about = null) {
    sheetActions = actions;
    this.asking = about;
    put(sheet, html`<div class="grab"></div>${markup}`);
    veil.hidden = false;
    behind.forEach((part) => { part.inert = true; });
    sheet.focus({ preventScroll: true }); // not a field: a keyboard would hide the question
  },

  closeSheet() {
    if (veil.hidden) return;
    veil.hidden = true;
    behind.forEach((part) => { part.inert = false; });
    put(sheet, '');
    sheetActions = {};
    this.asking = null;
    main.focus({ preventScroll: true });
  },

  async enter() {
    this.me = await api.get('/api/v1/me');
    position.watch();
    live.connect(arrived, (leave) => tellOfLeave(app, leave), () => app.refresh());
    open();
    if (this.me.principal.member_id !== null) tellOfDecisions(app).catch(() => null);
  },

  /* `expired`: not by the person's own will, who is told so. */
  signedOut(expired = false) {
    this.me = null;
    live.disconnect();
    show(signInView(app, expired));
  },
};

/* ---- views -------------------------------------------------------------------------------------- */

function open() {
  if (!app.me) return;
  const [name, ...parts] = location.hash.slice(2).split('/');
  const known = VIEWS[name] && !(app.isResident && OF_WORK.includes(name)) ? name : app.home.slice(2);
  show(VIEWS[known](app, ...parts));
}

async function show(next) {
  if (view && view.leave) view.leave();
  view = next;
  app.closeSheet();
  map.clear();
  main.scrollTop = 0;
  paint();
  await load(next);
  if (view === next) paint();
}

/* What is shown stays while the server cannot be reached: an address read in a cellar is worth keeping. */
async function load(wanted) {
  try {
    if (wanted.load) await wanted.load();
    wanted.error = null;
    wanted.loaded = true;
  } catch (error) {
    if (!(error instanceof api.Problem)) throw error;
    if (error.status === 401 || (wanted.loaded && api.unreachable(error))) return;
    wanted.error = error;
    if (wanted === view) app.closeSheet(); // its question was about what cannot be shown any more
  }
}

function failed() {
  return {
    title: say('error.title'),
    header: view.tab === null && app.me ? backHeader(say('error.title')) : undefined,
    body: html`<div class="pad">${problem(view.error)}<button class="btn big" data-do="retry">${say('error.retry')}</button></div>`,
    tab: view.tab,
  };
}

function paint() {
  const drawn = view.error ? failed() : view.draw();
  const restore = painted === view ? redrawn(root) : () => {};
  painted = view;
  root.className = drawn.cls || '';
  put(top, drawn.header || html`<h1>${drawn.title}</h1>`);
  top.hidden = drawn.header === null;
  put(main, drawn.body);
  put(foot, drawn.foot || (drawn.tab === null ? '' : tabs(drawn.tab)));
  restore();
  // A reader of the screen goes on in the new page, not at the top of the document.
  if (veil.hidden && document.activeElement === document.body) main.focus({ preventScroll: true });
  document.title = `${drawn.title || say('product')} · ${say('product')}`;
  if (view.after && !view.error) view.after(main);
}

function tabs(current) {
  return html`<nav class="tabs" aria-label="${say('tabs')}">${TABS.filter(([name]) => !(app.isResident && OF_WORK.includes(name))).map(([name, sign]) => html`<a href="#/${name}" ${current === name ? html`aria-current="page"` : ''}>${icon(sign)}<span>${say('tab.' + name)}</span></a>`)}</nav>`;
}

/* ---- what a tap does ------------------------------------------------------------------------------ */

const COMMON = {
  back: () => app.back(),
  retry: () => app.refresh(),
  close: () => app.closeSheet(),
  go: (element) => app.go(element.dataset.to),
};

root.addEventListener('click', async (event) => {
  if (event.target === veil) return app.closeSheet();
  // A link to where one already is changes no address, but begins the view anew: 上报 after a report is sent.
  const link = event.target.closest('a[href^="#"]');
  if (link && link.getAttribute('href') === location.hash) return open();
  const element = event.target.closest('[data-do]');
  if (!element || element.disabled) return;
  const name = element.dataset.do;
  const act = (sheet.contains(element) && sheetActions[name]) || (view.actions && view.actions[name]) || COMMON[name];
  if (!act) return;
  event.preventDefault();
  try {
    await act(element, event);
  } catch (error) {
    if (!(error instanceof api.Problem)) throw error;
    app.tell(error);
  }
});

root.addEventListener('submit', (event) => {
  event.preventDefault();
  const act = view.actions && view.actions[event.target.dataset.form];
  if (act) act(event.target, event);
});

for (const kind of ['input', 'change']) {
  root.addEventListener(kind, (event) => {
    const name = event.target.dataset[kind];
    const act = name && ((sheet.contains(event.target) && sheetActions[name]) || (view.actions && view.actions[name]));
    if (act) act(event.target, event);
  });
}

/* Errors of pictures do not bubble: a photograph this browser cannot draw is named instead. */
root.addEventListener('error', ({ target }) => {
  if (target.matches('.photo-grid img')) target.closest('figure').classList.add('unseen');
}, true);

root.addEventListener('pointerdown', () => { pressed = true; });
for (const end of ['pointerup', 'pointercancel']) {
  window.addEventListener(end, () => {
    pressed = false;
    setTimeout(() => {
      const drawings = [...waiting];
      waiting.clear();
      drawings.forEach((draw) => app.redraw(draw));
    });
  });
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !veil.hidden) app.closeSheet();
});

/* ---- what happens elsewhere --------------------------------------------------------------------- */

function arrived(event) {
  if (event.task === 'arrived') {
    app.toast(html`<b>${say('live.arrived')}</b><div>${event.title}</div>`, 'good');
    if (navigator.vibrate) navigator.vibrate([120, 60, 120]);
  } else if (event.task === 'taken') {
    app.toast(html`<b>${say('live.taken')}</b><div>${event.title}</div>`);
    if (navigator.vibrate) navigator.vibrate(120);
  }
  if (view.live) view.live(event);
}

window.addEventListener('hashchange', () => {
  depth += 1;
  open();
});
/* Ask anew. A view in which somebody writes is left alone: there the server is only asked whether it is back. */
function catchUp() {
  if (document.hidden) return;
  if (view.error || (app.me && view.live)) app.refresh();
  else if (lost.textContent) api.get('/healthz').catch(() => null);
}

/* While the server cannot be reached a line says so and of when the page is; the page tries again by itself. */
api.whenReached((isReached) => {
  clearTimeout(again);
  if (isReached) reachedAt = now();
  else again = setTimeout(catchUp, TRY_AGAIN_MS);
  const words = isReached || !app.me ? '' : say('lost', { time: timeOf(reachedAt) });
  if (lost.textContent !== words) lost.textContent = words;
});
window.addEventListener('online', catchUp);
document.addEventListener('visibilitychange', catchUp);
setInterval(() => { if (!document.hidden && view && view.ticks) app.redraw(); }, MINUTE);

api.whenSignedOut(() => app.signedOut(app.me !== null));
if (page.has_token) show({ tab: null, load: () => app.enter(), draw: () => ({ title: '', body: html`<div class="waiting"></div>`, tab: null }) });
else app.signedOut();
