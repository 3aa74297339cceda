/** The shop's own channel `shop.banner`: a line above the page that goes away by itself. */

import { h } from './dom.js';
import { onBanner } from './engage.js';

const LONG = 8; // seconds, where the message does not say

/** A strategy may only lead to pages of this shop. @param {unknown} address */
function own(address) {
  return typeof address === 'string' && /^\/(?![\\/])/.test(address);
}

/** @returns {HTMLElement} */
export function banners() {
  const place = h('div.banners', { role: 'status' });
  onBanner(({ text, seconds, links }) => {
    const here = (Array.isArray(links) ? links : []).filter(own);
    const line = h('p.banner', {}, String(text ?? ''), ...here.map((address) => h('a', { href: address }, 'Show me')));
    place.append(line);
    setTimeout(() => line.remove(), (Number(seconds) || LONG) * 1000);
  });
  return place;
}
