/* What happens elsewhere arrives here: one event stream, one refresh, a ring, a tag, a sound one can mute. */
(function () {
  'use strict';
  const cg = window.citygrid;
  if (!cg.page.live) return;
  const NEW_FOR_MS = 60000, AT_MOST_EVERY_MS = 800;
  const fresh = new Map();
  let last = 0, waiting = null, stream = null, retry = 1000;

  /* Ask the server for the present state, at most about once a second. */
  function refresh(reason) {
    const wait = Math.max(0, last + AT_MOST_EVERY_MS - Date.now());
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (!document.getElementById('queue')) return;   /* still coming together, and it asks by itself then */
      last = Date.now();
      window.dash_clientside.set_props('live', { data: { at: last, ...reason } });
    }, wait);
  }
  cg.refresh = refresh;

  function connect() {
    stream = new EventSource('/api/v1/stream');
    stream.addEventListener('open', () => {
      if (retry > 1000) refresh({ why: 'reconnected' });
      retry = 1000;
      sign(true);
    });
    stream.addEventListener('incident', (event) => arrived(JSON.parse(event.data)));
    stream.addEventListener('error', () => {
      sign(false);
      if (stream.readyState === EventSource.CLOSED) {
        setTimeout(connect, retry);
        retry = Math.min(retry * 2, 30000);
      }
    });
  }

  function sign(up) {
    for (const element of document.querySelectorAll('[data-live-sign]')) {
      element.classList.toggle('broken', !up);
      element.querySelector('[data-live-word]').textContent = cg.say(up ? 'head.live' : 'head.offline');
      element.querySelector('[data-live-clock]').hidden = !up;
    }
  }

  function arrived(event) {
    refresh({ why: 'event', id: event.id });
    if (event.move !== 'report') return;
    fresh.set(String(event.id), Date.now());
    if (cg.map && event.lon !== undefined && event.lon !== null) cg.map.ring(event.lon, event.lat);
    cg.announce(cg.say('live.new', { title: event.title || event.id }), false);
    if (localStorage.getItem('cg_sound') === 'on') chime();
    setTimeout(tagNew, NEW_FOR_MS + 500);
  }

  /* The 新 tag, for a minute. */
  function tagNew() {
    for (const [id, at] of fresh) {
      const row = document.querySelector(`#queue [data-incident="${id}"] [data-title]`);
      const old = row && row.querySelector('.new');
      if (Date.now() - at > NEW_FOR_MS) {
        fresh.delete(id);
        if (old) old.remove();
      } else if (row && !old) {
        row.append(Object.assign(document.createElement('span'), { className: 'new', textContent: cg.say('queue.new') }));
      }
    }
  }

  /* Two soft notes, made here: no sound file, and nothing at all unless somebody asked for it. */
  function chime() {
    const audio = new (window.AudioContext || window.webkitAudioContext)();
    [[660, 0], [880, 0.16]].forEach(([pitch, at]) => {
      const note = audio.createOscillator(), volume = audio.createGain();
      note.frequency.value = pitch;
      volume.gain.setValueAtTime(0, audio.currentTime + at);
      volume.gain.linearRampToValueAtTime(0.12, audio.currentTime + at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + at + 0.3);
      note.connect(volume).connect(audio.destination);
      note.start(audio.currentTime + at);
      note.stop(audio.currentTime + at + 0.32);
    });
    setTimeout(() => audio.close(), 900);
  }

  function showSound() {
    const on = localStorage.getItem('cg_sound') === 'on';
    for (const element of document.querySelectorAll('[data-sound]')) element.setAttribute('aria-checked', String(on));
  }

  document.addEventListener('click', (event) => {
    if (!event.target.closest('[data-sound]')) return;
    const on = localStorage.getItem('cg_sound') !== 'on';
    localStorage.setItem('cg_sound', on ? 'on' : 'off');
    showSound();
    if (on) chime();
  });

  /* The clock in the head ticks each second; pills tick each minute, with the server's own arithmetic. */
  const zone = cg.page.timezone;
  const format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', second: '2-digit' });
  function tick() {
    const text = format.format(new Date());
    for (const element of document.querySelectorAll('[data-live-clock]')) element.textContent = text;
  }
  function everyMinute() {
    refresh({ why: 'minute' });
    setTimeout(everyMinute, 60000 - (Date.now() % 60000) + 300);
  }

  document.addEventListener('cg:patched', (event) => {
    if (event.detail.id === 'queue') tagNew();
    if (event.detail.id === 'head') tick();
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && Date.now() - last > 60000) refresh({ why: 'visible' });
  });
  setInterval(tick, 1000);
  setTimeout(everyMinute, 60000 - (Date.now() % 60000) + 300);
  const started = new MutationObserver(() => {
    if (!document.getElementById('queue')) return;
    started.disconnect();
    showSound();
    connect();
  });
  started.observe(document.body, { childList: true, subtree: true });
})();
