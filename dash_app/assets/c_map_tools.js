/* What floats on the map: switches, controls, scale, popover, the time bar's drag, the row and marker pairing. */
(function () {
  'use strict';
  const cg = window.citygrid;
  const groups = cg.page.layers || {};

  function remembered() {
    try { return JSON.parse(localStorage.getItem('cg_layers') || '{}'); } catch { return {}; }
  }

  function show(group, on) {
    if (!cg.map) return;
    if (on) Object.entries(cg.page.fetched[group] || {}).forEach(([source, url]) => cg.map.fetchInto(source, url));
    (groups[group] || []).forEach((id) => cg.map.showLayer(id, on));
  }

  function dressSwitches() {
    const kept = remembered();
    for (const element of document.querySelectorAll('[data-layers]')) {
      const group = element.dataset.layers;
      const on = group in kept ? kept[group] : element.getAttribute('aria-checked') === 'true';
      element.setAttribute('aria-checked', String(on));
      show(group, on);
    }
  }

  document.addEventListener('cg:map-ready', dressSwitches);
  let folded = window.innerWidth >= 1280;   /* on a narrow screen the control begins as its heading */
  document.addEventListener('cg:patched', (event) => {
    if (event.detail.id !== 'layers') return;
    dressSwitches();
    const control = document.querySelector('.layers');
    if (!folded && control) control.open = !(folded = true);
  });

  document.addEventListener('click', (event) => {
    const toggle = event.target.closest('[data-layers]');
    if (toggle) {
      const on = toggle.getAttribute('aria-checked') !== 'true';
      toggle.setAttribute('aria-checked', String(on));
      localStorage.setItem('cg_layers', JSON.stringify({ ...remembered(), [toggle.dataset.layers]: on }));
      show(toggle.dataset.layers, on);
    }
    const control = event.target.closest('[data-map]');
    if (control && cg.map) tools[control.dataset.map](control);
    if (event.target.closest('[data-show-focus]') && cg.map && cg.map.props.focus) {
      const camera = cg.map.props.focus.camera;
      if (camera) cg.map.look({ ...camera, zoom: Math.max(camera.zoom || 0, 17) });
    }
  });

  const tools = {
    in: () => cg.map.map.zoomIn(),
    out: () => cg.map.map.zoomOut(),
    home: () => {
      const camera = cg.map.props.camera;
      if (camera.bounds) cg.map.map.fitBounds(camera.bounds, { padding: cg.insets(), duration: 450 });
    },
    measure: (button) => measure(button),
  };

  /* What of the map lies under the floats: they are where the style sheet puts them. */
  cg.insets = function () {
    const wide = window.innerWidth >= 1280, layers = document.querySelector('.layers'), bar = document.querySelector('.time-bar');
    const open = layers ? layers.open : wide, below = !bar || bar.offsetParent;
    return { top: wide ? 68 : 116, right: 64, bottom: below ? 132 : 44, left: open ? 276 : 24 };
  };

  /* ---- scale, position ------------------------------------------------------------------------ */
  const STEPS = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000];

  function distance(metres) {
    if (metres < 1000) return cg.say('map.metres', { n: Math.round(metres) });
    return cg.say('map.kilometres', { n: metres < 10000 ? (metres / 1000).toFixed(metres % 1000 ? 1 : 0) : Math.round(metres / 1000) });
  }

  document.addEventListener('cg:view', ({ detail }) => {
    const bar = document.querySelector('[data-scale-bar]'), text = document.querySelector('[data-scale-text]');
    if (!bar) return;
    const metres = STEPS.find((step) => step / detail.metresPerPixel >= 50) || STEPS[STEPS.length - 1];
    bar.style.width = Math.round(metres / detail.metresPerPixel) + 'px';
    text.textContent = distance(metres);
    for (const row of document.querySelectorAll('[data-from-zoom]')) {
      const far = detail.zoom < Number(row.dataset.fromZoom), note = row.querySelector('[data-far]');
      row.classList.toggle('far', far);
      if (note) note.hidden = !far;
    }
    position(detail.lon, detail.lat);
  });
  document.addEventListener('cg:pointer', ({ detail }) => position(detail.lon, detail.lat));

  function position(lon, lat) {
    const element = document.querySelector('[data-position]');
    if (element) element.textContent = `CGCS2000  ${lon.toFixed(5)}, ${lat.toFixed(5)}`;
  }

  /* ---- measuring ------------------------------------------------------------------------------- */
  let ruler = null;

  function measure(button) {
    if (ruler) return ruler.stop();
    const map = cg.map.map, points = [], markers = [];
    button.setAttribute('aria-pressed', 'true');
    map.getCanvas().style.cursor = 'crosshair';
    map.addSource('ruler', { type: 'geojson', data: line() });
    map.addLayer({
      id: 'ruler', type: 'line', source: 'ruler',
      paint: { 'line-color': getComputedStyle(document.documentElement).getPropertyValue('--cg-accent').trim(), 'line-width': 2, 'line-dasharray': [3, 2] },
    });
    function line() {
      return { type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: points.length > 1 ? points : [] } };
    }
    function mark(at, cls, text) {
      const element = Object.assign(document.createElement('div'), { className: cls, textContent: text || '' });
      markers.push(new cg.map.gl.Marker({ element }).setLngLat(at).addTo(map));
    }
    function add(event) {
      points.push(event.lngLat.toArray());
      mark(event.lngLat, 'measure-dot');
      let metres = 0;
      for (let i = 1; i < points.length; i++) {
        metres += cg.map.gl.LngLat.convert(points[i - 1]).distanceTo(cg.map.gl.LngLat.convert(points[i]));
      }
      if (points.length > 1) mark(event.lngLat, 'measure-label', distance(metres));
      map.getSource('ruler').setData(line());
    }
    map.on('click', add);
    ruler = {
      stop() {
        map.off('click', add);
        markers.forEach((marker) => marker.remove());
        if (map.getLayer('ruler')) { map.removeLayer('ruler'); map.removeSource('ruler'); }
        map.getCanvas().style.cursor = '';
        button.setAttribute('aria-pressed', 'false');
        ruler = null;
      },
    };
  }
  cg.measuring = () => ruler;

  /* ---- popover ---------------------------------------------------------------------------------- */
  const SHAPES = {
    in_time: '<circle r="11"/>',
    due_soon: '<path d="M0-13.5 13.5 0 0 13.5-13.5 0z"/>',
    overdue: '<path d="M-5.4-12.6H5.4L12.6-5.4V5.4L5.4 12.6H-5.4L-12.6 5.4V-5.4z"/>',
    paused: '<rect x="-10.5" y="-10.5" width="21" height="21" rx="3"/>',
    closed: '<circle r="11"/>',
  };
  const SIGNS = {
    overdue: '<path d="M0-6V1.5M0 6v.2" stroke-width="3"/>',
    paused: '<path d="M-3.5-4v8M3.5-4v8" stroke-width="2.8"/>',
    closed: '<path d="M-5 .4-1.6 4 5-3.6" stroke-width="2.6"/>',
  };

  cg.pill = function (clock, words, hollow) {
    const sign = hollow ? '' : SIGNS[clock] || '';
    return `<span class="pill c-${clock}"><svg class="shape c-${clock}${hollow ? ' hollow' : ''}" width="12" height="12" viewBox="-14 -14 28 28" aria-hidden="true"><g class="o">${SHAPES[clock]}</g><g class="k">${sign}</g></svg><span>${cg.escape(words)}</span></span>`;
  };

  cg.popover = function (feature) {
    if (ruler) return '';
    const p = feature.properties, layer = feature.layer.id;
    if (layer === 'open' || layer === 'focus-case') {
      const who = p.person
        ? `<span class="avatar small" style="width:24px;height:24px" aria-hidden="true">${cg.escape(p.person[0])}</span><span>${cg.escape(p.person)}</span>`
        : `<span class="accent bold">${cg.escape(cg.say('queue.unassigned'))}</span>`;
      return `<div class="row" style="justify-content:space-between"><span class="title cut">${cg.escape(p.title)}</span>${cg.pill(p.clock, p.left || cg.map.left.get(feature.id), p.hollow)}</div>` +
        `<div class="s12 mid cut" style="margin:3px 0 7px">${cg.escape(p.place || '')}</div><div class="row s12">${who}<span class="grow"></span><span class="mute">${cg.escape(p.stage)}</span></div>`;
    }
    if (layer === 'closed') {
      const title = (cg.page.language === 'en' && p.title_en) || p.title || p.number || '';
      return `<div class="row" style="justify-content:space-between"><span class="title cut">${cg.escape(title)}</span>${cg.pill('closed', cg.page.closed)}</div>`;
    }
    if (layer === 'shop' || layer === 'component') {
      const name = p.name || cg.page.components[p.kind] || p.kind || '';
      return `<span class="s12">${cg.escape(name)}${p.category ? ` <span class="mute">${cg.escape(p.category)}</span>` : ''}</span>`;
    }
    return '';
  };

  /* ---- the queue row and its marker ------------------------------------------------------------ */
  let lit = null;
  function light(id) {
    if (lit === id) return;
    if (lit !== null && cg.map) cg.map.highlight(lit, false);
    lit = id;
    if (lit !== null && cg.map) cg.map.highlight(lit, true);
  }
  document.addEventListener('mouseover', (event) => {
    const row = event.target.closest && event.target.closest('[data-incident]');
    light(row ? Number(row.dataset.incident) : null);
  });
  document.addEventListener('cg:hover', ({ detail }) => {
    for (const row of document.querySelectorAll('.q-row.lit')) row.classList.remove('lit');
    if (detail.feature && detail.feature.source === 'open') {
      const row = document.querySelector(`#queue [data-incident="${detail.feature.id}"]`);
      if (row) row.classList.add('lit');
    }
  });
  document.addEventListener('click', (event) => {
    const due = event.target.closest && event.target.closest('.time-chart [data-incident]');
    if (due) cg.choose('incident', due.dataset.incident);
  });

  /* ---- the time bar: drag to select ------------------------------------------------------------- */
  document.addEventListener('pointerdown', (event) => {
    const chart = event.target.closest && event.target.closest('.time-chart');
    if (!chart || event.button || event.target.closest('[data-incident]')) return;
    const box = chart.getBoundingClientRect(), from = Date.parse(chart.dataset.from), to = Date.parse(chart.dataset.to);
    const step = Number(chart.dataset.step) * 1000;
    const start = event.clientX;
    const shade = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    shade.setAttribute('class', 'picked');
    shade.setAttribute('height', 44);
    chart.append(shade);
    chart.setPointerCapture(event.pointerId);
    const share = (x) => Math.min(Math.max((x - box.left) / box.width, 0), 1);
    function drag(move) {
      const a = share(Math.min(start, move.clientX)), b = share(Math.max(start, move.clientX));
      shade.setAttribute('x', a * 100 + '%');
      shade.setAttribute('width', (b - a) * 100 + '%');
    }
    function drop(up) {
      chart.removeEventListener('pointermove', drag);
      shade.remove();
      if (Math.abs(up.clientX - start) < 5) return;
      const snap = (x, round) => new Date(from + round(((share(x) * (to - from)) / step)) * step).toISOString().replace('.000Z', '+00:00');
      const a = snap(Math.min(start, up.clientX), Math.floor), b = snap(Math.max(start, up.clientX), Math.ceil);
      cg.go(cg.address({ from: a, to: b, when: '', incident: '', cell: '', building: '', shop: '', component: '', tab: 'all' }, '/'));
    }
    chart.addEventListener('pointermove', drag);
    chart.addEventListener('pointerup', drop, { once: true });
  });

  /* ---- what a click on the map opens ------------------------------------------------------------ */
  const OPENS = {
    open: 'incident', 'open-stack': 'incident', 'focus-case': 'incident', closed: 'incident', shop: 'shop', 'shop-label': 'shop', component: 'component',
    building: 'building', 'building-number': 'building', 'cell-fill': 'cell',
    strip: 'strip', exception: 'exception', 'exception-line': 'exception',
  };
  /* Which page one is on, in the rail; the rail itself is written by the server, which does not care. */
  function markPage() {
    const here = location.pathname === '/' ? 'map' : location.pathname.slice(1);
    for (const link of document.querySelectorAll('[data-page]')) {
      if (link.dataset.page === here) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }
  document.addEventListener('cg:patched', (event) => { if (event.detail.id === 'rail') markPage(); });

  let tableAsked = false;
  window.dash_clientside = Object.assign(window.dash_clientside || {}, {
    citygrid: {
      clicked(click) {
        if (click && !ruler && !cg.picking && click.layer && OPENS[click.layer]) {
          const tower = click.layer === 'open-stack' && click.properties.building;
          const kind = tower ? 'building' : OPENS[click.layer];
          const id = tower ? click.properties.building : kind === 'cell' ? click.properties.code : click.layer === 'focus-case' ? click.properties.incident : click.id;
          if (id !== null && id !== undefined) cg.choose(kind, id);
        }
        return window.dash_clientside.no_update;
      },
      filterOf(search, pathname) {
        const query = new URLSearchParams(search || '');
        [...cg.choices, 'door'].forEach((name) => query.delete(name));
        return query.toString();
      },
      /* Shows the page of an address. The case page's table is asked for once, when its library is there. */
      async pageOf(pathname) {
        const list = pathname === '/cases';
        document.documentElement.classList.toggle('on-cases', list);
        markPage();
        if (!list || tableAsked) return window.dash_clientside.no_update;
        tableAsked = true;
        await cg.load(cg.page.scripts.table);
        return pathname;
      },
      /* The filter whose cases are to be listed; nothing while the case page is not looked at. */
      askCases(filter, live, table, pathname) {
        const looking = pathname === '/cases' && table;
        return looking ? { query: filter || '', at: Date.now() } : window.dash_clientside.no_update;
      },
    },
  });
})();
