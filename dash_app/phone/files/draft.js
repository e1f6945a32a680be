/* What is being written, photographs included, kept in the browser's own database until it is sent: the one
 * report, and for each case the photographs of the work done.
 *
 * `key` is its report_key from the first moment: however often it is sent, the server writes it once.
 */
const NAME = 'citygrid-phone', STORE = 'drafts';
const memory = new Map();
let opened = null;

export function fresh() {
  return { key: newKey(), step: 1, fix: null, chosen: null, category: null, answers: {}, description: '', floor: '', unit: '', room: '', sameAs: null, behalf: false, onBehalf: '', photos: [] };
}

/* randomUUID exists only over HTTPS; on a local network without it the same bits come by hand. */
function newKey() {
  const bits = crypto.getRandomValues(new Uint8Array(16));
  return 'phone-' + [...bits].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function inStore(mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const request = act(database.transaction(STORE, mode).objectStore(STORE));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/* Under which name the work done on a case is kept. The report itself has the account's own name. */
export const ofFinish = (account, id) => `${account} finish ${id}`;

/* Each account has its own drafts: phones are handed on. A browser without a store keeps them while the page lives. */
export async function load(name) {
  try { return (await inStore('readonly', (store) => store.get(name))) || null; } catch { return memory.get(name) || null; }
}

export async function keep(name, draft) {
  memory.set(name, draft);
  try { await inStore('readwrite', (store) => store.put(draft, name)); } catch { /* memory has it */ }
}

export async function discard(name) {
  memory.delete(name);
  try { await inStore('readwrite', (store) => store.delete(name)); } catch { /* nothing was kept */ }
}

/* Work on cases that are not the account's any more need not be kept: `ids` are those that still are. */
export async function discardOthers(account, ids) {
  const own = new Set(ids.map((id) => ofFinish(account, id)));
  const names = await inStore('readonly', (store) => store.getAllKeys()).catch(() => []);
  await Promise.all(names.filter((name) => name.startsWith(ofFinish(account, '')) && !own.has(name)).map(discard));
}
