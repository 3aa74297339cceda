/**
 * Plays a visitor: each scenario walks through the real pages, presses their buttons and waits, so
 * that real events reach the engine and the sample strategies decide. A step outlives its page.
 */

/**
 * @typedef {{go: string} | {press: string} | {fill: Record<string, string>} | {choose: string, value: string}
 *   | {wait: number, say: string} | {leave: true}} Step
 * @typedef {{name: string, strategy: string, needs?: string, steps: Step[]}} Scenario
 */

const PAUSE = 900; // ms between steps, so that somebody can watch
const KEY = 'shop.play';

/** @type {Record<string, Scenario>} */
export const SCENARIOS = {
  chat: {
    name: 'Our own chat', strategy: 'Chat about a cart that stands still', needs: 'chat',
    steps: [
      { go: '/products/hush-headphones' }, { press: '.add-to-cart' }, { go: '/cart' },
      { wait: 15, say: 'The visitor hesitates in front of the cart' },
    ],
  },
  callback: {
    name: 'Callback', strategy: 'A call when the payment fails, or A call before they go',
    steps: [
      { go: '/sign-in' }, { fill: { name: 'Eva Berg', email: 'eva@example.com' } }, { press: 'main form button' },
      { go: '/products/fjord-fold' }, { press: '.add-to-cart' }, { go: '/checkout/basket' },
      { fill: { name: 'Eva Berg' } }, { choose: 'card', value: 'refused' },
      { press: 'main form button' }, { press: 'main form button' },
      { wait: 3, say: 'The bank has refused twice; in office hours a call is offered' },
      { go: '/cart' }, { leave: true },
      { wait: 2, say: 'Else the visitor turns to leave with a full cart' },
    ],
  },
  gms: {
    name: 'GMS chat', strategy: 'GMS chat for hesitant buyers', needs: 'chat',
    steps: [
      { go: '/products/pebble-5' }, { go: '/products/fjord-fold' }, { go: '/products/aurora-12' },
      { press: '.add-to-cart' }, { go: '/checkout/basket' },
      { wait: 30, say: 'The visitor hesitates at the checkout' },
    ],
  },
  partner: {
    name: 'Third-party chat', strategy: 'The partner helps with deliveries',
    steps: [{ go: '/help/delivery' }, { wait: 10, say: 'The visitor reads about deliveries' }],
  },
  content: {
    name: 'Content', strategy: 'A charger for the watch',
    steps: [{ go: '/products/loop-watch' }, { press: '.add-to-cart' }, { wait: 2, say: 'The offer appears in the page' }],
  },
};

/** @typedef {{scenario: string, step: number}} Place */

/** @returns {Place|null} where the play stands */
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

/** @param {Place|null} place */
function keep(place) {
  if (place) sessionStorage.setItem(KEY, JSON.stringify(place));
  else sessionStorage.removeItem(KEY);
}

/** @param {string} scenario @param {(sentence: string) => void} say */
export function play(scenario, say) {
  keep({ scenario, step: 0 });
  resume(say);
}

export function stop() {
  keep(null);
}

/** Goes on where the page before stopped. @param {(sentence: string) => void} say what happens now */
export async function resume(say) {
  for (let place = kept(); place; place = kept()) {
    const { name, steps } = SCENARIOS[place.scenario] ?? { name: '', steps: [] };
    const step = steps[place.step];
    if (!step || isInvited()) {
      keep(null);
      return say(`${name}: played. What was decided stands beside.`);
    }
    say(`${name}: ${words(step)}`);
    await pause('wait' in step ? step.wait * 1000 : PAUSE);
    if (JSON.stringify(kept()) !== JSON.stringify(place)) return say('Stopped.');
    keep({ ...place, step: place.step + 1 });
    if ('go' in step) return location.assign(step.go);
    act(step);
  }
}

/** An invitation is on the page: to walk on would take it away. */
function isInvited() {
  return document.querySelector('iframe[src*="/frontend/resources/invite"]') !== null;
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

/** @param {Step} step */
function words(step) {
  if ('go' in step) return `to ${step.go}`;
  if ('wait' in step) return `${step.say} (${step.wait} s)`;
  if ('leave' in step) return 'the pointer leaves the page';
  return 'press' in step ? 'presses a button' : 'fills in the form';
}

/** @param {Step} step */
function act(step) {
  if ('press' in step) /** @type {HTMLElement|null} */ (document.querySelector(step.press))?.click();
  if ('choose' in step) write(step.choose, step.value);
  if ('fill' in step) for (const [name, value] of Object.entries(step.fill)) write(name, value);
  if ('leave' in step) document.documentElement.dispatchEvent(new MouseEvent('mouseout', { bubbles: true, clientY: -1 }));
}

/** @param {string} name @param {string} value */
function write(name, value) {
  const field = /** @type {HTMLInputElement|null} */ (document.querySelector(`main [name="${name}"]`));
  if (field) field.value = value;
}
