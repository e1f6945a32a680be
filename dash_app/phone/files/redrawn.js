/* Drawing anew must move nothing for the person who reads or types: scrolled parts, the focus and the caret stay.
 *
 * Parts that scroll by themselves carry data-keep with a name; what is focused is found again by its data.
 */
const KEPT = '[data-keep]';

/* Remember how `root` stands; what is returned brings it back after the drawing. */
export function redrawn(root) {
  const scrolled = [...root.querySelectorAll(KEPT)].map((part) => [part.dataset.keep, part.scrollTop, part.scrollLeft]);
  const held = document.activeElement, name = root.contains(held) && nameOf(held);
  const caret = name && 'selectionStart' in held ? [held.selectionStart, held.selectionEnd] : null;
  return () => {
    for (const [keep, top, left] of scrolled) {
      const part = root.querySelector(`[data-keep="${keep}"]`);
      if (part) Object.assign(part, { scrollTop: top, scrollLeft: left });
    }
    if (!name || root.contains(held)) return;
    const same = root.querySelector(name);
    if (!same) return;
    same.focus({ preventScroll: true });
    if (caret && caret[0] !== null) same.setSelectionRange(...caret);
  };
}

/* A selector that finds the element among its like: its tag and all it carries as data, its link or its name. */
function nameOf(element) {
  const told = [...element.attributes].filter(({ name }) => name.startsWith('data-') || name === 'href' || name === 'name');
  return told.length ? element.tagName + told.map(({ name, value }) => `[${name}="${CSS.escape(value)}"]`).join('') : null;
}
