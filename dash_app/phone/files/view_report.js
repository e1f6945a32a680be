/* Reporting, in three steps: where, what, photographs. Every change is kept; a reload goes on where it stopped. */
import * as api from './api.js';
import * as drafts from './draft.js';
import { contentStep } from './report_content.js';
import { html, icon } from './html.js';
import { photoStep } from './report_photos.js';
import { placeStep } from './report_place.js';
import { sentPage } from './report_sent.js';
import { say } from './words.js';

const KEEP_AFTER_MS = 250;
let known = [];   /* the categories as last told: they change rarely, and there is not always a network */
const STEPS = { 1: placeStep, 2: contentStep, 3: photoStep };

export function reportView(app) {
  const account = () => app.me.principal.username;
  let timer = null;

  const report = {
    draft: drafts.fresh(),
    groups: known,
    failure: null,
    answer: null,

    /* Whether it is what the person looks at; what becomes of a report left while it is sent is told in passing. */
    seen: true,

    /* How many photographs are being made small: the report waits for them. */
    taking: 0,

    /* Whether the kept draft has been looked for: before that nothing may be begun. */
    loaded: false,

    /* Note a change; it is written a moment later, and before the page goes away. */
    change(values) {
      Object.assign(report.draft, values);
      clearTimeout(timer);
      timer = setTimeout(report.keep, KEEP_AFTER_MS);
    },

    keep() {
      clearTimeout(timer);
      timer = null;
      return drafts.keep(account(), report.draft);
    },

    step(number) {
      report.change({ step: number });
      report.keep();
      steps.forget();
      document.getElementById('view').scrollTop = 0;
      app.redraw();
    },

    /* Begin anew; the old draft is gone. */
    async restart() {
      await drafts.discard(account());
      report.draft = drafts.fresh();
      report.answer = null;
      steps.forget();
      app.redraw();
    },

    /* The categories by code, once they are here. */
    category: (code) => report.groups.flatMap((group) => group.categories).find((one) => one.code === code),
  };

  const made = {};
  const steps = {
    get now() { return (made[report.draft.step] ??= STEPS[report.draft.step](app, report)); },
    leave: () => Object.values(made).forEach((step) => step.leave && step.leave()),
    forget: () => { steps.leave(); Object.keys(made).forEach((name) => delete made[name]); },
  };

  const header = () => html`<button class="back" data-do="back" aria-label="${say('back')}">${icon('left')}</button><h1>${say('report.title')}</h1>
    <ol class="steps">${[1, 2, 3].map((number) => html`<li ${number === report.draft.step ? html`aria-current="step"` : ''}>${number} ${say('report.step' + number)}</li>`)}</ol>`;
  const flush = () => timer && report.keep();
  window.addEventListener('pagehide', flush);

  return {
    tab: 'report',

    async load() {
      if (!report.loaded) report.draft = { ...report.draft, ...(await drafts.load(account())) }; // an older draft lacks what has been added since
      report.loaded = true;
      try {
        report.failure = null;
        known = report.groups = await api.get('/api/v1/categories');
      } catch (error) {
        if (!(error instanceof api.Problem)) throw error;
        if (!report.groups.length) report.failure = error; // the place can be settled and the draft kept all the same
      }
    },

    draw() {
      if (report.answer) return sentPage(app, report.answer);
      return { title: say('report.title'), header: header(), tab: null, ...steps.now.draw() };
    },

    after: (main) => !report.answer && steps.now.after && steps.now.after(main),

    leave() {
      report.seen = false;
      flush();
      steps.leave();
      window.removeEventListener('pagehide', flush);
    },

    get actions() {
      return {
        back: () => (report.draft.step > 1 && !report.answer ? report.step(report.draft.step - 1) : app.go(app.home)),
        step: (button) => report.step(Number(button.dataset.to)),
        again: () => report.restart(),
        discard: () => app.ask(html`<h2>${say('draft.discard')}</h2><p class="s13 mid">${say('draft.discard_note')}</p><div class="bar"><button class="btn big" data-do="close">${say('cancel')}</button><button class="btn big primary grow" data-do="yes">${say('draft.discard_yes')}</button></div>`, {
          async yes() {
            app.closeSheet();
            await report.restart();
          },
        }),
        ...steps.now.actions,
      };
    },
  };
}
