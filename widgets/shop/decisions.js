/** What the engine decided about this visit and why, in words, as the history of the visit says it. */

// The words are the desk's: one sentence for one reason, wherever it is read.
import { clock, decisionWords, eventWords } from '/desk/words.js';
import { h } from './dom.js';

const LOOK = 2000; // ms

/** @typedef {{time: number, strategy?: string, reason?: string|null, sends?: unknown[]}} Decision */

/** @type {Record<string, string>} why the same visitor will not be asked, however long one waits */
const IN_THE_WAY = {
  limit: 'has asked this visitor as often as the book allows (a limit: the sample book interrupts at most twice a visit and three times a week).',
  unless: 'leaves this visitor alone, because of what they did or answered before.',
  'one-at-a-time': 'waits: another invitation is still open. Answer it first.',
};

/**
 * Shows the youngest decisions in `list` and the last in `line`, as long as the page is open.
 * @param {() => string} visit its id, '' before it is known
 * @param {HTMLElement} list @param {HTMLElement} line
 * @param {(sentence: string, isForGood: boolean) => void} tell why nothing happens, '' when something did;
 *   for good: only a new visitor is asked again
 */
export async function follow(visit, list, line, tell) {
  let shown = '';
  for (;;) {
    if (document.visibilityState === 'visible' && visit()) {
      const found = await decided(visit());
      if (found === null) return void line.replaceChildren('Decisions are shown where the API is open, on your own machine.');
      const text = JSON.stringify(found);
      if (text !== shown) {
        show(found, list, line);
        tell(...hindrance(found));
      }
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

/** What stands in the way of the youngest moment: nothing, when something was sent in it.
 * @param {[string, Decision][]} found @returns {[string, boolean]} */
function hindrance(found) {
  const last = found.at(-1)?.[1];
  const moment = found.map(([, one]) => one).filter((one) => one.time === last?.time);
  const held = moment.find((one) => IN_THE_WAY[one.reason ?? '']);
  if (!held || moment.some((one) => !one.reason)) return ['', false];
  const refused = held.reason === 'unless' && found.some(([event]) => event === 'InvitationRejected');
  const why = refused ? 'leaves this visitor alone: they have said no.' : IN_THE_WAY[held.reason ?? ''];
  return [`“${held.strategy}” ${why}`, held.reason !== 'one-at-a-time'];
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
