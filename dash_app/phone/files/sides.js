/* Which side of the border: the two candidate cells near a fix, named by where they lie from each other.
 *
 * Only the ground near the fix counts, because that is what the person sees: the cells are sampled on a small
 * grid around it, and the middle of each cell's samples is where its letter stands.
 */
const REACH_M = 90, STEPS = 12;

export function sidesAt(fix, first, second) {
  const near = [first, second].map((geometry) => middleNear(fix, geometry));
  const [a, b] = near;
  const east = (b.lon - a.lon) * Math.cos((fix.lat * Math.PI) / 180), north = b.lat - a.lat;
  const names = Math.abs(east) >= Math.abs(north)
    ? (east > 0 ? ['west', 'east'] : ['east', 'west'])
    : (north > 0 ? ['south', 'north'] : ['north', 'south']);
  return near.map((at, i) => ({ at, name: names[i] }));
}

function middleNear(fix, geometry) {
  const north = REACH_M / 111320, east = north / Math.cos((fix.lat * Math.PI) / 180);
  let lon = 0, lat = 0, count = 0;
  for (let i = -STEPS; i <= STEPS; i++) {
    for (let j = -STEPS; j <= STEPS; j++) {
      const at = [fix.lon + (east * i) / STEPS, fix.lat + (north * j) / STEPS];
      if (!covers(geometry, at)) continue;
      lon += at[0];
      lat += at[1];
      count += 1;
    }
  }
  return count ? { lon: lon / count, lat: lat / count } : middleOf(geometry);
}

function middleOf(geometry) {
  const ring = polygons(geometry)[0][0];
  const sum = ring.reduce((total, [lon, lat]) => [total[0] + lon, total[1] + lat], [0, 0]);
  return { lon: sum[0] / ring.length, lat: sum[1] / ring.length };
}

const polygons = (geometry) => (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates);

export function covers(geometry, [x, y]) {
  let inside = false;
  for (const ring of polygons(geometry).flat()) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [ax, ay] = ring[i], [bx, by] = ring[j];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
  }
  return inside;
}

/* The border two cells share: the edges both have, joined to lines. Cells of one drawing share their corners. */
export function sharedBorder(first, second) {
  const name = ([ax, ay], [bx, by]) => (ax < bx || (ax === bx && ay < by) ? `${ax},${ay},${bx},${by}` : `${bx},${by},${ax},${ay}`);
  const edges = (geometry) => polygons(geometry).flat().flatMap((ring) => ring.slice(1).map((end, i) => [ring[i], end]));
  const theirs = new Set(edges(second).map(([a, b]) => name(a, b)));
  const lines = [];
  for (const [a, b] of edges(first)) {
    if (!theirs.has(name(a, b))) continue;
    const last = lines[lines.length - 1];
    if (last && last[last.length - 1][0] === a[0] && last[last.length - 1][1] === a[1]) last.push(b);
    else lines.push([a, b]);
  }
  return lines.map((coordinates) => ({ type: 'LineString', coordinates }));
}
