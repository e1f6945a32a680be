/* The one report being written, photographs included, kept in the browser's own database until it is sent.
 *
 * `key` is its report_key from the first moment: however often it is sent, the server writes it once.
 */
const NAME = 'citygrid-phone', STORE = 'drafts';
let memory = null, opened = null;

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

/* Each account has its own draft: phones are handed on. A browser without a store keeps it while the page lives. */
export async function load(account) {
  try { return (await inStore('readonly', (store) => store.get(account))) || null; } catch { return memory; }
}

export async function keep(account, draft) {
  memory = draft;
  try { await inStore('readwrite', (store) => store.put(draft, account)); } catch { /* memory has it */ }
}

export async function discard(account) {
  memory = null;
  try { await inStore('readwrite', (store) => store.delete(account)); } catch { /* nothing was kept */ }
}
