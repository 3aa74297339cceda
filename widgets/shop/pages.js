/** The pages of the shop, each a function that gives its content and sets the title. */

import { change, customer, empty, lines, remember, size, total } from './cart.js';
import { PRODUCTS, productOf, titleOf } from './catalog.js';
import { h, money } from './dom.js';
import { addedToCart, ordered, paymentFailed, signedIn } from './engage.js';

/** @typedef {import('./catalog.js').Product} Product */

/** @param {string} text */
function title(text) {
  document.title = `${text} · Larkspur`;
}

/** @param {Product} product @param {string} [sizes] class of the picture */
function picture(product, sizes = '') {
  return h('img', { class: sizes || null, src: `/shop/art/${product.slug}.svg`, alt: '', width: 400, height: 300 });
}

/** @param {Product} product */
function card(product) {
  return h('li.card', {}, h('a', { href: `/products/${product.slug}` },
    picture(product),
    h('div.card-text', {},
      h('h3', {}, titleOf(product)),
      h('p', {}, product.line),
      h('p.price', {}, money(product.price)))));
}

/** @param {readonly Product[]} some */
function grid(some) {
  return h('ul.grid', {}, ...some.map(card));
}

export function home() {
  const star = PRODUCTS[0];
  return h('div', {},
    h('section.hero', {},
      h('div.hero-text', {},
        h('p.kicker', {}, 'New this autumn'),
        h('h1', {}, 'A phone for the blue hour.'),
        h('p', {}, star.text),
        h('p.actions', {},
          h('a.button.primary', { href: `/products/${star.slug}` }, `See the ${star.name}`),
          h('a.button', { href: '/products' }, 'All products'))),
      picture(star, 'hero-picture')),
    h('section', {},
      h('h2', {}, 'Popular now'),
      grid([PRODUCTS[1], PRODUCTS[4], PRODUCTS[3], PRODUCTS[6]])),
    h('section.promises', {},
      ...[['Tomorrow at your door', 'Ordered before six, delivered the next day.'],
        ['Thirty days to decide', 'Send it back, no questions asked.'],
        ['People who answer', 'If you hesitate, we may offer you a chat.']]
        .map(([head, text]) => h('div', {}, h('h3', {}, head), h('p', {}, text)))));
}

export function products() {
  const kind = new URLSearchParams(location.search).get('kind');
  /** @type {[string|null, string][]} */
  const kinds = [[null, 'Everything'], ['phones', 'Phones'], ['accessories', 'Accessories']];
  const chips = kinds.map(([name, text]) => h('a.chip', {
    href: name ? `/products?kind=${name}` : '/products', 'aria-current': name === kind && 'page',
  }, text));
  const some = PRODUCTS.filter((one) => !kind || one.kind === kind);
  const { form, found } = search(some);
  return h('section', {},
    h('h1', {}, 'Products'),
    form,
    h('p.chips', {}, ...chips),
    found);
}

/** Finds while one types; the number found stands in the page, where a capture can read it.
 * @param {readonly Product[]} some */
function search(some) {
  const asked = new URLSearchParams(location.search).get('q') ?? '';
  const input = /** @type {HTMLInputElement} */ (h('input', { id: 'search', name: 'q', type: 'search', value: asked, placeholder: 'Search the products', 'aria-label': 'Search the products' }));
  const found = h('div', { id: 'results' });
  const said = h('p.hint', { role: 'status' });
  const show = () => {
    const words = input.value.trim().toLowerCase().split(/\s+/);
    const hits = some.filter((one) => words.every((word) => `${titleOf(one)} ${one.line} ${one.kind}`.toLowerCase().includes(word)));
    found.dataset.results = String(hits.length);
    found.replaceChildren(hits.length ? grid(hits) : h('div.empty', {}, h('p', {}, `Nothing is called “${input.value}”.`)));
    said.textContent = input.value.trim() ? `${hits.length} of ${some.length} products` : '';
  };
  input.addEventListener('input', show);
  show();
  const submit = (/** @type {SubmitEvent} */ event) => { event.preventDefault(); show(); };
  return { form: h('form.search', { role: 'search', onsubmit: submit }, input, h('button.button', { type: 'submit' }, 'Search'), said), found };
}

export function product() {
  const found = productOf(location.pathname.split('/')[2] ?? '');
  if (!found) return missing();
  title(titleOf(found));
  const said = h('p.said', { role: 'status' });
  const add = () => {
    change(found.slug, 1);
    addedToCart(found);
    said.replaceChildren('In your cart. ', h('a', { href: '/cart' }, 'Go to the cart'));
  };
  return h('article.product', {},
    picture(found, 'product-picture'),
    h('div', {},
      h('p.kicker', {}, found.kind === 'phones' ? 'Phone' : 'Accessory'),
      h('h1.product-name', {}, titleOf(found)),
      h('p.lead', {}, found.line),
      h('p', {}, found.text),
      h('p.price.large', {}, money(found.price)),
      h('p.actions', {}, h('button.button.primary.add-to-cart', { type: 'button', 'data-price': found.price, onclick: add }, 'Add to cart')),
      said,
      offer(),
      h('dl.facts', {}, ...found.facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]))),
    h('section.also', {}, h('h2', {}, 'Goes well with it'), grid(others(found))));
}

/** Where content appears; what has come is brought into view. */
function offer() {
  const place = h('div', { id: 'offer' });
  new ResizeObserver(() => { if (place.firstChild) place.scrollIntoView({ block: 'nearest' }); }).observe(place);
  return place;
}

/** @param {Product} product */
function others(product) {
  return PRODUCTS.filter((one) => one.kind === 'accessories' && one !== product).slice(-3);
}

