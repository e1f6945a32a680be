/* What the category of a report asks besides: words and numbers are typed, the rest is tapped. */
import { html } from './html.js';
import { either, say } from './words.js';

export function questions(app, report) {
  const wanted = () => (report.draft.category && report.category(report.draft.category) || {}).questions || [];
  const given = (one) => (report.draft.answers || {})[one.key];

  function choices(one) {
    if (one.kind === 'yes_no') return [[true, say('yes')], [false, say('no')]];
    return one.kind === 'choice' ? one.options.map((option) => [option.zh, either(option.zh, option.en)]) : null;
  }

  function field(one) {
    const title = html`<span>${either(one.zh, one.en)}${one.required ? '' : html` <span class="mute">${say('report.optional')}</span>`}</span>`, offered = choices(one);
    if (!offered) return html`<label class="field">${title}<input data-input="typed" data-key="${one.key}" data-kind="${one.kind}" maxlength="200" ${one.kind === 'number' ? html`inputmode="decimal"` : ''} value="${given(one) ?? ''}" autocomplete="off"></label>`;
    return html`<div class="field">${title}<div class="chips" role="radiogroup" aria-label="${either(one.zh, one.en)}">${offered.map(([value, words]) => html`<button type="button" class="choice" role="radio" aria-checked="${String(given(one) === value)}" data-do="answer" data-key="${one.key}" data-value="${JSON.stringify(value)}">${words}</button>`)}</div></div>`;
  }

  /* An empty answer is none; so is a number that is no number. */
  function keep(key, value) {
    const { [key]: before, ...others } = report.draft.answers || {};
    report.change({ answers: value === '' || Number.isNaN(value) ? others : { ...others, [key]: value } });
  }

  const ready = () => wanted().every((one) => !one.required || given(one) !== undefined);

  return {
    draw: () => wanted().map(field),
    ready,
    actions: {
      answer(button) {
        keep(button.dataset.key, JSON.parse(button.dataset.value));
        app.redraw();
      },
      typed(box) {
        const text = box.value.trim();
        keep(box.dataset.key, text && box.dataset.kind === 'number' ? Number(text.replace(',', '.')) : text);
        document.querySelector('#foot .primary').disabled = !ready();
      },
    },
  };
}
