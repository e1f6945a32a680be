/* The case page: its filters are the address, its table wears our colours. */
(function () {
  'use strict';
  const cg = window.citygrid;
  const WAIT_MS = 350;
  let typing = null;

  function apply(form) {
    const chosen = Object.fromEntries(new FormData(form).entries());
    cg.go(cg.address(chosen, '/cases'));
  }

  document.addEventListener('change', (event) => {
    const form = event.target.closest && event.target.closest('[data-filters]');
    if (form && event.target.matches('select')) apply(form);
  });
  document.addEventListener('input', (event) => {
    const form = event.target.closest && event.target.closest('[data-filters]');
    if (!form || event.target.name !== 'q') return;
    clearTimeout(typing);
    typing = setTimeout(() => apply(form), WAIT_MS);
  });
  document.addEventListener('submit', (event) => {
    if (!event.target.matches('[data-filters]')) return;
    event.preventDefault();
    apply(event.target);
  });

  /* A select a person has touched no longer follows its markup: after back or clear the markup wins. */
  document.addEventListener('cg:patched', (event) => {
    if (event.detail.id !== 'cases-head') return;
    for (const select of document.querySelectorAll('[data-filters] select')) {
      const wanted = [...select.options].find((option) => option.hasAttribute('selected'));
      select.value = wanted ? wanted.value : '';
    }
    const box = document.querySelector('[data-filters] [name=q]');
    if (box && box !== document.activeElement) box.value = box.getAttribute('value') || '';
  });

  /* ---- the table ------------------------------------------------------------------------------- */
  const R = window.React;
  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

  components.CaseClock = function ({ data }) {
    const html = cg.pill(data.clock, data.left, data.hollow);
    return R.createElement('span', { className: 'case-clock', dangerouslySetInnerHTML: { __html: html } });
  };

  components.CaseLink = function ({ data, value }) {
    const href = cg.address({ incident: data.id }, '/');
    return R.createElement('a', { href, className: 'case-link' }, value);
  };

  /* A moment of this year without the year; the whole of it is the tooltip. */
  components.CaseMoment = function ({ value }) {
    return value && value.startsWith(`${new Date().getFullYear()}-`) ? value.slice(5) : value;
  };

  functions.citygridClosedColumn = function ({ api }) {
    let any = false;
    api.forEachNode((node) => { any = any || Boolean(node.data.closed); });
    api.setColumnsVisible(['closed'], any);
  };

  functions.citygridTheme = function (base) {
    return base.withParams({
      fontFamily: 'inherit',
      fontSize: 13,
      headerFontSize: 12,
      headerFontWeight: 400,
      rowHeight: 32,
      headerHeight: 32,
      cellHorizontalPadding: 10,
      wrapperBorderRadius: 10,
      borderColor: 'var(--cg-line)',
      backgroundColor: 'var(--cg-panel)',
      foregroundColor: 'var(--cg-ink)',
      headerBackgroundColor: 'var(--cg-raised)',
      headerTextColor: 'var(--cg-ink3)',
      rowHoverColor: 'var(--cg-raised)',
      selectedRowBackgroundColor: 'var(--cg-accent-wash)',
      accentColor: 'var(--cg-accent)',
      iconSize: 13,
      columnBorder: false,
      headerColumnBorder: false,
      headerColumnResizeHandleColor: 'transparent',
    });
  };
})();
