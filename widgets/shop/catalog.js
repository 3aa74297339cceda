/** The catalogue: everything the demo shop sells. Pictures are `art/<slug>.svg`. */

/**
 * @typedef {object} Product
 * @property {string} slug last part of its address
 * @property {string} name
 * @property {'phones'|'accessories'} kind
 * @property {number} price in euros
 * @property {string} line one line for the card
 * @property {string} text
 * @property {[string, string][]} facts
 */

/** @type {readonly Product[]} */
export const PRODUCTS = [
  {
    slug: 'aurora-12', name: 'Aurora 12', kind: 'phones', price: 749,
    line: 'Night sky in your pocket',
    text: 'Three cameras that see more in the dark than you do, and a screen that stays readable in the sun.',
    facts: [['Screen', '6.4 inches, 120 Hz'], ['Camera', '50 + 12 + 12 MP'], ['Battery', '28 hours of talk'], ['Storage', '256 GB']],
  },
  {
    slug: 'aurora-12-mini', name: 'Aurora 12 Mini', kind: 'phones', price: 549,
    line: 'Everything, one hand',
    text: 'The same heart as the Aurora 12 in a body that a thumb can cross.',
    facts: [['Screen', '5.4 inches, 90 Hz'], ['Camera', '50 + 12 MP'], ['Battery', '22 hours of talk'], ['Storage', '128 GB']],
  },
  {
    slug: 'fjord-fold', name: 'Fjord Fold', kind: 'phones', price: 1290,
    line: 'Opens like a book',
    text: 'A phone on the way, a small desk when you have arrived. The hinge is guaranteed for ten years.',
    facts: [['Screen', '7.8 inches unfolded'], ['Camera', '64 + 12 MP'], ['Hinge', '400,000 folds'], ['Storage', '512 GB']],
  },
  {
    slug: 'pebble-5', name: 'Pebble 5', kind: 'phones', price: 229,
    line: 'Calm, round and affordable',
    text: 'Calls, messages, maps and music. A battery for four days, because it does little else.',
    facts: [['Screen', '5.0 inches'], ['Camera', '13 MP'], ['Battery', '4 days'], ['Storage', '64 GB']],
  },
  {
    slug: 'hush-headphones', name: 'Hush', kind: 'accessories', price: 189,
    line: 'Headphones that close the door',
    text: 'Over-ear headphones with noise cancelling that lets voices through when somebody speaks to you.',
    facts: [['Playing time', '40 hours'], ['Weight', '248 g'], ['Cable', '3.5 mm and USB-C']],
  },
  {
    slug: 'drift-earbuds', name: 'Drift', kind: 'accessories', price: 119,
    line: 'Earbuds for the way',
    text: 'Light enough to forget, with a case that fits the coin pocket.',
    facts: [['Playing time', '7 + 21 hours'], ['Weight', '4.6 g each'], ['Water', 'IPX5']],
  },
  {
    slug: 'loop-watch', name: 'Loop', kind: 'accessories', price: 249,
    line: 'A watch with nothing to prove',
    text: 'Time first. Then steps, sleep and the three messages that matter.',
    facts: [['Battery', '9 days'], ['Glass', 'Sapphire'], ['Water', '50 m']],
  },
  {
    slug: 'ember-charger', name: 'Ember', kind: 'accessories', price: 45,
    line: 'Lay down, warm up, go',
    text: 'A wireless charger for every phone of the last six years.',
    facts: [['Power', '15 W'], ['Cable', '1.5 m USB-C']],
  },
  {
    slug: 'tide-powerbank', name: 'Tide', kind: 'accessories', price: 59,
    line: 'Two days more',
    text: 'A power bank that charges itself and two phones at once.',
    facts: [['Capacity', '10,000 mAh'], ['Ports', '2 × USB-C'], ['Weight', '210 g']],
  },
  {
    slug: 'shell-case', name: 'Shell', kind: 'accessories', price: 29,
    line: 'A case that grows on trees',
    text: 'Made from plant fibre for the Aurora 12, and compostable after a long life.',
    facts: [['Fits', 'Aurora 12'], ['Drop test', '2 m']],
  },
];

/** @param {string} slug */
export function productOf(slug) {
  return PRODUCTS.find((product) => product.slug === slug);
}

/** What the shop calls a product in full. @param {Product} product */
export function titleOf(product) {
  return product.kind === 'phones' ? `${product.name} Phone` : product.name;
}
