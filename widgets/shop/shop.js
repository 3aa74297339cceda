/** The shop: puts header, the page that `data-page` names, and footer together. */

import { banners } from './banner.js';
import { customer, remember, size } from './cart.js';
import { h } from './dom.js';
import { publishCart, recognise, signedOut } from './engage.js';
import { cart, checkout, help, home, product, products, signIn, thankYou } from './pages.js';
import { strip } from './strip.js';

/** @type {Record<string, () => HTMLElement>} */
const PAGES = { home, products, product, cart, checkout, thankYou, signIn, help };

/** @param {string} address @param {string} text */
function link(address, text) {
  const here = location.pathname.replace(/\/$/, '') === address.replace(/\/$/, '');
  return h('a', { href: address, 'aria-current': here && 'page' }, text);
}

function account() {
  const who = customer();
  if (!who) return link('/sign-in', 'Sign in');
  const leave = () => {
    signedOut();
    remember(null);
    location.assign('/shop/');
  };
  return h('button.plain', { onclick: leave, title: `Signed in as ${who.name}` }, 'Sign out');
}

function cartLink() {
  const count = h('span.count', { id: 'cart-count' });
  const show = () => {
    count.textContent = String(size());
    count.hidden = size() === 0;
  };
  addEventListener('shop:cart', show);
  show();
  return h('a.to-cart', { href: '/cart' }, 'Cart', count);
}

function header() {
  const logo = h('img', { src: '/shop/icon.svg', alt: '', width: 32, height: 32 });
  return h('header.top', {}, h('div.inner', {},
    h('a.brand', { href: '/shop/' }, logo, h('span.brand-name', {}, 'Larkspur')),
    h('nav', { 'aria-label': 'Shop' }, link('/products', 'Products'), link('/help/delivery', 'Help'), account(), cartLink())));
}

function footer() {
  return h('footer.bottom', {}, h('p', {},
    'Larkspur is the demo shop of Overture: nothing is sold, nothing is delivered.'));
}

const page = PAGES[document.body.dataset.page ?? 'home'] ?? home;
document.body.append(
  h('a.skip', { href: '#main' }, 'To the content'),
  strip(),
  header(),
  banners(),
  h('main', { id: 'main' }, page()),
  footer(),
);
recognise();
publishCart();
addEventListener('shop:cart', publishCart);
