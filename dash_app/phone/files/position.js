/* Where the phone is. Browsers tell only over HTTPS or on the machine itself, and only if asked and allowed. */
import { metresBetween } from './times.js';

const WORTH_TELLING_M = 10;
/* A fix half as wide is told as well: a phone that wakes up first names the next mast, its place only seconds later. */
const BETTER = 0.5;
const FRESH_MS = 60000, RENEW_MS = 20000;
let latest = null, told = null, watching = null, refused = !('geolocation' in navigator) || !window.isSecureContext;
const listeners = new Set();

function arrived({ coords }) {
  refused = false;
  latest = { lon: coords.longitude, lat: coords.latitude, accuracy: Math.max(1, Math.round(coords.accuracy)), at: Date.now() };
  if (told && metresBetween(told, latest) < WORTH_TELLING_M && latest.accuracy > told.accuracy * BETTER) return;
  told = latest;
  listeners.forEach((tell) => tell());
}

function failed(error) {
  refused = error.code === error.PERMISSION_DENIED;
  listeners.forEach((tell) => tell());
}

export function watch() {
  if (watching !== null || refused) return;
  watching = navigator.geolocation.watchPosition(arrived, failed, { enableHighAccuracy: true, maximumAge: 5000 });
}

/* Be told of the first fix, of each move worth it, and when it becomes clear that there will be none. */
export function onMove(tell) {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/* {lon, lat, accuracy} in WGS 84, or null while nothing is known. */
export const here = () => latest;

/* The same if it is of just now: watching sleeps with the screen, and a report must not name where the phone was before. */
export const fresh = () => (latest && Date.now() - latest.at < FRESH_MS ? latest : null);

/* Ask for a new fix; whoever listens is told of it. */
export function renew() {
  if (refused) return;
  told = null;
  navigator.geolocation.getCurrentPosition(arrived, failed, { enableHighAccuracy: true, maximumAge: 0, timeout: RENEW_MS });
}

/* Whether waiting makes no sense: the browser may not tell. */
export const isRefused = () => refused;
