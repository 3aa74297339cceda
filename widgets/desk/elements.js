// @ts-check
/** Making elements. Text is always text: there is no way from here to HTML. */

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes `class`, `role`, `aria-..` and the like
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** @param {string} id @returns {any} */
export function place(id) {
  return document.getElementById(id);
}

/** Change a text only when it differs, so that screen readers are not called for nothing. @param {string} id @param {string} text */
export function write(id, text) {
  const element = place(id);
  if (element.textContent !== text) element.textContent = text;
}