function missing() {
  title('Not found');
  return h('section.narrow', {}, h('h1', {}, 'We do not have this'),
    h('p', {}, 'There is no product at this address.'),
    h('p.actions', {}, h('a.button.primary', { href: '/products' }, 'See all products')));
}

/** @param {string} text */
function nothingYet(text) {
  return h('div.empty', {}, h('p', {}, text), h('p.actions', {}, h('a.button.primary', { href: '/products' }, 'See all products')));
}

export function cart() {
  const list = h('div');
  const show = () => list.replaceChildren(size() ? cartList() : nothingYet('Your cart is empty.'));
  addEventListener('shop:cart', show);
  show();
  return h('section.narrow', {}, h('h1', {}, 'Your cart'), list);
}

function cartList() {
  return h('div', {},
    h('ul.lines', {}, ...lines().map(({ product, count }) => h('li', {},
      picture(product),
      h('a.line-name', { href: `/products/${product.slug}` }, titleOf(product)),
      h('span.stepper', {}, step(product, -1), h('span', { 'aria-label': 'Number' }, count), step(product, 1)),
      h('strong', {}, money(product.price * count))))),
    sum(),
    h('p.actions', {},
      h('a.button.primary', { href: '/checkout/basket' }, 'To the checkout'),
      h('a.button', { href: '/products' }, 'Keep looking')));
}

/** @param {Product} product @param {1|-1} by */
function step(product, by) {
  const press = () => {
    change(product.slug, by);
    if (by > 0) addedToCart(product);
  };
  const label = `${by > 0 ? 'One more' : 'One less'}: ${product.name}`;
  return h('button', { type: 'button', onclick: press, 'aria-label': label }, by > 0 ? '+' : '−');
}

function sum() {
  return h('p.sum', {}, h('span', {}, 'Total'), h('strong', {}, money(total())));
}

export function checkout() {
  if (!size()) return h('section.narrow', {}, h('h1', {}, 'Checkout'), nothingYet('There is nothing to pay for yet.'));
  const who = customer();
  const problem = h('p.problem', { role: 'alert' });
  const order = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (new FormData(/** @type {HTMLFormElement} */ (event.target)).get('card') === 'refused') {
      paymentFailed('declined');
      problem.textContent = 'The bank has refused this card. Try another one.';
      return;
    }
    ordered(total());
    sessionStorage.setItem('shop.order', String(total()));
    empty();
    location.assign('/thank-you');
  };
  return h('section.checkout', {},
    h('div', {},
      h('h1', {}, 'Checkout'),
      h('form.form', { onsubmit: order },
        field('Name', 'name', who?.name ?? '', { autocomplete: 'name', required: true }),
        field('Street and number', 'street', '', { autocomplete: 'street-address' }),
        h('div.pair', {},
          field('Postcode', 'postal', '', { autocomplete: 'postal-code', inputmode: 'numeric' }),
          field('Town', 'town', '', { autocomplete: 'address-level2' })),
        h('label.field', {}, h('span', {}, 'Card'), h('select', { name: 'card' },
          h('option', { value: 'good' }, 'Demo card'), h('option', { value: 'refused' }, 'Demo card that the bank refuses'))),
        problem,
        h('p.hint', {}, 'This is a demo: what you write here is sent to nobody.'),
        h('button.button.primary.wide', { type: 'submit' }, `Order for ${money(total())}`))),
    h('aside.summary', {},
      h('h2', {}, 'Your order'),
      h('ul', {}, ...lines().map(({ product, count }) => h('li', {},
        h('span', {}, `${count} × ${titleOf(product)}`), h('span', {}, money(product.price * count))))),
      sum()));
}

/** @param {string} label @param {string} name @param {string} value @param {Record<string, unknown>} more */
function field(label, name, value, more) {
  return h('label.field', {}, h('span', {}, label), h('input', { name, value, ...more }));
}

export function thankYou() {
  const paid = Number(sessionStorage.getItem('shop.order'));
  return h('section.narrow.centre', {},
    h('div.tick', { 'aria-hidden': 'true' }, '✓'),
    h('h1', {}, 'Thank you!'),
    h('p.lead', {}, paid ? `Your order of ${money(paid)} is on its imaginary way.` : 'Come back when you have found something.'),
    h('p.actions', {}, h('a.button.primary', { href: '/shop/' }, 'Back to the shop')));
}

export function signIn() {
  const enter = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const email = String(form.get('email'));
    const who = { userId: email, email, name: String(form.get('name')), vip: form.get('vip') === 'yes' };
    remember(who);
    sessionStorage.setItem('shop.recognised', 'yes');
    signedIn(who);
    location.assign('/shop/');
  };
  return h('section.narrow', {},
    h('h1', {}, 'Sign in'),
    h('form.form', { onsubmit: enter },
      field('Name', 'name', '', { autocomplete: 'name', required: true }),
      field('E-mail', 'email', '', { type: 'email', autocomplete: 'email', required: true }),
      h('label.check', {}, h('input', { type: 'checkbox', name: 'vip', value: 'yes' }), 'I am a member of the Larkspur club'),
      h('p.hint', {}, 'A demo: everybody gets in, without a password. Your own Overture server learns what you write.'),
      h('button.button.primary.wide', { type: 'submit' }, 'Sign in')));
}

export function help() {
  return h('article.narrow', {},
    h('h1', {}, 'Delivery and returns'),
    h('p.lead', {}, 'Ordered before six, delivered tomorrow; thirty days to decide.'),
    h('h2', {}, 'When does it come?'),
    h('p', {}, 'Our carrier, Swift Parcels, brings it on the next working day, between eight and six.'),
    h('h2', {}, 'And if it does not fit?'),
    h('p', {}, 'Put it back into its box: the label for the way back is inside.'));
}
