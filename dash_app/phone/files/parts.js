/* The parts all views share: the sign of a clock, its pill, the bars of the stages, a person, a problem. */
import { html, icon } from './html.js';
import { leftWords } from './times.js';
import { say } from './words.js';

const OUTLINE = {
  in_time: html`<circle r="11"/>`,
  due_soon: html`<path d="M0-13.5 13.5 0 0 13.5-13.5 0z" stroke-linejoin="round"/>`,
  overdue: html`<path d="M-5.4-12.6H5.4L12.6-5.4V5.4L5.4 12.6H-5.4L-12.6 5.4V-5.4z" stroke-linejoin="round"/>`,
  paused: html`<rect x="-10.5" y="-10.5" width="21" height="21" rx="3"/>`,
  closed: html`<circle r="11"/>`,
};
const SIGN = {
  overdue: html`<path d="M0-6V1.5M0 6v.2" stroke-width="3"/>`,
  paused: html`<path d="M-3.5-4v8M3.5-4v8" stroke-width="2.8"/>`,
  closed: html`<path d="M-5 .4-1.6 4 5-3.6" stroke-width="2.6"/>`,
};

export function shape(clock, px = 13) {
  return html`<svg class="shape c-${clock}" width="${px}" height="${px}" viewBox="-14 -14 28 28" aria-hidden="true"><g class="o">${OUTLINE[clock]}</g><g class="k">${SIGN[clock] || ''}</g></svg>`;
}

/* The marker of a case, as on the map: outline by clock, hollow while nobody has it, the category's glyph inside. */
export function glyph(row, px = 38) {
  const inner = row.clock === 'closed'
    ? html`<g class="k">${SIGN.closed}</g>`
    : html`<svg class="g" x="-6.6" y="-6.6" width="13.2" height="13.2" viewBox="0 0 20 20"><use href="#i-${row.icon}"/></svg>`;
  return html`<svg class="glyph c-${row.clock} ${row.hollow ? 'hollow' : ''}" width="${px}" height="${px}" viewBox="-16 -16 32 32" aria-hidden="true"><g class="o">${OUTLINE[row.clock]}</g>${inner}</svg>`;
}

export function pill(row) {
  return html`<span class="pill c-${row.clock}">${shape(row.clock)}<span>${leftWords(row.clock, row.due_at)}</span></span>`;
}

/* Six bars: report, register, dispatch, handle, verify, close; the one being worked on is taller. */
const CURRENT_BAR = { reported: 1, registered: 2, dispatched: 2, handling: 3, parked: 3, handled: 4, verified: 5, closed: 6, rejected: 6, void: 6, joined: 2 };

export function stages(stage) {
  const at = CURRENT_BAR[stage];
  return html`<span class="stages" role="img" aria-label="${say('stage.' + stage)}">${[0, 1, 2, 3, 4, 5].map((bar) => html`<i class="${bar < at ? 'd' : bar === at ? 'c' : ''}"></i>`)}</span>`;
}

export function avatar(name, onDuty, cls = '') {
  return html`<span class="avatar ${onDuty ? '' : 'off'} ${cls}" aria-hidden="true">${(name || '?')[0]}</span>`;
}

export function person(someone, tags, note) {
  return html`<div class="person">${avatar(someone.name, someone.on_duty)}<div class="grow"><div class="row">
    <b class="name">${someone.name}</b>${tags.filter(Boolean).map((tag) => html`<span class="tag">${tag}</span>`)}</div>
    <div class="s13 mute cut">${note}</div></div></div>`;
}

export function reason(answer, language) {
  return html`<p class="reason">${marked(language === 'zh' ? answer.reason_zh : answer.reason_en)}</p>`;
}

/* The four facts of the sentence in bold: cell, metres, confidence. */
function marked(sentence) {
  const parts = (sentence || '').split(/(\d{15}|\d+(?:\.\d+)? ?(?:米|m\b)|\d+ ?%)/);
  return parts.map((part, i) => (i % 2 ? html`<b>${part}</b>` : part));
}

/* Where inside the building: 2 单元 11 层 1102 室. */
export function doorWords({ unit, floor, room }) {
  const floorText = floor === null || floor === undefined || floor === '' ? '' : say('task.floor', { n: floor });
  return [unit && say('task.unit', { n: unit }), floorText, room && say('task.room', { n: room })].filter(Boolean).join(' ');
}

export function problem(error) {
  return html`<div class="problem" role="alert"><b>${error.title}</b>${error.remedy ? html`<div>${error.remedy}</div>` : ''}</div>`;
}

export function toggle(name, on, label, note = '') {
  return html`<button type="button" class="switch-row" role="switch" aria-checked="${String(Boolean(on))}" data-do="${name}">
    <span class="grow"><span>${label}</span>${note ? html`<span class="s13 mute">${note}</span>` : ''}</span><span class="switch"></span></button>`;
}

export function empty(sign, title, note) {
  return html`<div class="empty">${icon(sign)}<b>${title}</b><p>${note}</p></div>`;
}

export function backHeader(title, note = '') {
  return html`<button class="back" data-do="back" aria-label="${say('back')}">${icon('left')}</button><h1 class="cut">${title}</h1><span class="note">${note}</span>`;
}
