/* Replay: the map as it was at a past minute. A band says so all the while, one click leads back to now, and
   what arrives meanwhile does not disturb the past. */
(function () {
  'use strict';
  const cg = window.citygrid, MINUTE = 60000, PACE_MS = 700;
  let moment = null, step = 10, playing = null, asked = 0;

  const controls = () => document.querySelector('.replay');
  const chart = () => document.querySelector('.time-chart');
  const floor = () => Date.parse(chart().dataset.from);
  const ceiling = () => Math.min(Date.now(), Date.parse(chart().dataset.to));
  const whole = (at) => Math.floor(at / MINUTE) * MINUTE;

  function band() {
    let found = document.querySelector('.past-band');
    if (!found) {
      found = Object.assign(document.createElement('div'), { className: 'past-band' });
      found.setAttribute('role', 'status');
      const back = Object.assign(document.createElement('button'), { type: 'button', className: 'btn', textContent: cg.say('replay.back') });
      back.dataset.replay = 'back';
      found.append(Object.assign(document.createElement('b')), document.createElement('span'), back);
      document.querySelector('.desk').append(found);
    }
    return found;
  }

  /* Where the moment stands: the slider, and a line over the bars. */
  function place() {
    const range = controls().querySelector('[data-moment]'), bars = chart();
    range.max = Math.max(1, Math.round((ceiling() - floor()) / MINUTE));
    range.value = Math.round((moment - floor()) / MINUTE);
    let line = bars.querySelector('.replay-line');
    if (!line) {
      line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
      line.setAttribute('class', 'replay-line');
      line.setAttribute('y1', 0);
      line.setAttribute('y2', 44);
      bars.append(line);
    }
    const share = ((moment - floor()) / (Date.parse(bars.dataset.to) - floor())) * 100;
    line.setAttribute('x1', share + '%');
    line.setAttribute('x2', share + '%');
  }

  async function show(at) {
    moment = Math.min(Math.max(whole(at), floor()), whole(ceiling()));
    place();
    const mine = ++asked, query = new URLSearchParams(location.search);
    query.set('at', new Date(moment).toISOString().replace('.000Z', '+00:00'));
    let answer;
    try {
      const reply = await fetch('/replay.json?' + query, { headers: { 'Accept-Language': cg.page.language } });
      if (!reply.ok) throw new Error(reply.status);
      answer = await reply.json();
    } catch {
      if (mine === asked) { pause(); cg.toast(cg.say('replay.failed')); }
      return;
    }
    if (mine !== asked || moment === null) return;   /* a later question, or back to now already */
    cg.map.replay(answer.cases);
    const [when, counts] = band().children;
    when.textContent = `${cg.say('replay.past')} ${answer.words}`;
    counts.textContent = cg.say('replay.counts', answer.counts);
    controls().querySelector('output').textContent = answer.words;
  }

  function start(at) {
    if (!cg.map) return;
    document.documentElement.classList.add('on-replay');
    controls().hidden = false;
    show(at === undefined ? Math.max(floor(), ceiling() - 60 * MINUTE) : at);
  }

  function leave() {
    pause();
    moment = null;
    asked++;
    document.documentElement.classList.remove('on-replay');
    controls().hidden = true;
    const line = chart().querySelector('.replay-line'), told = document.querySelector('.past-band');
    if (line) line.remove();
    if (told) told.remove();
    cg.map.replay(null);
  }

  function sign() {
    const button = controls().querySelector('[data-replay=play]'), name = playing ? 'pause' : 'play';
    button.querySelector('use').setAttribute('href', '#i-' + name);
    button.setAttribute('aria-label', cg.say('replay.' + name));
    button.title = cg.say('replay.' + name);
  }

  function pause() {
    clearTimeout(playing);
    playing = null;
    sign();
  }

  async function play() {
    playing = playing || true;
    sign();
    await show(moment + step * MINUTE);
    if (!playing) return;
    if (moment >= whole(ceiling())) return pause();
    playing = setTimeout(play, PACE_MS);
  }

  const acts = {
    start: () => start(),
    back: leave,
    play: () => (playing ? pause() : play()),
    earlier: () => { pause(); show(moment - step * MINUTE); },
    later: () => { pause(); show(moment + step * MINUTE); },
  };

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-replay]'), pace = event.target.closest('[data-step]');
    if (button) acts[button.dataset.replay]();
    if (!pace) return;
    step = Number(pace.dataset.step);
    for (const other of pace.parentElement.children) other.setAttribute('aria-pressed', String(other === pace));
  });
  document.addEventListener('input', (event) => {
    if (!event.target.matches || !event.target.matches('[data-moment]')) return;
    pause();
    show(floor() + Number(event.target.value) * MINUTE);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && moment !== null) leave();
  });
  /* The time bar is written anew every minute and with every filter: the line is put back, the past asked again. */
  document.addEventListener('cg:patched', (event) => { if (event.detail.id === 'time-bar' && moment !== null) place(); });
  document.addEventListener('cg:address', () => { if (moment !== null) show(moment); });
  document.addEventListener('cg:map-ready', () => { if (moment !== null) show(moment); });
})();
