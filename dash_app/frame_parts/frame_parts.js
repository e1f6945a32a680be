/* The parts a page is framed with: Address, Kept, Box. */
(function () {
  'use strict';
  const R = window.React;

  /* The address bar. Links of ours announce themselves with `cg:address`, back and forward with popstate. */
  function Address(props) {
    R.useEffect(() => {
      function tell() {
        props.setProps({ pathname: location.pathname, search: location.search });
      }
      tell();
      window.addEventListener('popstate', tell);
      document.addEventListener('cg:address', tell);
      return () => {
        window.removeEventListener('popstate', tell);
        document.removeEventListener('cg:address', tell);
      };
    }, []);
    return null;
  }

  function Kept() {
    return null;
  }

  function Box({ id, tag, className, children }) {
    return R.createElement(tag || 'div', { id, className }, children);
  }

  window.citygrid = Object.assign(window.citygrid || {}, { Address, Kept, Box });
})();
