/** What the shop tells the tracker: the only file that knows `_gt`. */

import { customer, total } from './cart.js';
import { titleOf } from './catalog.js';

/** @type {{push(...entries: unknown[]): number}} */
const _gt = (/** @type {any} */ (window)._gt ??= []);

/** @param {import('./catalog.js').Product} product */
export function addedToCart(product) {
  const data = { productName: titleOf(product), price: product.price, cartTotal: total() };
  _gt.push(['event', 'AddToCart', { data }]);
}

/** @param {number} sum */
export function ordered(sum) {
  _gt.push(['event', 'Order', { data: { total: sum } }]);
}

/** @param {string} code the bank's word */
export function paymentFailed(code) {
  _gt.push(['event', 'PaymentFailed', { data: { code } }]);
}

/** Where the tracker finds what a strategy asks of the page: `dataLayer.cart.total`. */
export function publishCart() {
  /** @type {any} */ (window).dataLayer = { cart: { total: total() } };
}

/** @param {import('./cart.js').Customer} who */
export function signedIn({ userId, name, email, vip }) {
  _gt.push(['event', 'SignIn', { data: { userId, name, email } }]);
  _gt.push(['event', 'UserInfo', { data: { userId, vip } }]);
}

export function signedOut() {
  _gt.push(['event', 'SignOut', { data: { userId: customer()?.userId ?? '' } }]);
}

/** A customer who is still signed in on a new visit is recognised, once in it. */
export function recognise() {
  const who = customer();
  if (!who || sessionStorage.getItem('shop.recognised')) return;
  sessionStorage.setItem('shop.recognised', 'yes');
  _gt.push(['event', 'UserInfo', { data: { userId: who.userId, vip: who.vip } }]);
}

/** @param {(ids: {visitID: string, pageID: string}) => void} callback */
export function ids(callback) {
  _gt.push(['getIDs', callback]);
}

/** @param {(state: {state: string, transport: string|null}) => void} callback */
export function onConnection(callback) {
  _gt.push(['on', 'overture.state', callback]);
}

/** @param {(data: Record<string, unknown>) => void} callback gets the data of each `shop.banner` */
export function onBanner(callback) {
  _gt.push(['on', 'shop.banner', callback]);
}
