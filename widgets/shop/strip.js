/** The strip above every page: this visit as the engine knows it, and scenarios to play. */

import { follow } from './decisions.js';
import { h } from './dom.js';
import { ids, onConnection } from './engage.js';
import { play, resume, SCENARIOS, stop } from './scenarios.js';

const LOOK = 10000; // ms between looks at the agents

/** @param {string} id */
function short(id) {
  return id.slice(0, 8) + '…';
}

/** @returns {HTMLElement} */
export function strip() {
  const visit = h('code', { id: 'strip-visit', title: 'visitID' }, '…');
  const page = h('code', { id: 'strip-page', title: 'pageID' }, '…');
  const live = h('span.live', { id: 'strip-live', role: 'status' }, 'connecting');
  const agents = h('span', { id: 'strip-agents' });
  const last = h('span.last', { id: 'strip-last' });
  const list = h('ol', { id: 'strip-decisions' });
  let known = '';

  onConnection(({ state, transport }) => {
    live.dataset.state = state;
    live.textContent = state === 'live' ? `live (${transport === 'sse' ? 'SSE' : 'WebSocket'})` : state;
    ids((now) => {
      known = now.visitID;
      for (const [code, id] of /** @type {[HTMLElement, string][]} */ ([[visit, now.visitID], [page, now.pageID]])) {
        code.textContent = short(id);
        code.title = id;
      }
    });
  });
  watch(agents);
  const hint = h('p.strip-hint', { id: 'strip-hint', role: 'status' });
  follow(() => known, list, last, (sentence, isForGood) => {
    hint.replaceChildren(sentence, ...isForGood ? [' To be asked again, open the shop in a new private window, or', renewal('strip-hint-renew')] : []);
  });

  return h('aside.strip', { 'aria-label': 'Demo information' },
    h('div.facts-line', {}, h('span', {}, 'visit ', visit), h('span', {}, 'page ', page), live, agents, last),
    hint, panel(list));
}

/** What is shown on demand: scenarios and decisions. @param {HTMLElement} list */
function panel(list) {
  const says = h('p.says', { id: 'strip-says', role: 'status' });
  const open = h('details', { id: 'strip-panel' }, h('summary', {}, 'Play and explain'),
    h('div.panel', {},
      h('section', {}, h('h2', {}, 'Play a scenario'), h('p.actions', {}, ...buttons(says)), says),
      h('section', {}, h('h2', {}, 'What was decided, and why'), list)));
  // Open stays open on the next page: whoever plays watches.
  open.toggleAttribute('open', sessionStorage.getItem('shop.panel') === 'open');
  open.addEventListener('toggle', () => sessionStorage.setItem('shop.panel', open.hasAttribute('open') ? 'open' : ''));
  // When the page stands: the first step may need its buttons.
  queueMicrotask(() => resume((text) => says.replaceChildren(text)));
  return open;
}

/** @param {HTMLElement} says @returns {HTMLElement[]} */
function buttons(says) {
  const say = (/** @type {string} */ text) => says.replaceChildren(text);
  const plays = Object.entries(SCENARIOS).map(([key, { name, strategy, needs }]) => h('button.small', {
    type: 'button', 'data-scenario': key, title: `Strategy: ${strategy}${needs ? '; an agent must be ready' : ''}`,
    onclick: () => play(key, say),
  }, name));
  return [...plays,
    h('button.small.quiet', { type: 'button', id: 'strip-stop', onclick: stop }, 'Stop'),
    renewal('strip-renew')];
}

/** @param {string} id */
function renewal(id) {
  return h('button.small.quiet', { type: 'button', id, onclick: renew }, 'Be a new visitor');
}

/** Forgets this browser's visit, visitor, cart and customer, and begins again. */
async function renew() {
  await fetch('/server/data/visits', { method: 'DELETE' });
  addEventListener('pagehide', () => { sessionStorage.clear(); localStorage.clear(); });
  location.assign('/shop/');
}

/** @param {HTMLElement} place */
async function watch(place) {
  for (;;) {
    if (document.visibilityState === 'visible') place.replaceChildren(...await readiness());
    await new Promise((resolve) => { setTimeout(resolve, LOOK); });
  }
}

async function readiness() {
  const desk = h('a', { href: '/desk/', target: '_blank' }, 'open the desk');
  try {
    const response = await fetch('/api/status');
    if (!response.ok) return ['agents: not shown here'];
    const { agents } = await response.json();
    const ready = agents?.chat ?? 0;
    if (ready > 0) return [`${ready} ${ready === 1 ? 'agent' : 'agents'} ready to chat`];
    return ['nobody is ready to chat: ', desk];
  } catch {
    return ['the server does not answer'];
  }
}
