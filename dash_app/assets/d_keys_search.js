/* Keyboard and search: J and K walk the queue, Enter opens, Esc returns, / searches. */
(function () {
  'use strict';
  const cg = window.citygrid;

  function typing(target) {
    return target.closest && target.closest('input,textarea,select,[contenteditable]');
  }

  function rows() {
    return [...document.querySelectorAll('#queue .q-row')];
  }

  /* One row on or back. While a case is open its neighbour opens; where it has left the list by a move, the
     one that took its place does. */
  let place = -1;
  function walk(by) {
    const all = rows();
    if (!all.length) return;
    const open = new URLSearchParams(location.search).get('incident');
    let here = all.findIndex((row) => (open ? row.dataset.incident === open : row === document.activeElement || row.classList.contains('at')));
    if (here < 0 && open && place >= 0) here = by > 0 ? place - 1 : place;
    place = Math.min(Math.max(here + by, 0), all.length - 1);
    const next = all[place];
    all.forEach((row) => row.classList.toggle('at', row === next));
    if (open) return next.click();
    next.focus({ preventScroll: false });
    next.scrollIntoView({ block: 'nearest' });
  }

  const KEYS = [['J K', 'list'], ['Enter', 'open'], ['X', 'pick'], ['1 2 3', 'move'], ['N', 'new'], ['/', 'search'], ['Esc', 'back'], ['?', 'help']];
  function help() {
    const template = document.createElement('template'), say = (key) => cg.escape(cg.say(key));
    const lines = KEYS.map(([keys, name]) => `<dt>${keys.split(' ').map((key) => `<span class="kbd">${key}</span>`).join(' ')}</dt><dd>${say('keys.' + name)}</dd>`);
    template.innerHTML = `<form><h2 id="dialog-title">${say('keys.title')}</h2><dl class="keys">${lines.join('')}</dl><div class="actions"><button type="button" class="btn" data-close-dialog>${say('close')}</button></div></form>`;
    cg.openDialog(template, document.activeElement, () => cg.closeDialog());
  }

  function press(selector, n = 0) {
    const button = document.querySelectorAll(selector)[n];
    if (button) button.click();
    return Boolean(button);
  }

  document.addEventListener('keydown', (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === 'Escape') return escape(event);
    if (typing(event.target) || document.querySelector('.veil')) return;
    if (event.key === '/') {
      event.preventDefault();
      const box = document.getElementById('search');
      if (box) box.focus();
    } else if (event.key === 'j' || event.key === 'J') walk(1);
    else if (event.key === 'k' || event.key === 'K') walk(-1);
    else if (event.key === 'x' || event.key === 'X') cg.pick(document.activeElement);
    else if (event.key === '?') help();
    else if (/^[1-9]$/.test(event.key)) {
      if (press('#detail .panel-foot > .row > [data-move]', Number(event.key) - 1)) event.preventDefault();
    } else if (event.key === 'n' || event.key === 'N') {
      if (press('[data-new-case]')) event.preventDefault();
    }
    else if (event.key === 'Enter' && document.activeElement.classList.contains('q-row')) {
      event.preventDefault();
      document.activeElement.click();
    }
  });

  function escape(event) {
    if (document.querySelector('.veil')) return cg.closeDialog && cg.closeDialog();
    if (document.querySelector('details.menu[open]')) return cg.closeMenus(null, true);
    if (cg.picking) return cg.picking.stop();
    if (cg.measuring && cg.measuring()) return cg.measuring().stop();
    if (event.target.id === 'search') { event.target.blur(); return hide(); }
    const chosen = new URLSearchParams(location.search).get('incident');
    cg.choose(null);
    if (chosen) setTimeout(() => {
      const row = document.querySelector(`#queue [data-incident="${chosen}"]`);
      if (row) row.focus();
    }, 250);
  }

  /* ---- search ---------------------------------------------------------------------------------- */
  const ICONS = { incident: 'case', cell: 'grid', building: 'bldg', estate: 'home', shop: 'shop', component: 'lamp', area: 'map', road: 'straight', address: 'pin' };
  let asked = 0, timer = null, results = [], at = -1;

  const box = () => document.getElementById('search');
  const list = () => document.getElementById('suggestions');

  document.addEventListener('input', (event) => {
    if (event.target.id !== 'search') return;
    clearTimeout(timer);
    timer = setTimeout(() => ask(event.target.value.trim()), 140);
  });
  document.addEventListener('focusin', (event) => {
    if (event.target.id === 'search' && results.length) list().hidden = false;
  });
  document.addEventListener('click', (event) => { if (!event.target.closest('.search')) hide(); });
  document.addEventListener('keydown', (event) => {
    if (event.target.id !== 'search' || !results.length) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      at = (at + (event.key === 'ArrowDown' ? 1 : results.length - 1 + (at < 0 ? 1 : 0))) % results.length;
      mark();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      open(results[Math.max(at, 0)]);
    }
  });

  function hide() {
    if (list()) list().hidden = true;
    if (box()) box().setAttribute('aria-expanded', 'false');
  }

  async function ask(q) {
    const mine = ++asked;
    if (!q) { results = []; return hide(); }
    const centre = cg.map ? cg.map.map.getCenter() : null;
    const near = centre ? `&lon=${centre.lng.toFixed(6)}&lat=${centre.lat.toFixed(6)}` : '';
    let found;
    try {
      const answer = await fetch(`/api/v1/search?q=${encodeURIComponent(q)}${near}`, { headers: { 'Accept-Language': cg.page.language } });
      if (!answer.ok) throw new Error(String(answer.status));
      found = await answer.json();
    } catch {
      if (mine === asked) say(cg.say('search.failed'), '');
      return;
    }
    if (mine !== asked) return;
    results = (found.results || found.items || found || []).slice(0, 12);
    at = -1;
    if (!results.length) return say(cg.say('search.none', { q }), cg.say('search.none_hint'));
    list().innerHTML = results.map((result, index) => {
      const kind = result.kind || result.type;
      return `<div class="suggestion" role="option" id="suggestion-${index}" data-index="${index}" aria-selected="false"><svg class="i s" viewBox="0 0 20 20" aria-hidden="true"><use href="#i-${ICONS[kind] || 'pin'}"/></svg>` +
        `<div class="cut"><div class="cut">${cg.escape(result.title || result.name)}</div>${result.subtitle || result.detail ? `<div class="s12 mute cut">${cg.escape(result.subtitle || result.detail)}</div>` : ''}</div><span class="tag kind">${cg.escape(cg.say('search.' + kind))}</span></div>`;
    }).join('');
    list().hidden = false;
    box().setAttribute('aria-expanded', 'true');
  }

  function say(text, hint) {
    results = [];
    list().innerHTML = `<div class="suggestion"><div><div>${cg.escape(text)}</div><div class="s12 mute">${cg.escape(hint)}</div></div></div>`;
    list().hidden = false;
  }

  function mark() {
    list().querySelectorAll('.suggestion').forEach((element, index) => {
      element.setAttribute('aria-selected', String(index === at));
      if (index === at) element.scrollIntoView({ block: 'nearest' });
    });
    box().setAttribute('aria-activedescendant', 'suggestion-' + at);
  }

  document.addEventListener('click', (event) => {
    const chosen = event.target.closest('.suggestion[data-index]');
    if (chosen) open(results[Number(chosen.dataset.index)]);
  });

  function open(result) {
    if (!result) return;
    const kind = result.kind || result.type;
    hide();
    box().value = result.title || result.name || '';
    box().blur();
    if (['incident', 'building', 'shop', 'component'].includes(kind)) return cg.choose(kind, result.id);
    if (kind === 'cell') return cg.choose('cell', result.code || result.id);
    if (cg.map && result.lon !== undefined) {
      const bounds = result.bbox;
      cg.map.look(bounds ? { bounds } : { center: [result.lon, result.lat], zoom: 16.5 });
    }
  }
})();
