/* Disputed ground: a suggested strip is made an exception, an exception is ended; the map is asked again. */
(function () {
  'use strict';
  const cg = window.citygrid;
  const HEADERS = { 'Content-Type': 'application/json' };

  async function change(button, work, said) {
    button.disabled = true;
    try {
      const answer = await work();
      if (cg.map) cg.map.refetch();
      cg.toast(cg.say(said));
      return answer;
    } catch (problem) {
      cg.tell(problem, null);
      return null;
    } finally {
      button.disabled = false;
    }
  }

  document.addEventListener('click', async (event) => {
    const make = event.target.closest('[data-make-exception]');
    if (make) {
      const made = await change(make, () => cg.post('/api/v1/exceptions', make.dataset.makeException, HEADERS), 'exception.made');
      if (made) cg.choose('exception', made.id);
    }
    const end = event.target.closest('[data-end-exception]');
    if (end) {
      const url = `/api/v1/exceptions/${end.dataset.endException}`;
      const ended = await change(end, () => cg.post(url, undefined, {}, 'DELETE'), 'exception.undone');
      if (ended) cg.choose(null);
    }
  });
})();
