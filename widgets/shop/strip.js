/** The strip below every page: what the engine knows of this visit, for whoever tries the demo. */

import { h } from './dom.js';
import { ids, onConnection } from './engage.js';

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

  onConnection(({ state, transport }) => {
    live.dataset.state = state;
    live.textContent = state === 'live' ? `live (${transport === 'sse' ? 'SSE' : 'WebSocket'})` : state;
    ids((now) => {
      for (const [code, id] of /** @type {[HTMLElement, string][]} */ ([[visit, now.visitID], [page, now.pageID]])) {
        code.textContent = short(id);
        code.title = id;
      }
    });
  });
  watch(agents);

  return h('aside.strip', { 'aria-label': 'Demo information' },
    h('span', {}, 'visit ', visit), h('span', {}, 'page ', page), live, agents);
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
