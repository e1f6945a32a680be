/* MapView: MapLibre as a Dash component, no build step.
 *
 * The component knows nothing of panels: it draws, tells what was clicked, and announces the pointer and the
 * view as events on the document (cg:pointer, cg:view, cg:map-ready) for whoever floats beside it.
 */
(function () {
  'use strict';
  const R = window.React;
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
  const FLIGHT_MS = 450, FLIGHT_LIMIT_M = 2000;
  const RING = 'open-ring';   /* comes with the first hover: its shaders are not for the first picture */
  let engine = null;

  function loadEngine(where) {
    if (!engine) {
      engine = import(where.js).then((gl) => {
        gl.prewarm();   /* its worker reads its own script while the page still comes together */
        return gl;
      });
    }
    return engine;
  }

  function theme() {
    return document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light';
  }

  /* How much of each side of the map lies under something that floats; whoever floats there says so. */
  function insets() {
    return window.citygrid.insets ? window.citygrid.insets() : { top: 24, right: 24, bottom: 24, left: 24 };
  }

  function say(name, detail) {
    document.dispatchEvent(new CustomEvent('cg:' + name, { detail }));
  }

  /* What changed between two lots of features, as MapLibre's updateData wants it. The time left is no part of a
     picture: it changes with every minute, and each change lays all of them out anew. */
  function difference(known, features) {
    const add = [], seen = new Set();
    for (const whole of features) {
      const { left, ...properties } = whole.properties, feature = { ...whole, properties };
      const text = JSON.stringify(feature);
      seen.add(feature.id);
      if (known.get(feature.id) !== text) add.push(feature);
      known.set(feature.id, text);
    }
    const remove = [...known.keys()].filter((id) => !seen.has(id));
    remove.forEach((id) => known.delete(id));
    return { add, remove };
  }

  class View {
    constructor(gl, container, style, props) {
      this.gl = gl;
      this.props = props;
      this.container = container;
      this.known = new Map();
      this.left = new Map();   /* the time left of each open case, in words */
      this.hovered = null;
      this.hidden = new Set();
      this.fetched = new Map();
      const camera = props.camera || {};
      this.map = new gl.Map({
        container,
        style: this.withCases(style),
        attributionControl: false,
        dragRotate: false,
        pitchWithRotate: false,
        touchPitch: false,
        maxPitch: 0,
        minZoom: 8,
        maxZoom: 20,
        fadeDuration: 0,
        transformRequest: (url) => ({ url: new URL(url, location.href).href }),
        ...(camera.bounds
          ? { bounds: camera.bounds, fitBoundsOptions: { padding: insets() } }
          : { center: camera.center || [113.1, 23.0], zoom: camera.zoom || 14 }),
      });
      container._map = this.map;
      this.map.touchZoomRotate.disableRotation();
      this.map.keyboard.disableRotation();
      this.listen();
    }

    listen() {
      const map = this.map;
      map.setMissingStyleImageResolver((id) => {
        const image = window.citygrid.markers.draw(id);
        if (image && !map.hasImage(id)) map.addImage(id, image.data, { pixelRatio: image.pixelRatio });
      });
      map.on('style.load', () => this.dress());
      map.on('error', (event) => {
        const status = event.error && event.error.status;
        if (status === 401) say('signed-out', {});
        else if (status !== 404) console.warn('map:', event.error && event.error.message);
      });
      map.on('idle', () => this.settle());
      map.on('move', () => this.announce());
      map.on('load', () => this.announce());
      map.on('click', (event) => this.clicked(event));
      let frame = 0;
      map.on('mousemove', (event) => {
        say('pointer', { lon: event.lngLat.lng, lat: event.lngLat.lat });
        cancelAnimationFrame(frame);
        frame = requestAnimationFrame(() => this.point(event.point));
      });
      map.getCanvas().addEventListener('mouseleave', () => this.hover(null));
      new ResizeObserver(() => map.resize()).observe(this.container);
    }

    /* Ready is a map that stands still with the open cases on it. */
    settle() {
      if (this.ready || !this.filled) return;
      this.ready = true;
      this.container.dataset.ready = '1';
      performance.mark('cg-map-idle');
      this.props.setProps({ ready: true });
      say('map-ready', { map: this.map });
      this.announce();   /* what stands beside the map may not have been there when it loaded */
    }

    announce() {
      const map = this.map, centre = map.getCenter();
      const metres = (40075016.686 * Math.cos((centre.lat * Math.PI) / 180)) / (512 * 2 ** map.getZoom());
      say('view', { lon: centre.lng, lat: centre.lat, zoom: map.getZoom(), metresPerPixel: metres });
      this.place();
    }

    /* Put data, filters and switches onto a freshly loaded style. */
    dress() {
      this.focused = '[]';
      this.styled = true;
      this.setOpen(this.props.open);
      this.setFocus(this.props.focus, !this.dressed);
      this.dressed = true;
      this.setPast(this.props.past);
      this.hidden.forEach((id) => this.showLayer(id, false));
      this.fetched.forEach((url, source) => this.map.getSource(source).setData(url));
    }

    /* A style whose open cases are in it already: an empty source that is filled a moment later is laid out twice.
       Closed ones are seen only once it is known which of them: their tiles keep the filter they began to load with. */
    withCases(style) {
      const collection = this.replayed || this.props.open, closed = style.layers.find((layer) => layer.id === 'closed');
      if (closed && this.props.past) Object.assign(closed, { filter: this.wanted(this.props.past), layout: { ...closed.layout, visibility: 'visible' } });
      this.known.clear();
      if (collection) style.sources.open.data = { type: 'FeatureCollection', features: this.take(collection).add };
      return style;
    }

    /* What differs from the cases known so far. */
    take(collection) {
      this.filled = true;
      this.left = new Map(collection.features.map((feature) => [feature.id, feature.properties.left]));
      return difference(this.known, collection.features);
    }

    /* Fill a source from an address of ours, once until `refetch`: what few look at is not asked for before. */
    fetchInto(source, url) {
      if (this.fetched.has(source)) return;
      this.fetched.set(source, url);
      if (this.styled) this.map.getSource(source).setData(url);
    }

    refetch() {
      this.fetched.forEach((url, source) => this.map.getSource(source).setData(url));
    }

    /* Show the cases of a past minute instead of the open ones; null goes back to them. What arrives
       meanwhile is kept in the properties and drawn on the way back. */
    replay(collection) {
      this.replayed = collection;
      this.setOpen(this.props.open);
      this.setPast(this.props.past);
      this.setFocus(this.props.focus, false);
    }

    setOpen(present) {
      const collection = this.replayed || present;
      if (!this.styled || !collection) return;
      const source = this.map.getSource('open');
      if (!source) return;
      const { add, remove } = this.take(collection);
      if (add.length || remove.length) source.updateData({ add, remove });
      if (this.hovered && this.hovered.source === 'open' && remove.includes(this.hovered.id)) this.hover(null);
    }

    setFocus(focus, look) {
      if (!this.styled) return;
      const source = this.map.getSource('focus');
      if (!source) return;
      /* A chosen case is drawn as it is now; in the past its marker of then stands for it. */
      const features = ((focus && focus.features) || []).filter((f) => !this.replayed || f.properties.role !== 'incident');
      const text = JSON.stringify(features);
      if (text !== this.focused) source.setData({ type: 'FeatureCollection', features });
      this.focused = text;
      const chosen = features.find((f) => f.properties.role === 'incident');
      const single = ['all', ['!', ['has', 'point_count']], ['!', ['has', 'stack']]];
      const others = chosen ? ['all', single, ['!=', ['id'], chosen.properties.incident]] : single;
      if (this.map.getLayer('open')) this.map.setFilter('open', others);
      if (look && focus && focus.camera) this.look(focus.camera);
    }

    setPast(filter) {
      if (!this.styled || !filter || !this.map.getLayer('closed')) return;
      this.map.setFilter('closed', this.wanted(filter));
      if (!this.hidden.has('closed')) this.setVisible('closed', true);
    }

    /* Which closed cases are drawn: none in the past, where all that was open then is. */
    wanted(filter) {
      return this.replayed ? ['boolean', false] : filter;
    }

    /* Fly only where needed: what is well in view already stays where it is. */
    look(camera) {
      const map = this.map, { clientWidth: width, clientHeight: height } = this.container;
      const free = insets(), pad = camera.pad || 0;
      const [w, s, e, n] = camera.bounds || [...camera.center, ...camera.center];
      const closest = camera.bounds ? camera.maxZoom || 18 : Math.max(map.getZoom(), camera.zoom || 0);
      const padding = Object.fromEntries(Object.entries(free).map(([side, px]) => [side, px + pad]));
      const fit = map.cameraForBounds([w, s, e, n], { padding, maxZoom: closest });
      if (!fit) return;
      const a = map.project([w, n]), b = map.project([e, s]);
      const inside = a.x > free.left && a.y > free.top && b.x < width - free.right && b.y < height - free.bottom;
      if (inside && map.getZoom() > fit.zoom - 1.3) return;
      const there = { center: fit.center, zoom: fit.zoom };
      const far = map.getCenter().distanceTo(this.gl.LngLat.convert(fit.center)) > FLIGHT_LIMIT_M;
      if (calm.matches || far) map.jumpTo(there);
      else map.easeTo({ ...there, duration: FLIGHT_MS, essential: true });
    }

    showLayer(id, shown) {
      if (shown) this.hidden.delete(id);
      else this.hidden.add(id);
      if (id !== RING || !shown) this.setVisible(id, shown);
    }

    /* To MapLibre a layer that never said `visible` is not visible yet, and saying so lays out all its tiles anew. */
    setVisible(id, shown) {
      const is = this.map.getLayer(id) && (this.map.getLayoutProperty(id, 'visibility') || 'visible');
      const wanted = shown ? 'visible' : 'none';
      if (is && is !== wanted) this.map.setLayoutProperty(id, 'visibility', wanted);
    }

    restyle(style) {
      this.styled = false;
      this.map.setStyle(this.withCases(style), { diff: false });
    }

    hits(point, slack) {
      const map = this.map, layers = (this.props.hit || []).filter((id) => map.getLayer(id));
      const box = slack ? [[point.x - slack, point.y - slack], [point.x + slack, point.y + slack]] : point;
      const found = map.queryRenderedFeatures(box, { layers });
      found.sort((a, b) => layers.indexOf(a.layer.id) - layers.indexOf(b.layer.id));
      return found[0] || null;
    }

    async clicked(event) {
      const feature = this.hits(event.point, 0) || this.hits(event.point, 5);
      if (feature && feature.properties.cluster) {
        const source = this.map.getSource('open');
        const zoom = await source.getClusterExpansionZoom(feature.properties.cluster_id);
        this.map.easeTo({ center: feature.geometry.coordinates, zoom, duration: calm.matches ? 0 : FLIGHT_MS });
        return;
      }
      this.props.setProps({
        click: {
          layer: feature ? feature.layer.id : null,
          id: feature ? feature.id ?? null : null,
          properties: feature ? feature.properties : {},
          lon: event.lngLat.lng,
          lat: event.lngLat.lat,
          at: Date.now(),
        },
      });
    }

    point(point) {
      const feature = this.hits(point, 0);
      this.map.getCanvas().style.cursor = feature && feature.layer.id !== 'cell-fill' ? 'pointer' : '';
      this.hover(feature);
    }

    hover(feature) {
      const same = feature && this.hovered && feature.id === this.hovered.id && feature.source === this.hovered.source;
      if (same) return;
      this.mark(this.hovered, false);
      this.hovered = feature;
      this.mark(feature, true);
      say('hover', { feature });
      this.popover(feature);
    }

    mark(feature, on) {
      if (!feature || feature.id === undefined || feature.properties.cluster) return;
      if (!['open', 'cells'].includes(feature.source) || !this.map.getSource(feature.source)) return;
      const where = { source: feature.source, id: feature.id };
      if (feature.sourceLayer) where.sourceLayer = feature.sourceLayer;
      this.light(where, on);
    }

    /* Light up a case from outside, as a queue row does. */
    highlight(id, on) {
      if (this.map.getSource('open')) this.light({ source: 'open', id }, on);
    }

    light(where, on) {
      if (where.source === 'open' && !this.hidden.has(RING)) this.setVisible(RING, true);
      this.map.setFeatureState(where, { hover: on });
    }

    popover(feature) {
      const html = feature && window.citygrid.popover ? window.citygrid.popover(feature) : '';
      if (!html) {
        if (this.pop) this.pop.remove();
        this.pop = null;
        return;
      }
      if (!this.pop) {
        this.pop = document.createElement('div');
        this.pop.className = 'popover float';
        this.container.append(this.pop);
      }
      this.pop.innerHTML = html;
      this.pop.dataset.kind = feature.layer.id;
      const at = feature.geometry.type === 'Point' ? feature.geometry.coordinates : null;
      this.anchor = at || this.map.unproject(this.lastPoint(feature)).toArray();
      this.place();
    }

    lastPoint(feature) {
      const ring = feature.geometry.type === 'Polygon' ? feature.geometry.coordinates[0] : feature.geometry.coordinates[0][0];
      const points = ring.map((c) => this.map.project(c));
      const x = points.reduce((sum, p) => sum + p.x, 0) / points.length;
      return { x, y: Math.min(...points.map((p) => p.y)) + 14 };
    }

    place() {
      if (!this.pop) return;
      const p = this.map.project(this.anchor), width = this.pop.offsetWidth, height = this.pop.offsetHeight;
      const room = this.container.clientWidth;
      const left = Math.min(Math.max(p.x - 34, 8), room - width - 8);
      const above = p.y - height - 26 > 4;
      this.pop.style.transform = `translate(${Math.round(left)}px,${Math.round(above ? p.y - height - 26 : p.y + 26)}px)`;
      this.pop.classList.toggle('below', !above);
      this.pop.style.setProperty('--tip', Math.round(p.x - left) + 'px');
    }

    /* One ring of 600 ms where something new happened. */
    ring(lon, lat) {
      if (calm.matches || this.replayed) return;
      const p = this.map.project([lon, lat]), ring = document.createElement('i');
      ring.className = 'arrival-ring';
      ring.style.left = p.x + 'px';
      ring.style.top = p.y + 'px';
      ring.addEventListener('animationend', () => ring.remove());
      this.container.append(ring);
    }
  }

  function fetchStyle(template) {
    return fetch(template.replace('{theme}', theme())).then((answer) => answer.json());
  }

  /* A canvas in `holder`, and the view on it once engine and style are there. */
  function begin(holder, props) {
    const canvas = document.createElement('div');
    canvas.className = 'map-canvas';
    canvas.setAttribute('role', 'region');
    holder.append(canvas);
    const begun = { holder, canvas, props, view: null };
    begun.made = Promise.all([loadEngine(props.engine), fetchStyle(props.styleUrl)]).then(([gl, style]) => {
      begun.view = new View(gl, canvas, style, begun.props);
      return begun.view;
    });
    return begun;
  }

  /* The first map does not wait for Dash: it begins beside the page and moves into its component. The page
     brings the cases of an address without a filter; with one, the callbacks do. */
  let first = null;

  function beginFirst(page) {
    const holder = document.createElement('div');
    holder.className = 'map-view';
    document.body.prepend(holder);
    const { open, past, ...bare } = page.map;
    const cases = location.search ? {} : { open, past };
    first = begin(holder, { ...bare, ...cases, engine: page.engine, setProps() {} });
  }

  function takeOver(element, props) {
    const begun = first || begin(element, props);
    if (begun === first) {
      element.append(begun.canvas);
      begun.holder.remove();
      first = null;
    }
    begun.canvas.setAttribute('aria-label', props.label);
    return begun;
  }

  function MapView(props) {
    const element = R.useRef(null), begun = R.useRef(null), view = R.useRef(null);
    if (begun.current) begun.current.props = props;
    if (view.current) view.current.props = props;
    R.useEffect(() => {
      const mine = begun.current = takeOver(element.current, props);
      mine.props = props;
      const arrive = (made) => {
        made.props = mine.props;
        view.current = window.citygrid.map = made;
      };
      if (mine.view) arrive(mine.view);
      else mine.made.then((made) => { if (begun.current === mine) arrive(made); });
      const watch = new MutationObserver(() => {
        if (view.current) fetchStyle(props.styleUrl).then((json) => view.current.restyle(json));
      });
      watch.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
      return () => {
        begun.current = null;
        watch.disconnect();
        if (view.current) view.current.map.remove();
        view.current = window.citygrid.map = null;
      };
    }, []);
    R.useEffect(() => { if (view.current) view.current.setOpen(props.open); }, [props.open]);
    R.useEffect(() => { if (view.current) view.current.setPast(props.past); }, [props.past]);
    const moved = props.focus && props.focus.moved;
    R.useEffect(() => { if (view.current) view.current.setFocus(props.focus, false); }, [props.focus]);
    R.useEffect(() => { if (view.current && view.current.styled) view.current.setFocus(props.focus, true); }, [moved]);
    return R.createElement('div', { id: props.id, className: props.className, ref: element });
  }

  window.citygrid = Object.assign(window.citygrid || {}, { MapView });
  const page = document.getElementById('cg-page');
  if (page) beginFirst(JSON.parse(page.textContent));
})();
