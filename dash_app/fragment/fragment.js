/* Fragment: markup written by the server, patched into the page node by node. */
(function () {
  'use strict';
  const R = window.React;

  function keyOf(node) {
    return node.nodeType === 1 ? node.getAttribute('data-key') : null;
  }

  function alike(a, b) {
    return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
  }

  /* Whether a menu is open is the person's own doing; a refresh leaves it alone. */
  function theirs(element, name) {
    return name === 'open' && element.nodeName === 'DETAILS';
  }

  function patchAttributes(from, to) {
    for (const { name, value } of [...to.attributes]) {
      if (from.getAttribute(name) !== value && !theirs(from, name)) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && !theirs(from, name)) from.removeAttribute(name);
    }
  }

  /* Make the children of `from` those of `to`, keeping every node that is still wanted. */
  function patchChildren(from, to) {
    const keyed = new Map();
    for (const node of from.childNodes) {
      const key = keyOf(node);
      if (key !== null) keyed.set(key, node);
    }
    let here = from.firstChild;
    for (const wanted of [...to.childNodes]) {
      const key = keyOf(wanted);
      let match = null;
      if (key !== null && keyed.has(key) && alike(keyed.get(key), wanted)) match = keyed.get(key);
      else if (key === null && here && alike(here, wanted)) match = here;
      if (!match) {
        from.insertBefore(wanted, here);
        continue;
      }
      if (match === here) here = here.nextSibling;
      else from.insertBefore(match, here);
      patchNode(match, wanted);
    }
    while (here) {
      const next = here.nextSibling;
      from.removeChild(here);
      here = next;
    }
  }

  function patchNode(from, to) {
    if (from.nodeType !== 1) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
      return;
    }
    if (from.hasAttribute('data-keep')) return;      /* an open control the person is using */
    patchAttributes(from, to);
    patchChildren(from, to);
  }

  function Fragment(props) {
    const element = R.useRef(null);
    R.useLayoutEffect(() => {
      const template = document.createElement('template');
      template.innerHTML = props.html || '';
      patchChildren(element.current, template.content);
      document.dispatchEvent(new CustomEvent('cg:patched', { detail: { id: props.id } }));
    }, [props.html]);
    return R.createElement(props.tag || 'div', {
      id: props.id,
      ref: element,
      className: props.className,
      role: props.role,
      'aria-label': props.label,
      'aria-live': props.live,
      hidden: props.hidden,
    });
  }

  window.citygrid = Object.assign(window.citygrid || {}, { Fragment });
})();
