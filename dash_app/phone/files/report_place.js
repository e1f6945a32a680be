/* Where it is: by GPS or by a tap. The answer tells who will have it; if two cells are likely, one question. */
import * as api from './api.js';
import * as map from './map.js';
import * as position from './position.js';
import { html, icon } from './html.js';
import { page } from './page.js';
import { person, problem, reason } from './parts.js';
import { sharedBorder, sidesAt } from './sides.js';
import { metresBetween } from './times.js';
import { say } from './words.js';

const TAP_ACCURACY_M = 5;
/* Below this the two likeliest cells together are not even likely: choosing between them would be a guess. */
const WORTH_ASKING = 0.5;
/* A circle this wide is shown from so far that no finger finds a door. */
const HARD_TO_POINT_M = 150;
const outlines = new Map();

/* A fix by GPS is WGS 84 and good to 95 %, as browsers promise; a finger on our map is CGCS2000. */
const byGps = ({ lon, lat, accuracy }) => ({ lon, lat, crs: 'EPSG:4326', accuracy_m: accuracy, accuracy_level: 95, by: 'gps' });
const byTap = ({ lng, lat }) => ({ lon: lng, lat, crs: 'EPSG:4490', accuracy_m: TAP_ACCURACY_M, accuracy_level: 95, by: 'tap' });

async function outlineOf(code) {
  if (!outlines.has(code)) {
    const found = await api.get('/api/v1/layers/cells/features', { code, kind: 'social', limit: 1 });
    if (found.features.length) outlines.set(code, found.features[0].geometry);
  }
  return outlines.get(code);
}

