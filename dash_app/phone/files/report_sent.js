/* After sending: the number, who has it and why, how it was decided, and the reporter's page. */
import { html, icon } from './html.js';
import { page } from './page.js';
import { person, reason, stages } from './parts.js';
import { either, say } from './words.js';

export function sentPage(app, answer) {
  const decided = answer.responsibility, handler = decided && decided.handler, member = decided && decided.member;
  return {
    title: say('sent.title'),
    header: html`<h1>${say('sent.title')}</h1><span class="note">${answer.number.slice(5)}</span>`,
    tab: 'report',
    body: html`<div class="pad">
      <div class="card sent"><div class="row"><span class="tile big">${icon('check')}</span><div class="grow"><b>${answer.number}</b><div class="row s13 mid">${stages(answer.stage)}${say('stage.' + answer.stage)}</div></div></div></div>
      ${member ? html`<div class="card"><h3>${say('report.who')}</h3>
        ${person(member, [say('role.' + member.post), decided.cell_name], say(member.on_duty ? 'duty.on' : 'duty.off'))}
        ${handler && handler.id !== member.id ? html`<p class="s13 mid">${say('sent.handler', { name: handler.name, role: say('role.' + handler.post) })}</p>` : ''}
        ${reason(decided, page.language)}
        <details><summary class="link">${say('sent.trace', { n: decided.trace.length })}</summary><ol class="trace">${decided.trace.map((step) => html`<li class="s13">${either(step.zh, step.en)}</li>`)}</ol></details></div>` : ''}
      <a class="card row" href="/r/${answer.tracking_code}" target="_blank" rel="noreferrer"><img src="/r/${answer.tracking_code}/qr.svg" width="112" height="112" alt="${say('sent.track')}"><span class="grow"><b>${say('sent.track')}</b><br><span class="s13 mid">${say('sent.track_note')}</span></span></a>
      ${answer.joined_to ? html`<div class="card"><b>${say('sent.joined', { number: answer.joined_to })}</b><p class="s13 mid">${say('sent.joined_note')}</p></div>` : ''}
      ${answer.created ? '' : html`<p class="s13 mute">${say('sent.before')}</p>`}
      <div class="row"><button class="btn big grow" data-do="go" data-to="#/task/${answer.id}">${say('sent.see')}</button><button class="btn big primary grow" data-do="again">${icon('cam')}${say('sent.again')}</button></div></div>`,
  };
}
