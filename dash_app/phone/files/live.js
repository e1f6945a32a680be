/* What happens elsewhere: one event stream, as long as the page is seen. A lost one comes back by itself. */
let stream = null, retry = 1000, timer = null;

export function connect(arrived, decided, caughtUp) {
  disconnect();
  stream = new EventSource('/api/v1/stream');
  stream.addEventListener('incident', (event) => arrived(JSON.parse(event.data)));
  stream.addEventListener('leave', (event) => decided(JSON.parse(event.data)));
  stream.addEventListener('open', () => {
    if (retry > 1000) caughtUp();
    retry = 1000;
  });
  stream.addEventListener('error', () => {
    retry = Math.min(retry * 2, 30000);
    if (stream && stream.readyState === EventSource.CLOSED) timer = setTimeout(() => connect(arrived, decided, caughtUp), retry);
  });
}

export function disconnect() {
  clearTimeout(timer);
  if (stream) stream.close();
  stream = null;
}
