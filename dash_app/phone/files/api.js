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

/* A network may swallow a question without a word; asking again is safe, so waiting has an end. */
const PATIENCE_MS = 30000, UPLOAD_PATIENCE_MS = 300000;

async function fetchInTime(path, options) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), options.body instanceof FormData ? UPLOAD_PATIENCE_MS : PATIENCE_MS);
  try {
    const answer = await fetch(path, { ...options, signal: stop.signal });
    return { answer, said: answer.status === 204 ? null : await (answer.ok ? answer.json() : answer.json().catch(() => ({}))) };
  } finally {
    clearTimeout(timer);
  }
}

async function ask(method, path, { json, form, quiet } = {}) {
  const headers = { Accept: 'application/json', 'Accept-Language': page.language };
  if (json) headers['Content-Type'] = 'application/json';
  let answer, said;
  try {
    ({ answer, said } = await fetchInTime(path, { method, headers, body: json ? JSON.stringify(json) : form }));
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
export const postForm = (path, form) => ask('POST', path, { form });
export const put = (path, json) => ask('PUT', path, { json });
export const remove = (path) => ask('DELETE', path);
