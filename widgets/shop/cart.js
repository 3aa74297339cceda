/** The cart and the customer: what this browser keeps for the demo shop. */

import { productOf } from './catalog.js';

/** @typedef {import('./catalog.js').Product} Product */
/** @typedef {{product: Product, count: number}} Line */

/** @returns {Record<string, number>} */
function counts() {
  try {
    return JSON.parse(localStorage.getItem('shop.cart') ?? '{}');
  } catch {
    return {};
  }
}

/** @param {Record<string, number>} now */
function keep(now) {
  localStorage.setItem('shop.cart', JSON.stringify(now));
  dispatchEvent(new CustomEvent('shop:cart'));
}

/** @returns {Line[]} */
export function lines() {
  return Object.entries(counts()).flatMap(([slug, count]) => {
    const product = productOf(slug);
    return product ? [{ product, count }] : [];
  });
}

/** The sum in euros. */
export function total() {
  return lines().reduce((sum, line) => sum + line.product.price * line.count, 0);
}

/** How many things are in the cart. */
export function size() {
  return lines().reduce((sum, line) => sum + line.count, 0);
}

/** Changes how many of a product are in the cart; none takes it out.
 * @param {string} slug @param {number} change */
export function change(slug, change) {
  const now = counts();
  now[slug] = Math.max(0, Math.min(99, (now[slug] ?? 0) + change));
  if (now[slug] === 0) delete now[slug];
  keep(now);
}

export function empty() {
  keep({});
}

/** @typedef {{userId: string, name: string, email: string, vip: boolean}} Customer */

/** @returns {Customer|null} */
export function customer() {
  try {
    return JSON.parse(localStorage.getItem('shop.customer') ?? 'null');
  } catch {
    return null;
  }
}

/** @param {Customer|null} who */
export function remember(who) {
  if (who) localStorage.setItem('shop.customer', JSON.stringify(who));
  else localStorage.removeItem('shop.customer');
}
