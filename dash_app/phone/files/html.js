/* Markup from templates: every value is escaped unless it is markup itself. */
class Markup {
  constructor(text) { this.text = text; }
  toString() { return this.text; }
}

const SIGNS = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function written(value) {
  if (value === null || value === undefined || value === false || value === true) return '';
  if (Array.isArray(value)) return value.map(written).join('');
  return value instanceof Markup ? value.text : String(value).replace(/[&<>"']/g, (sign) => SIGNS[sign]);
}

export function html(strings, ...values) {
  return new Markup(strings.reduce((text, part, i) => text + part + (i < values.length ? written(values[i]) : ''), ''));
}

/* An attribute without a value where `on`, nothing where not. */
export function when(on, attribute) {
  return on ? new Markup(' ' + attribute) : '';
}

export function put(element, markup) {
  element.innerHTML = written(markup);
  return element;
}

export function icon(name, cls = '') {
  return html`<svg class="i ${cls}" viewBox="0 0 20 20" aria-hidden="true"><use href="#i-${name}"/></svg>`;
}

export function logo() {
  return new Markup(document.getElementById('logo').innerHTML);
}
