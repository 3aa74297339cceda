/** What the engine decided about this visit and why, in words, as the history of the visit says it. */

// The words are the desk's: one sentence for one reason, wherever it is read.
import { clock, decisionWords, eventWords } from '/desk/words.js';
import { h } from './dom.js';

const LOOK = 2000; // ms

/** @typedef {{time: number, strategy?: string, reason?: string|null, sends?: unknown[]}} Decision */

/**
 * Shows the youngest decisions in `list` and the last in `line`, as long as the page is open.
 * @param {() => string} visit its id, '' before it is known
 * @param {HTMLElement} list @param {HTMLElement} line
 */
export async function follow(visit, list, line) {
  let shown = '';
  for (;;) {
    if (document.visibilityState === 'visible' && visit()) {
      const found = await decided(visit());
      if (found === null) return void line.replaceChildren('Decisions are shown where the API is open, on your own machine.');
      const text = JSON.stringify(found);
      if (text !== shown) show(found, list, line);
      shown = text;
    }
    await new Promise((resolve) => { setTimeout(resolve, LOOK); });
  }
}

/** @param {string} visit @returns {Promise<[string, Decision][]|null>} null where one may not ask */
async function decided(visit) {
  try {
    const answer = await fetch(`/server/data/visits/${encodeURIComponent(visit)}/events`);
    if (answer.status === 401 || answer.status === 403) return null;
    if (!answer.ok) return [];
    /** @type {{eventName: string, decisions?: Decision[]}[]} */ const events = await answer.json();
    return events.flatMap((event) => (event.decisions ?? []).map((one) => /** @type {[string, Decision]} */ ([event.eventName, one])));
  } catch {
    return [];
  }
}

/** @param {[string, Decision][]} found @param {HTMLElement} list @param {HTMLElement} line */
function show(found, list, line) {
  const rows = found.slice(-12).reverse().map(([event, decision]) => {
    const { sent, text } = decisionWords(decision);
    return { sent, text: `${clock(decision.time)} · ${eventWords(event)}: ${text}.` };
  });
  list.replaceChildren(...rows.map(({ sent, text }) => h(sent ? 'li.sent' : 'li', {}, text)));
  line.replaceChildren(rows[0]?.text ?? 'Nothing was decided yet.');
}
