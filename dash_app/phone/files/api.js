/* Asking the server. A refusal becomes a Problem with words and a remedy in the page's language. */
import { page } from './page.js';
import { say } from './words.js';

export class Problem extends Error {
  constructor(title, remedy, status, details = {}) {
    super(title);
    Object.assign(this, { title, remedy, status, details });
  }
}

/* `unreachable` is a problem of the way, not of the request: the same request may be sent again. */
export const unreachable = (problem) => problem.status === 0 || problem.status >= 500;

let signedOut = () => {}, reached = () => {};
export function whenSignedOut(then) { signedOut = then; }

/* Told after each question whether the server could be reached. */
export function whenReached(then) { reached = then; }

/* A network may swallow a question without a word; asking again is safe, so waiting has an end. For photographs
 * it begins anew with each piece that goes; the last ones are long in the phone's own pipes. */
const PATIENCE_MS = 30000, PIECE_PATIENCE_MS = 180000;

async function fetchInTime(path, options) {
  const stop = new AbortController(), timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(path, { ...options, signal: stop.signal });
    return { answer, said: answer.status === 204 ? null : await (answer.ok ? answer.json() : answer.json().catch(() => ({}))) };
  } finally {
    clearTimeout(timer);
  }
}

/* A form goes the older way, which alone tells `went` how much has gone, from 0 to 1. */
function sendForm(path, { headers, form, went }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = null;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), PIECE_PATIENCE_MS);
    };
    request.open('POST', path);
    request.responseType = 'json';
    Object.entries(headers).forEach(([name, value]) => request.setRequestHeader(name, value));
    request.upload.addEventListener('progress', ({ loaded, total }) => {
      wait();
      if (went) went(loaded / total);
    });
    request.addEventListener('load', () => {
      const { status, response } = request, ok = status < 400;
      if (ok && !response) reject(new Error('cut off'));
      else resolve({ answer: { status, ok }, said: response || {} });
    });
    for (const end of ['error', 'abort']) request.addEventListener(end, () => reject(new Error(end)));
    request.addEventListener('loadend', () => clearTimeout(timer));
    wait();
    request.send(form);
  });
}

async function ask(method, path, { json, form, went, quiet } = {}) {
  const headers = { Accept: 'application/json', 'Accept-Language': page.language };
  if (json) headers['Content-Type'] = 'application/json';
  let answer, said;
  try {
    ({ answer, said } = form
      ? await sendForm(path, { headers, form, went })
      : await fetchInTime(path, { method, headers, body: json && JSON.stringify(json) }));
  } catch {
    reached(false);
    throw new Problem(say('error.offline'), say('error.offline_remedy'), 0);
  }
  reached(true);
  if (answer.ok) return said;
  if (answer.status === 401 && !quiet) signedOut();
  if (answer.status === 403 && said.first) location.assign('/welcome?next=/m');   /* something comes first */
  throw new Problem(said.title || say('error.unknown'), said.remedy || say('error.unknown_remedy'), answer.status, said);
}

export const get = (path, query = {}, options) => {
  const known = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const text = new URLSearchParams(known).toString();
  return ask('GET', text ? `${path}?${text}` : path, options);
};
export const post = (path, json, options) => ask('POST', path, { json, ...options });
export const postForm = (path, form, went) => ask('POST', path, { form, went });
export const put = (path, json) => ask('PUT', path, { json });
export const remove = (path) => ask('DELETE', path);