export function placeStep(app, report) {
  let answer = null, failure = null, asked = 0, sides = null, looked = null, settling = false, renewed = false;
  const stopMoving = position.onMove(() => {
    if (!report.draft.fix) app.redraw();
    else if (isBetter(position.here())) settle(byGps(position.here()));
  });

  /* The fix of this minute, found again more exactly: within its own circle, and before anybody has chosen. */
  function isBetter(at) {
    const { fix, chosen } = report.draft;
    return settling && fix.by === 'gps' && !chosen && at && at.accuracy < fix.accuracy_m && metresBetween(at, fix) <= fix.accuracy_m;
  }

  async function settle(fix) {
    settling = fix.by === 'gps';
    report.change({ fix, chosen: null });
    answer = failure = sides = null;
    app.redraw();
    await ask();
  }

  /* Who answers here? The last question asked is the one whose answer counts. */
  async function ask() {
    const mine = ++asked, { fix, chosen } = report.draft;
    const { by, ...query } = fix;
    try {
      const said = await api.get('/api/v1/responsible', { ...query, chosen_cell: chosen });
      const codes = [said.cell_code, said.second_cell].filter(Boolean);
      const shapes = await Promise.all(codes.map(outlineOf));
      if (mine !== asked) return;
      answer = { ...said, shapes };
      sides = shapes.length === 2 && shapes.every(Boolean) ? sidesAt(fix, ...shapes) : null;
    } catch (error) {
      if (mine !== asked) return;
      if (!(error instanceof api.Problem)) throw error;
      failure = error;
    }
    app.redraw();
  }

  const open = () => answer && sides && !report.draft.chosen && answer.ask;
  const vague = () => open() && answer.confidence + answer.second_confidence < WORTH_ASKING;
  const unsure = () => open() && !vague();
  const candidates = () => [
    { code: answer.cell_code, name: answer.cell_name, person: answer.member, sure: answer.confidence, side: sides[0] },
    { code: answer.second_cell, name: answer.second_cell_name, person: answer.second_member, sure: answer.second_confidence, side: sides[1] },
  ].map((one, i) => ({ ...one, tone: i + 1 }));
  /* West before east, north before south: as on the map. */
  const inOrder = () => candidates().sort((a, b) => a.side.at.lon - b.side.at.lon);

  function question() {
    const [first, second] = inOrder(), road = answer.building_id === null && answer.place;
    const name = (side) => say((road ? 'side.road_' : 'side.') + side);
    return html`<h2>${say('side.question', { a: name(first.side.name), b: name(second.side.name) })}</h2>
      <p class="s13 mid">${say('side.note')}</p>
      <div class="choices">${[first, second].map((one) => html`<button class="candidate tone-${one.tone}" data-do="choose" data-cell="${one.code}">
        <span class="row"><i class="letter">${say('side.letter_' + one.side.name)}</i><b class="grow">${name(one.side.name)}</b><span class="s13 mute">${say('sure', { p: Math.round(one.sure * 100) })}</span></span>
        <span>${one.name}</span><span class="s13 mute">${one.person ? `${one.person.name} · ${say(one.person.on_duty ? 'duty.on' : 'duty.off')}` : say('report.nobody')}</span></button>`)}</div>
      <button class="btn big wide" data-do="point">${icon('target')}${say('side.point')}</button>
      <button class="link centre" data-do="either">${say('side.unsure', { cell: answer.cell_name })}</button>`;
  }

  /* The circle covers so many cells that naming two of them would only mislead. */
  function tooWide() {
    return html`<h2>${say('report.vague', { n: report.draft.fix.accuracy_m })}</h2><p class="s13 mid">${say('report.vague_note')}</p>
      <button class="btn big wide" data-do="point">${icon('target')}${say('side.point')}</button>
      <button class="link centre" data-do="either">${say('side.unsure', { cell: answer.cell_name })}</button>`;
  }

  /* Without the server one goes on: the place is kept with the draft, and who answers is settled on sending. */
  function unanswered() {
    if (!api.unreachable(failure)) return html`${problem(failure)}<button class="btn big wide" data-do="point">${icon('target')}${say('side.point')}</button>`;
    return html`${problem(failure)}<p class="s13 mid">${say('report.later')}</p>
      <div class="row"><button class="btn big" data-do="ask">${say('error.retry')}</button><button class="btn big primary grow" data-do="step" data-to="2">${say('report.next')}</button></div>`;
  }

  function found() {
    const note = [answer.cell_name, answer.member && say(answer.member.on_duty ? 'duty.on' : 'duty.off')].filter(Boolean).join(' · ');
    return html`<h2>${say('report.who')}</h2>
      ${answer.member ? person(answer.member, [say('role.' + answer.member.post)], note) : html`<p>${say('report.nobody')}</p>`}
      ${reason(answer, page.language)}
      <p class="s13 mute">${say('report.tap_hint')}</p>
      <button class="btn big primary wide" data-do="step" data-to="2">${say('report.next')}</button>`;
  }

  function sheet() {
    const { fix } = report.draft;
    if (failure) return unanswered();
    if (!fix) return html`<h2>${say('report.where')}</h2><p class="s13 mid">${say(position.isRefused() ? 'report.tap_only' : 'report.locating')}</p>`;
    if (!answer) return html`<h2>${say('report.asking')}</h2><div class="waiting"></div>`;
    return vague() ? tooWide() : unsure() ? question() : found();
  }

  function draw() {
    return {
      cls: 'on-map',
      body: html`<div class="map-back" data-map></div>
        <button class="map-button" data-do="locate" aria-label="${say('report.locate')}">${icon('locate')}</button>
        <div class="sheet" data-sheet data-keep="place"><div class="grab"></div>${sheet()}</div>`,
      foot: ' ',
    };
  }

  async function after(main) {
    const { fix } = report.draft, holder = main.querySelector('[data-map]');
    // Neither the place nor the question who answers waits for the map, which a slow network brings last.
    if (!fix && report.loaded) {
      if (position.fresh()) return settle(byGps(position.fresh()));
      if (!renewed) position.renew();
      renewed = true;
    }
    if (fix && !answer && !failure && !asked) return ask();
    if (!(await map.attach(holder, fix || position.here() || page.middle, (event) => settle(byTap(event.lngLat))))) return;
    map.show('focus', answer && !unsure() && answer.shapes[0] ? [map.feature(answer.shapes[0], { role: 'cell' })] : []);
    map.show('fix', fix ? [map.feature(map.circle(fix, fix.accuracy_m)), map.point(fix)] : []);
    map.show('candidates', unsure() ? [
      ...candidates().map((one, i) => map.feature(answer.shapes[i], { side: one.tone === 1 ? 1 : 2 })),
      ...sharedBorder(...answer.shapes).map((line) => map.feature(line)),
    ] : []);
    map.label([...(fix && fix.by === 'gps' ? [accuracyLabel(fix)] : []), ...(unsure() ? candidates().map(letter) : [])]);
    view(main, fix);
  }

  /* Look where the fix is, above the sheet; wider when two cells are to be told apart. */
  function view(main, fix) {
    const key = JSON.stringify([fix, Boolean(unsure())]);
    if (looked === key) return;
    const still = looked === null;
    looked = key;
    const padding = { top: 24, left: 24, right: 24, bottom: main.querySelector('[data-sheet]').offsetHeight + 24 };
    if (!fix) {
      const [cell] = app.cells;
      if (cell) map.look({ bounds: map.boundsOf([cell.geometry]), padding, zoom: 17, still: true });
      return;
    }
    const reach = Math.max(fix.accuracy_m * 1.8, unsure() ? 70 : 45);
    map.look({ bounds: map.boundsOf([map.circle(fix, reach)]), padding, zoom: 18.2, still });
  }

  const accuracyLabel = (fix) => ({
    at: { lon: fix.lon, lat: fix.lat + (fix.accuracy_m + 1) / 111320 },
    anchor: 'bottom',
    element: Object.assign(document.createElement('div'), { className: 'map-note', textContent: say('report.accuracy', { n: fix.accuracy_m }) }),
  });
  const letter = (one) => ({
    at: one.side.at,
    element: Object.assign(document.createElement('div'), { className: `letter on-map tone-${one.tone}`, textContent: say('side.letter_' + one.side.name) }),
  });

  return {
    draw,
    after,
    leave() {
      stopMoving();
      map.clear();
    },
    actions: {
      locate() {
        if (position.isRefused()) return app.toast(say('position.refused'));
        if (position.fresh()) return settle(byGps(position.fresh()));
        report.change({ fix: null, chosen: null });
        answer = failure = null;
        renewed = false;
        app.redraw();
      },
      ask() {
        failure = null;
        app.redraw();
        return ask();
      },
      point() {
        const { fix } = report.draft;
        if (fix && fix.accuracy_m > HARD_TO_POINT_M) map.look({ at: fix, zoom: 17 });
        app.toast(say('report.tap'));
      },
      async choose(button) {
        report.change({ chosen: button.dataset.cell });
        answer = null;
        app.redraw();
        await ask();
      },
      /* Cannot tell: the likelier one gets it and may hand it on. */
      either() {
        report.change({ chosen: null });
        report.step(2);
      },
    },
  };
}
