/* Pieces of work: what I was asked to do on somebody else's case, and who else is at work on mine. */
import * as api from './api.js';
import { html, icon } from './html.js';
import { askWhy, move } from './moves.js';
import { glyph, pill } from './parts.js';
import { either, say, titleOf } from './words.js';

const AT_WORK = ['open', 'accepted'];
/* Another person is chosen at the desk, where the team and its loads are. */
const AT_THE_DESK = ['assist_pass'];

export const what = (task) => either(task.what, task.what_en || task.what);
const offered = (task) => task.moves.filter((name) => !AT_THE_DESK.includes(name));
const whose = (task) => either(task.department_zh, task.department_en) || task.who || say('work.of_handler');

/* My own, the most pressing first. */
export const myWork = async () => (await api.get('/api/v1/subtasks')).subtasks;

export function workCard({ task, ...row }) {
  const fresh = task.stage === 'open';
  return html`<article class="card task" data-do="open" data-id="${task.incident_id}" data-work="${task.id}">
    <span class="sign">${glyph({ ...row, clock: task.clock, hollow: false })}</span>
    <a class="name cut" href="#/task/${task.incident_id}">${what(task)}</a>${pill(task)}
    <span class="s13 mid cut">${[titleOf(row), row.place].filter(Boolean).join(' · ')}</span><span></span>
    <div class="row foot"><span class="tag">${say('work.tag')}</span><span class="s13 mute cut grow">${say('work.' + task.stage)} · ${task.asked_by}</span>
      ${fresh && task.moves.includes('assist_accept') ? html`<button class="btn act primary" data-do="work" data-move="assist_accept" data-task="${task.id}">${say('do.accept')}</button>` : html`<button class="btn act primary" data-do="open" data-id="${task.incident_id}">${say('tasks.go')}</button>`}</div>
  </article>`;
}

/* In the case: each piece with its clock; what I may do with it is a button. */
export function workSection(item) {
  if (!item.subtasks.length) return '';
  return html`<section><h3>${say('work.title', { n: item.subtasks.length })}</h3>
    ${item.subtasks.map((task) => html`<div class="work" data-work="${task.id}">
      <div class="row"><b class="grow">${task.step === null ? '' : say('work.step', { n: task.step })} ${what(task)}</b>${AT_WORK.includes(task.stage) ? pill(task) : html`<span class="tag">${say('work.' + task.stage)}</span>`}</div>
      <div class="s13 mid">${whose(task)}${AT_WORK.includes(task.stage) && task.step === null ? ` · ${say('work.' + task.stage)}` : ''}${task.reply ? ` · “${task.reply}”` : ''}</div>
      ${offered(task).length ? html`<div class="row">${offered(task).map((name, i) => html`<button class="btn ${i === 0 ? 'primary grow' : ''}" data-do="work" data-move="${name}" data-task="${task.id}">${say('do.' + name)}</button>`)}</div>` : ''}
    </div>`)}
    ${item.open_subtasks ? html`<p class="s13 mute">${icon('clock', 's')} ${say('work.waits', { n: item.open_subtasks })}</p>` : ''}</section>`;
}

/* A move with one piece of work: at once, or with the reason or the result asked for first. */
export async function workMove(app, latest, name, taskId) {
  const make = async (more) => {
    await move(app, latest, name, { subtask_id: taskId, ...more });
    await app.refresh();
  };
  if (name === 'assist_accept') return make({});
  askWhy(app, { title: say('do.' + name), optional: name === 'assist_finish' }, (note) => make({ note: note || null }));
}
