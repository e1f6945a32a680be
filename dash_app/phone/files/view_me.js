/* Myself: on duty or not, what became of my reports, language, light, signing out. */
import * as api from './api.js';
import { html, icon } from './html.js';
import { askForLeave, leaveCard, myLeave, takeBack } from './leave.js';
import { choose, page } from './page.js';
import { avatar, empty, glyph, stages, toggle } from './parts.js';
import { momentWords } from './times.js';
import { either, say, titleOf } from './words.js';

const SHOWN = 50;

export function meView(app) {
  let reports = null, leave = [];
  const { principal } = app.me, onRoster = principal.member_id !== null;

  const row = (one) => html`<a class="card report" href="#/task/${one.id}" data-incident="${one.id}">
    <span class="sign">${glyph(one, 32)}</span><b class="cut">${titleOf(one)}</b><span class="s13 mute">${momentWords(one.reported_at)}</span>
    <span class="s13 mid cut">${one.place || one.number}</span><span class="row s13 mid">${stages(one.stage)}${say('stage.' + one.stage)}</span>
    ${one.handler ? html`<span class="s13 mute cut fate">${say('me.with', { name: one.handler })}${one.department_zh ? ` · ${either(one.department_zh, one.department_en)}` : ''}</span>` : ''}</a>`;

  const segments = (name, current, choices) => html`<div class="segments" role="group" aria-label="${say('me.' + name)}">${choices.map(([value, word]) => html`<button type="button" aria-pressed="${String(value === current)}" data-do="choose" data-name="${name}" data-value="${value}">${word}</button>`)}</div>`;

  return {
    tab: 'me',

    async load() {
      reports = (await api.get('/api/v1/incidents', { mine: 'reports', order: 'reported', limit: SHOWN })).incidents;
      if (onRoster) leave = await myLeave();
    },

    draw: () => ({
      title: say('tab.me'),
      tab: 'me',
      body: html`<div class="list top">
        <div class="card"><div class="person">${avatar(principal.display_name, app.me.on_duty)}<div class="grow"><div class="row"><b class="name">${principal.display_name}</b><span class="tag">${say('role.' + principal.role)}</span></div><div class="s13 mute">${app.cells.map((post) => post.name).join(' · ') || principal.username}</div></div></div>
          ${app.me.on_duty === null ? '' : toggle('duty', app.me.on_duty, say(app.me.on_duty ? 'duty.on' : 'duty.off'), say(app.me.on_duty ? 'duty.on_note' : 'duty.off_note'))}</div>
        ${onRoster ? leaveCard(leave) : ''}
        <div class="list-head"><h2>${say('me.reports')}</h2>${reports && reports.length === SHOWN ? html`<span class="s13 mute">${say('me.latest', { n: SHOWN })}</span>` : ''}</div>
        ${reports === null ? html`<div class="waiting"></div>` : reports.length ? reports.map(row) : empty('cam', say('me.no_reports'), say('me.no_reports_note'))}
        <div class="list-head"><h2>${say('me.settings')}</h2></div>
        <div class="card rows">
          <div class="line"><span class="grow">${say('me.language')}</span>${segments('language', page.language, [['zh', '中文'], ['en', 'English']])}</div>
          <div class="line"><span class="grow">${say('me.theme')}</span>${segments('theme', page.theme, [['light', say('me.light')], ['dark', say('me.dark')]])}</div></div>
        <a class="btn big wide" href="/account">${icon('lock', 's')}${say('me.account')}</a>
        <button class="btn big wide" data-do="out">${icon('out', 's')}${say('me.out')}</button></div>`,
    }),

    live: () => app.refresh(),

    actions: {
      async duty() {
        const answer = await api.put('/api/v1/me/duty', { on_duty: !app.me.on_duty });
        app.me.on_duty = answer.on_duty;
        app.redraw();
        app.toast(say(answer.on_duty ? 'duty.now_on' : 'duty.now_off'));
      },
      ask_leave: () => askForLeave(app),
      take_back: (button) => takeBack(app, button.dataset.id),
      choose: (button) => choose(button.dataset.name, button.dataset.value),
      async out() {
        await api.remove('/api/v1/session');
        location.hash = '';
        app.signedOut();
      },
    },
  };
}
