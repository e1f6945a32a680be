/* The evaluation page: the map is shaded here; everything else is an address. */
(function () {
  'use strict';
  const page = window.citygrid.page;
  const root = document.documentElement, holder = document.querySelector('[data-shade]');
  const tip = document.querySelector('[data-tip]');

  document.addEventListener('click', (event) => { if (event.target.closest('[data-print]')) window.print(); });

  /* ---- the map ------------------------------------------------------------------------------------ */
  const theme = root.dataset.theme === 'dark' ? 'dark' : 'light';
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const shades = [0, 1, 2, 3, 4].map((n) => colour(`--shade-${n}`));

  function hatching() {
    const canvas = Object.assign(document.createElement('canvas'), { width: 12, height: 12 });
    const pen = canvas.getContext('2d');
    pen.strokeStyle = colour('--cg-ink3');
    pen.lineWidth = 1.4;
    for (const x of [-12, 0, 12]) {
      pen.beginPath();
      pen.moveTo(x, 12);
      pen.lineTo(x + 12, 0);
      pen.stroke();
    }
    return pen.getImageData(0, 0, 12, 12);
  }

  const known = ['>=', ['get', 'class'], 0], lit = ['boolean', ['feature-state', 'lit'], false];

  function shade(map, shapes) {
    const style = map.getStyle().layers, under = (style.find((layer) => layer.id.startsWith('road-')) || {}).id;
    map.addImage('hatching', hatching(), { pixelRatio: 2 });
    map.addSource('shade', { type: 'geojson', data: shapes });
    map.addLayer({
      id: 'shade', type: 'fill', source: 'shade', filter: known,
      paint: { 'fill-color': ['match', ['get', 'class'], 0, shades[0], 1, shades[1], 2, shades[2], 3, shades[3], shades[4]], 'fill-opacity': theme === 'dark' ? 0.7 : 0.76, 'fill-antialias': false },
    }, under);
    map.addLayer({ id: 'shade-none', type: 'fill', source: 'shade', filter: ['!', known], paint: { 'fill-pattern': 'hatching', 'fill-opacity': 0.45 } }, under);
    map.addLayer({ id: 'shade-edge', type: 'line', source: 'shade', paint: { 'line-color': colour('--cg-ink2'), 'line-width': ['case', lit, 2.4, 0.7], 'line-opacity': ['case', lit, 0.95, 0.45] } });
  }

  function pair(map) {
    const rows = new Map([...document.querySelectorAll('.lines [data-code]')].map((row) => [row.dataset.code, row]));
    let here = null;
    function light(feature) {
      if ((feature && feature.id) === (here && here.id)) return;
      for (const [one, on] of [[here, false], [feature, true]]) {
        if (!one) continue;
        map.setFeatureState({ source: 'shade', id: one.id }, { lit: on });
        const row = rows.get(one.properties.code);
        if (row) row.classList.toggle('lit', on);
      }
      here = feature;
      tip.hidden = !feature;
      if (feature) {
        const p = feature.properties;
        tip.replaceChildren(Object.assign(document.createElement('b'), { textContent: p.name }), `${p.rate}  ${p.figures}`.trim());
      }
    }
    function find(event) {
      return map.queryRenderedFeatures(event.point, { layers: ['shade', 'shade-none'] })[0] || null;
    }
    map.on('mousemove', (event) => {
      light(find(event));
      tip.style.left = Math.min(event.point.x + 14, holder.clientWidth - 190) + 'px';
      tip.style.top = Math.max(event.point.y - 54, 6) + 'px';
      map.getCanvas().style.cursor = here && page.drill ? 'pointer' : '';
    });
    map.getCanvas().addEventListener('mouseleave', () => light(null));
    map.on('click', (event) => {
      const feature = find(event);
      if (!feature || !page.drill) return;
      const address = new URLSearchParams(location.search);
      ['part', 'code', 'by'].forEach((name) => address.delete(name));
      address.set('territory', feature.properties.code);
      location.search = address;
    });
    document.addEventListener('mouseover', (event) => {
      const row = event.target.closest && event.target.closest('.lines [data-code]');
      if (!row) return;
      const feature = map.querySourceFeatures('shade').find((one) => one.properties.code === row.dataset.code);
      light(feature || null);
      tip.hidden = true;
    });
  }

  async function draw() {
    const latitude = Math.round(page.bounds[1]);
    const sheet = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: page.engine.css });
    document.head.append(sheet);
    const [gl, style, shapes] = await Promise.all([
      import(page.engine.js),
      fetch(`/map/style/${theme}/${page.language}.json?latitude=${latitude}`).then((answer) => answer.json()),
      fetch(page.shapes).then((answer) => answer.json()),
    ]);
    style.layers = style.layers.filter((layer) => !['open', 'closed', 'focus'].includes(layer.source));
    const map = new gl.Map({
      container: holder, style, bounds: page.bounds, fitBoundsOptions: { padding: { top: 18, right: 18, bottom: 112, left: 18 } }, attributionControl: false,
      dragRotate: false, pitchWithRotate: false, maxPitch: 0, minZoom: 8, maxZoom: 18, fadeDuration: 0,
      transformRequest: (url) => ({ url: new URL(url, location.href).href }),
    });
    holder._map = map;
    map.on('load', () => { shade(map, shapes); pair(map); });
    map.once('idle', () => { holder.dataset.ready = '1'; });
  }

  /* ---- the weeks: most of the counting, so they come when the rest stands ---------------------------- */
  async function drawWeeks() {
    const drawn = await fetch(page.weeks).then((answer) => answer.json());
    const put = (cell, picture) => { if (cell && picture) cell.innerHTML = picture; };
    for (const cell of document.querySelectorAll('[data-weeks]')) put(cell, drawn.indicators[cell.dataset.weeks]);
    for (const row of document.querySelectorAll('.lines [data-code]')) put(row.querySelector('.c-weeks'), drawn.lines[row.dataset.code]);
  }

  const mapped = page.bounds && holder ? draw().catch((problem) => console.warn('map:', problem)) : Promise.resolve();
  mapped.then(drawWeeks).catch((problem) => console.warn('weeks:', problem));
})();
