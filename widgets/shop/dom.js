/** Building elements from data, never from text that is parsed as HTML. */

/**
 * @typedef {Node|string|number|null|undefined|false} Child
 * @param {string} name tag, with classes after dots: `a.button.primary`
 * @param {Record<string, unknown>} [attributes] `onX` functions listen, everything else is set
 * @param {Child[]} children
 * @returns {HTMLElement}
 */
export function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split('.');
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value != null) element.setAttribute(key, String(value));
  }
  element.append(...children.filter((child) => child || child === 0).map((child) => /** @type {Node|string} */ (typeof child === 'number' ? String(child) : child)));
  return element;
}

const EUROS = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR', maximumFractionDigits: 0 });

/** @param {number} amount */
export function money(amount) {
  return EUROS.format(amount);
}
