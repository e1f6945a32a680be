/* The one map of the phone: made once, moved from view to view. Style, tiles and markers are the desk's own.
 *
 * Besides the style's sources (`open`: cases, `focus`: what is selected) it draws where the phone is, the circle
 * a fix is good to, and the two cells a report may belong to.
 */
import { page } from './page.js';

const FLIGHT_MS = 450, FLIGHT_LIMIT_M = 2000, CIRCLE_CORNERS = 64;
const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
const nothing = { type: 'FeatureCollection', features: [] };
let engine = null, map = null, ready = null, tapped = null, labels = [];

const node = Object.assign(document.createElement('div'), { className: 'map' });

export const collection = (features) => ({ type: 'FeatureCollection', features });
export const feature = (geometry, properties = {}, id) => ({ type: 'Feature', id, geometry, properties });
export const point = (at, properties, id) => feature({ type: 'Point', coordinates: [at.lon, at.lat] }, properties, id);

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue('--cg-' + name).trim();

async function make(at) {
  const style = fetch(`/map/style/${page.theme}/${page.language}.json?latitude=${at.lat.toFixed(1)}`).then((answer) => answer.json()).then(forPhone);
  engine = await import(page.engine.js);
  map = new engine.Map({
    container: node,
    style: await style,
    center: [at.lon, at.lat],
    zoom: 15.5,
    minZoom: 9,
    maxZoom: 20,
    maxPitch: 0,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: calm.matches ? 0 : 120,
    transformRequest: (url) => ({ url: new URL(url, location.href).href }),
  });
  node._map = map;
  map.touchZoomRotate.disableRotation();
  map.setMissingStyleImageResolver((id) => {
    const image = window.citygrid.markers.draw(id);
    if (image && !map.hasImage(id)) map.addImage(id, image.data, { pixelRatio: image.pixelRatio });
  });
  map.on('error', (event) => {
    if (![401, 404].includes(event.error && event.error.status)) console.warn('map:', event.error && event.error.message);
  });
  map.on('click', (event) => tapped && tapped(event));
  map.on('idle', () => { node.dataset.ready = '1'; });
  new ResizeObserver(() => map.resize()).observe(node);
  await new Promise((resolve) => map.once('load', resolve));
  addOwnLayers();
}

/* A phone is about a few cases that are open: none is gathered into a cluster, and ended ones are not fetched. */
function forPhone(style) {
  const { closed, ...sources } = style.sources;
  sources.open = { type: 'geojson', data: nothing };
  return { ...style, sources, layers: style.layers.filter((layer) => layer.source !== 'closed') };
}

/* Under the labels, over everything else: candidates and the fix's circle; the phone itself on top. */
function addOwnLayers() {
  const under = map.getStyle().layers.find((layer) => layer.type === 'symbol').id;
  for (const name of ['candidates', 'fix', 'here']) map.addSource(name, { type: 'geojson', data: nothing });
  const side = ['match', ['get', 'side'], 1, colour('analysis'), colour('accent')];
  map.addLayer({ id: 'candidate-fill', type: 'fill', source: 'candidates', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': side, 'fill-opacity': 0.16 } }, under);
  map.addLayer({ id: 'candidate-edge', type: 'line', source: 'candidates', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'line-color': side, 'line-width': 1.6 } }, under);
  map.addLayer({ id: 'candidate-border', type: 'line', source: 'candidates', filter: ['==', ['geometry-type'], 'LineString'], paint: { 'line-color': colour('ink'), 'line-width': 2.4, 'line-dasharray': [2.9, 1.7] } }, under);
  map.addLayer({ id: 'fix-fill', type: 'fill', source: 'fix', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': colour('in-time-fill'), 'fill-opacity': 0.16 } });
  map.addLayer({ id: 'fix-edge', type: 'line', source: 'fix', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'line-color': colour('in-time-fill'), 'line-width': 1.6 } });
  for (const source of ['fix', 'here']) {
    map.addLayer({ id: source + '-dot', type: 'circle', source, filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-radius': 7, 'circle-color': colour('accent'), 'circle-stroke-color': colour('halo'), 'circle-stroke-width': 3 } });
  }
}

/* Put the map into an element; `at` is where to begin if it is the first time. False where the map could not be
 * had, which the next view tries again, and where the element is gone by the time the map is there: another view
 * has been opened, and it is that one's to draw on. */
export async function attach(holder, at, tap = null) {
  holder.append(node);
  ready ??= make(at);
  try {
    await ready;
  } catch (error) {
    ready = null;
    console.warn('map:', error.message);
    return false;
  }
  if (!holder.isConnected) return false;
  map.resize();
  tapped = tap;
  return true;
}

export function show(source, features) {
  if (map && map.getSource(source)) map.getSource(source).setData(collection(features));
}

export function clear() {
  for (const source of ['open', 'focus', 'candidates', 'fix', 'here']) show(source, []);
  label([]);
  tapped = null;
}

/* Small signs of HTML on the map: [{at, element, anchor}]. */
export function label(wanted) {
  labels.forEach((marker) => marker.remove());
  labels = wanted.map(({ at, element, anchor = 'center' }) =>
    new engine.Marker({ element, anchor }).setLngLat([at.lon, at.lat]).addTo(map));
}

/* Show a box, or a place at a zoom; fly where it is near, jump where it is far. */
export function look({ bounds, at, zoom = 17, padding = 28, still = false }) {
  const options = bounds
    ? map.cameraForBounds(bounds, { padding, maxZoom: zoom })
    : { center: [at.lon, at.lat], zoom, padding: typeof padding === 'number' ? 0 : padding };
  if (!options) return;
  const far = map.getCenter().distanceTo(engine.LngLat.convert(options.center)) > FLIGHT_LIMIT_M;
  if (calm.matches || far || still) map.jumpTo(options);
  else map.easeTo({ ...options, duration: FLIGHT_MS });
}

/* The case under a finger, or null. */
export function caseAt(event) {
  const { x, y } = event.point, reach = 14;
  const found = map.queryRenderedFeatures([[x - reach, y - reach], [x + reach, y + reach]], { layers: ['open'] });
  return found.length ? found[0] : null;
}

export function circle(at, metres) {
  const north = metres / 111320, east = north / Math.cos((at.lat * Math.PI) / 180);
  const ring = Array.from({ length: CIRCLE_CORNERS + 1 }, (_, i) => {
    const angle = (2 * Math.PI * i) / CIRCLE_CORNERS;
    return [at.lon + east * Math.cos(angle), at.lat + north * Math.sin(angle)];
  });
  return { type: 'Polygon', coordinates: [ring] };
}

export function boundsOf(geometries) {
  const box = [180, 90, -180, -90];
  const visit = (part) => {
    if (typeof part[0] !== 'number') return part.forEach(visit);
    box[0] = Math.min(box[0], part[0]);
    box[1] = Math.min(box[1], part[1]);
    box[2] = Math.max(box[2], part[0]);
    box[3] = Math.max(box[3], part[1]);
  };
  geometries.forEach((geometry) => visit(geometry.coordinates));
  return box;
}
