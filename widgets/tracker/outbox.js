/** Events out: in order, in batches, repeated with the same ids until the server has them. */

import { BATCH_BYTES, backoff, debug, guarded, isRefusal, post, settings, store, warn } from './ground.js';

/**
 * @typedef {import('./live.js').Who} Who
 * @typedef {import('./live.js').TrackedEvent} TrackedEvent
 * @typedef {import('./live.js').Reply} Reply
 * @typedef {ReturnType<typeof import('./identity.js').createIdentity>} Identity
 */

const BATCH = 50;              // events in one request
const WAITING = 1000;          // events kept while the server cannot be reached
const DELAY = 50;              // ms: events of one moment travel together
const UNREADY = 3000;          // ms for which events wait for a page that is still being made

/** Events in order, in batches, repeated with the same ids until the server has them.
 * @param {Identity} identity
 * @param {() => boolean} isReady are the events complete, as far as they can be?
 * @param {() => void} beforeSend the last moment to complete an event
 * @param {() => void} sent called when a batch was answered */
export function createOutbox(identity, isReady, beforeSend, sent) {
  // What the page before could not prove to have delivered goes first: its exit precedes our entry,
  // whether or not its beacon arrived, and the server knows repeated events by their ids.
  /** @type {TrackedEvent[]} */ let pending = [];
  /** @type {number|undefined} */ let timer;
  let sending = false;
  let attempt = 0;
  let oneByOne = 0;

  function recall() {
    const kept = store.get('pending');
    store.remove('pending');
    if (Array.isArray(kept)) pending = [...kept.slice(-WAITING), ...pending];
  }

  /** @param {number} delay */
  function schedule(delay) { if (timer === undefined) timer = setTimeout(flush, delay); }

  /** @param {TrackedEvent} event @param {boolean} [first] */
  function add(event, first) {
    if (settings.consent === 'none') return;
    if (first) pending.unshift(event); else pending.push(event);
    if (pending.length > WAITING) pending.shift();
    schedule(DELAY);
  }

  /** The first events that fit into one request. @param {TrackedEvent[]} events @param {number} most */
  function batchOf(events, most) {
    let bytes = 0;
    const fits = events.slice(0, most).findIndex((event) => (bytes += JSON.stringify(event).length) > BATCH_BYTES);
    return events.slice(0, fits < 0 ? most : Math.max(1, fits));
  }

  /** @param {TrackedEvent[]} batch @param {Who} who */
  function encoded(batch, { visitID, globalVisitID }) {
    return JSON.stringify(batch.map((event) => ({ ...event, visitID, globalVisitID })));
  }

  async function flush() {
    clearTimeout(timer);
    timer = undefined;
    const who = identity.current();
    if (sending || !who || !pending.length) return;
    if (!isReady() && performance.now() < UNREADY) return schedule(DELAY);
    beforeSend();
    sending = true;
    const batch = batchOf(pending, oneByOne ? 1 : BATCH);
    const reply = await post('/server/data/events', encoded(batch, who), { 'X-Overture-Token': who.token });
    sending = false;
    settle(batch, reply);
    sent();
  }

  /** @param {TrackedEvent[]} batch @param {Reply} reply */
  function settle(batch, reply) {
    const { status, answer, retryAfter } = reply;
    if (status >= 200 && status < 300) {
      done(batch);
    } else if (status === 403 && answer.code !== 'origin') {
      identity.renew(attempt++);
    } else if (status !== 403 && isRefusal(status)) {
      // A batch is accepted as a whole: sent one by one, the event that spoils it is found.
      if (batch.length > 1) oneByOne = batch.length;
      else warn('The server refused the event', batch[0].eventName + ':', answer.error || status);
      if (batch.length === 1) done(batch);
      schedule(0);
    } else {
      schedule(Math.max(retryAfter * 1000, backoff(attempt++)));
    }
  }

  /** @param {TrackedEvent[]} batch */
  function done(batch) {
    const gone = new Set(batch);
    pending = pending.filter((event) => !gone.has(event));
    oneByOne = Math.max(0, oneByOne - 1);
    attempt = 0;
    if (pending.length) schedule(0);
  }

  /** The page goes away: everything not yet answered leaves now, and is kept for the next page. */
  function leave() {
    if (!pending.length) return;
    beforeSend();
    store.set('pending', pending);
    const who = identity.current();
    if (!who) return;
    const address = settings.base + '/server/data/events?token=' + encodeURIComponent(who.token);
    for (let rest = pending; rest.length;) {
      const batch = batchOf(rest, BATCH);
      if (!goes(address, encoded(batch, who))) return;
      rest = rest.slice(batch.length);
    }
  }

  /** A beacon carries the cookies that are there. @param {string} address @param {string} body */
  function goes(address, body) {
    if (settings.consent === 'full') return navigator.sendBeacon(address, new Blob([body], { type: 'application/json' }));
    fetch(address, { method: 'POST', body, keepalive: true, credentials: 'omit', headers: { 'Content-Type': 'application/json' } }).catch(debug);
    return true;
  }

  /** The page came back as it was: whatever is unanswered is sent again. */
  function resume() {
    store.remove('pending');
    schedule(0);
  }

  return { add, recall, flush: guarded(() => { flush(); }), leave, resume, clear() { pending = []; store.remove('pending'); } };
}
