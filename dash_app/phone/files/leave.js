/* My leave: what I asked for and what became of it; asking for whole days, taking it back. */
import * as api from './api.js';
import { html, icon } from './html.js';
import { now, page } from './page.js';
import { dayOf, dayWords } from './times.js';
import { say } from './words.js';

const SEEN = 'cg_leave_seen';
const DAY = 24 * 3600 * 1000, AHEAD_DAYS = 90;
const KINDS = ['leave', 'sick', 'training', 'other'];

export async function myLeave() {
  const found = await api.get('/api/v1/leaves', { from: new Date(now()).toISOString(), to: new Date(now() + AHEAD_DAYS * DAY).toISOString() });
  return found.leaves;
}

/* The last day of a leave is the one before its end: leave ends at midnight. */
const days = (one) => {
  const first = dayWords(one.starts_at), last = dayWords(Date.parse(one.ends_at) - 1);
  return first === last ? first : `${first} – ${last}`;
};

const row = (one) => html`<div class="line" data-leave="${one.id}"><div class="grow"><div class="row"><b>${days(one)}</b><span class="tag">${say('leave.' + one.kind)}</span></div>
  <div class="s13 mute cut">${say('leave.' + one.status)}${one.status === 'approved' ? ` · ${one.stand_in ? say('leave.stands_in', { name: one.stand_in }) : say('leave.nobody')}` : ''}</div></div>
  ${one.status === 'refused' ? '' : html`<button class="link" data-do="take_back" data-id="${one.id}">${say('leave.take_back')}</button>`}</div>`;

export function leaveCard(leave) {
  return html`<div class="list-head"><h2>${say('leave.title')}</h2></div>
    <div class="card rows">${leave.length ? leave.map(row) : html`<div class="line mute">${say('leave.none')}</div>`}
    <button class="btn big wide" data-do="ask_leave">${icon('cal', 's')}${say('leave.ask')}</button></div>`;
}

export function askForLeave(app) {
  const today = dayOf(now()), tomorrow = dayOf(now() + DAY);
  const chips = KINDS.map((kind, i) => html`<label class="choice"><input type="radio" name="kind" value="${kind}" ${i === 0 ? html`checked` : ''}> ${say('leave.' + kind)}</label>`);
  app.ask(html`<h2>${say('leave.ask')}</h2><p class="s13 mid">${say('leave.note')}</p>
    <label class="field"><span>${say('leave.first')}</span><input type="date" name="first" min="${today}" value="${tomorrow}"></label>
    <label class="field"><span>${say('leave.last')}</span><input type="date" name="last" min="${today}" value="${tomorrow}"></label>
    <div class="chips">${chips}</div>
    <div class="bar"><button class="btn big" data-do="close">${say('cancel')}</button><button class="btn big primary grow" data-do="send">${say('leave.send')}</button></div>`, {
    async send(button) {
      const value = (name) => document.querySelector(`#sheet [name=${name}]${name === 'kind' ? ':checked' : ''}`).value;
      button.disabled = true;
      try {
        await api.post('/api/v1/leaves', { starts_at: midnight(value('first')), ends_at: midnight(value('last'), 1), kind: value('kind') });
        app.closeSheet();
        app.toast(say('leave.sent'));
        await app.refresh();
      } finally {
        button.disabled = false;
      }
    },
  });
}

/* Leave that has just been decided: mine, or somebody's for whom I stand in. */
export function tellOfLeave(app, one) {
  const kind = one.mine ? one.status : one.status === 'approved' ? 'stand_in' : null;
  if (!kind) return;
  app.toast(html`<b>${say('leave.told_' + kind)}</b><div>${days(one)}</div>`, kind === 'refused' ? 'bad' : 'good');
  if (one.mine) remember(now());
  if (navigator.vibrate) navigator.vibrate([120, 60, 120]);
  if (app.refresh) app.refresh();
}

/* What was decided while this page was closed, told once on this phone. */
export async function tellOfDecisions(app) {
  const seen = localStorage.getItem(SEEN), leave = await myLeave();
  const mine = leave.filter((one) => one.decided_at && one.member_id === app.me.principal.member_id);
  if (seen !== null) mine.filter((one) => Date.parse(one.decided_at) > Number(seen)).forEach((one) => tellOfLeave(app, { ...one, mine: true }));
  remember(now());
}

/* Up to when the decisions are known on this phone. */
const remember = (moment) => localStorage.setItem(SEEN, String(moment));

export async function takeBack(app, id) {
  await api.remove(`/api/v1/leaves/${id}`);
  app.toast(say('leave.taken_back'));
  await app.refresh();
}

/* The beginning of a day, or of one `later`, on the city's clock. */
function midnight(day, later = 0) {
  const noon = new Date(Date.parse(`${day}T12:00:00Z`) + later * DAY), date = noon.toISOString().slice(0, 10);
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: page.timezone, timeZoneName: 'longOffset' }).formatToParts(noon);
  const offset = parts.find((part) => part.type === 'timeZoneName').value.replace('GMT', '') || '+00:00';
  return `${date}T00:00:00${offset}`;
}
