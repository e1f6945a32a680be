/* Links, words, menus: everything on the desk is an address, so back, reload and sharing just work. */
(function () {
  'use strict';
  const cg = (window.citygrid = window.citygrid || {});
  const page = JSON.parse((document.getElementById('cg-page') || { textContent: '{}' }).textContent);
  cg.page = page;

  cg.say = function (key, values) {
    return (page.texts[key] || key).replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? values[name] : whole));
  };

  cg.escape = function (text) {
    const holder = document.createElement('span');
    holder.textContent = text === null || text === undefined ? '' : String(text);
    return holder.innerHTML;
  };

  /* Go to an address of ours without reloading; the page's Address hears it. */
  cg.go = function (href) {
    if (href === location.pathname + location.search) return;
    history.pushState({}, '', href);
    document.dispatchEvent(new CustomEvent('cg:address'));
  };

  /* The current address with something changed; an empty value takes a part away. */
  cg.address = function (changes, path) {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === '' || value === null) query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
    const where = path || location.pathname;
    return text ? `${where}?${text}` : where;
  };

  const CHOICES = ['incident', 'cell', 'building', 'shop', 'component', 'strip', 'exception'];
  cg.choices = CHOICES;
  cg.choose = function (kind, id) {
    const nothing = Object.fromEntries([...CHOICES, 'door'].map((name) => [name, '']));
    cg.go(cg.address(kind ? { ...nothing, [kind]: id } : nothing, '/'));
  };

  /* A line at the foot of the page: gone after `ms`. `words` may be a function of the seconds left, and
     `action` a button {label, run} that can be pressed as long as the line stands. */
  cg.toast = function (words, { ms = 2600, action = null } = {}) {
    let holder = document.querySelector('.toasts');
    if (!holder) {
      holder = Object.assign(document.createElement('div'), { className: 'toasts' });
      holder.setAttribute('role', 'status');
      document.body.append(holder);
    }
    const toast = Object.assign(document.createElement('div'), { className: 'toast' });
    const text = document.createElement('span'), ends = Date.now() + ms;
    toast.append(text);
    const write = () => { text.textContent = typeof words === 'function' ? words(Math.max(1, Math.ceil((ends - Date.now()) / 1000))) : words; };
    write();
    const ticking = typeof words === 'function' ? setInterval(write, 1000) : null;
    const gone = () => { clearInterval(ticking); toast.remove(); };
    if (action) {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: action.label });
      button.addEventListener('click', () => { gone(); action.run(); });
      toast.append(button);
    }
    holder.append(toast);
    setTimeout(gone, ms);
    return gone;
  };

  /* Bring a script of ours once; what it draws may be used when this resolves. */
  const brought = {};
  cg.load = function (src) {
    brought[src] = brought[src] || new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement('script'), { src, onload: resolve, onerror: reject });
      document.head.append(script);
    });
    return brought[src];
  };

  cg.cookie = function (name, value) {
    document.cookie = `${name}=${value};path=/;max-age=31536000;samesite=lax`;
  };

  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href]');
    closeMenus(event.target.closest('details.menu'), Boolean(link));
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const url = new URL(link.href, location.href);
    if (url.origin !== location.origin || link.dataset.native !== undefined || link.target) return;
    if (!['/', '/cases'].includes(url.pathname)) return;
    event.preventDefault();
    cg.go(url.pathname + url.search);
  });

  function closeMenus(except, all) {
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      if (all || menu !== except) menu.open = false;
    }
  }
  cg.closeMenus = closeMenus;

  document.addEventListener('click', async (event) => {
    const copy = event.target.closest('[data-copy-link]');
    if (copy) {
      try { await navigator.clipboard.writeText(location.href); } catch { return; }
      cg.toast(cg.say('copied'));
    }
    const language = event.target.closest('[data-language]');
    if (language && language.getAttribute('aria-pressed') !== 'true') {
      cg.cookie('cg_language', language.dataset.language);
      location.reload();
    }
    const theme = event.target.closest('[data-theme-choice]');
    if (theme) {
      cg.cookie('cg_theme', theme.dataset.themeChoice);
      document.documentElement.dataset.theme = theme.dataset.themeChoice;
      for (const other of document.querySelectorAll('[data-theme-choice]')) {
        other.setAttribute('aria-pressed', String(other === theme));
      }
    }
    if (event.target.closest('[data-sign-out]')) {
      await fetch('/api/v1/session', { method: 'DELETE' }).catch(() => null);
      location.assign('/sign-in');
    }
  });

  document.addEventListener('cg:signed-out', () => {
    location.assign('/sign-in?next=' + encodeURIComponent(location.pathname + location.search));
  });

  /* The page is spoken: polite for what is new, assertive for what is overdue. */
  cg.announce = function (text, urgent) {
    const region = document.getElementById(urgent ? 'cg-alert' : 'cg-status');
    if (region) region.textContent = text;
  };
})();
