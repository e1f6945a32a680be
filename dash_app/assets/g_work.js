/* The work queue: choosing several cases, one move with them, and the next page of rows when one scrolls on. */
(function () {
  'use strict';
  const cg = window.citygrid;
  const boxes = () => [...document.querySelectorAll('#queue [data-pick]')];
  const chosen = () => boxes().filter((box) => box.checked);

  function show() {
    const bar = document.querySelector('#queue .together');
    if (!bar) return;
    const all = boxes(), picked = chosen(), every = bar.querySelector('[data-pick-all]');
    every.checked = all.length > 0 && picked.length === all.length;
    every.indeterminate = picked.length > 0 && picked.length < all.length;
    bar.querySelector('[data-picked-words]').textContent = picked.length ? cg.say('work.picked', { n: picked.length }) : '';
    bar.querySelector('[data-together]').disabled = !picked.length;
    bar.querySelector('[data-together]').classList.toggle('primary', picked.length > 0);
  }

  /* The box of a row, by the key X. */
  cg.pick = function (row) {
    const line = row && row.closest('.q-pick');
    const box = line && line.querySelector('[data-pick]');
    if (!box) return;
    box.checked = !box.checked;
    show();
  };

  document.addEventListener('change', (event) => {
    if (event.target.matches('[data-pick-all]')) boxes().forEach((box) => { box.checked = event.target.checked; });
    if (event.target.matches('[data-pick], [data-pick-all]')) show();
  });

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-together]');
    if (!button) return;
    const template = button.closest('.together').querySelector('template');
    cg.openDialog(template, button, (fields, dialog, submitter) => send(button.dataset.together, fields, dialog, submitter));
  });

  async function send(move, fields, dialog, button) {
    const picked = chosen(), note = String(fields.get('note') || '').trim();
    const cases = picked.map((box) => ({ id: Number(box.dataset.pick), version: Number(box.dataset.version) }));
    button.disabled = true;
    try {
      const answer = await cg.postJson('/api/v1/moves', { move, cases, ...(note ? { note } : {}) });
      picked.forEach((box) => { box.checked = false; });
      cg.closeDialog();
      cg.refresh({ why: 'moved' });
      if (answer.moved.length) cg.toast(cg.say('work.done', { n: answer.moved.length }), { ms: 5000 });
      if (answer.refused.length) {
        const [first] = answer.refused, zh = cg.page.language === 'zh';
        const why = zh ? `${first.title_zh}${first.remedy_zh}` : `${first.title_en} ${first.remedy_en}`;
        cg.toast(cg.say('work.refused', { n: answer.refused.length, why }), { ms: 9000 });
      }
      cg.offerUndo(answer.moved);
    } catch (problem) {
      cg.tell(problem, dialog);
    } finally {
      button.disabled = false;
    }
  }

  /* ---- the next page of rows -------------------------------------------------------------------- */
  const seen = new IntersectionObserver((entries) => {
    const more = entries.find((entry) => entry.isIntersecting);
    if (!more) return;
    const query = new URLSearchParams(location.search);
    cg.choices.forEach((name) => query.delete(name));
    window.dash_clientside.set_props('shown', { data: { rows: Number(more.target.dataset.more), query: query.toString() } });
  }, { rootMargin: '600px' });

  document.addEventListener('cg:patched', (event) => {
    if (event.detail.id !== 'queue') return;
    show();
    seen.disconnect();
    const more = document.querySelector('#queue [data-more]');
    if (more) seen.observe(more);
  });
})();
