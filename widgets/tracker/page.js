/** The page: one view of it from entry to exit, how long somebody looked at it, and its routes. */

import { guarded, newId, settings } from './ground.js';

/**
 * @typedef {import('./live.js').TrackedEvent} TrackedEvent
 * @typedef {import('./live.js').Data} Data
 */

const SAMPLE = 1000;           // ms between two looks whether somebody looks
const SYSTEM = new Set(['VisitStarted', 'PageEntered', 'PageExited', 'SignIn', 'SignOut', 'UserInfo',
  'InvitationShown', 'InvitationAccepted', 'InvitationRejected', 'InvitationTimedOut']);

/** How long somebody looked at the page: it was visible and had the focus, it or a frame in it.
 * Sampled, because a window is not told when a frame in it loses the focus. */
export function createAttention() {
  let spent = 0;
  let last = performance.now();
  let there = false;

  function sample() {
    const now = performance.now();
    // A machine that slept, or a page that was kept for the way back, was not looked at.
    if (there) spent += Math.min(now - last, 2 * SAMPLE);
    last = now;
    there = document.visibilityState === 'visible' && document.hasFocus();
    return Math.round(spent);
  }

  setInterval(sample, SAMPLE);
  for (const name of ['focus', 'blur', 'visibilitychange']) addEventListener(name, sample);
  sample();
  return { spent: sample, reset() { sample(); spent = 0; } };
}

/** One view of one page: its id, how it begins and ends, and the making of events.
 * @param {(event: TrackedEvent, first?: boolean) => void} add
 * @param {ReturnType<typeof createAttention>} attention */
export function createPage(add, attention) {
  /** @type {{id: string, url: string, title: string, referrer: string, open: boolean}} */
  const page = { id: newId(), url: location.href, title: '', referrer: document.referrer, open: false };
  /** @type {TrackedEvent|null} */ let entered = null;
  /** @type {() => void} */ let changed = () => {};

  /** @param {string} name @param {Data} data @returns {TrackedEvent} */
  function make(name, data) {
    return {
      eventName: name, eventType: SYSTEM.has(name) ? 'SYSTEM' : 'BUSINESS', eventID: newId(),
      timestamp: Date.now(), pageID: page.id,
      url: page.url.slice(0, 8192), title: document.title.slice(0, 4096),
      languageCode: (settings.languageCode || document.documentElement.lang || navigator.language || '').slice(0, 64),
      // A copy as JSON: what the site changes later, or what is no data, does not travel.
      data: JSON.parse(JSON.stringify(data)),
    };
  }

  /** @param {string} name @param {Data} [data] */
  function record(name, data = {}) {
    const event = make(name, data);
    add(event);
    return event;
  }

  function enter() {
    Object.assign(page, { url: location.href, title: '', open: true });
    attention.reset();
    entered = make('PageEntered', page.referrer ? { referrer: page.referrer.slice(0, 4096) } : {});
    add(entered);
    const own = entered;
    // A route's title is set right after its address; the page may be left before anything is sent.
    queueMicrotask(() => { if (own === entered && own.pageID === page.id) own.title = document.title.slice(0, 4096); });
  }

  function exit() {
    if (!page.open) return;
    page.open = false;
    // The document may already bear the next route's title.
    add({ ...make('PageExited', { attention: attention.spent() }), title: page.title || document.title });
  }

  /** The same document shows another page: a route of an application, or it came back from the cache. */
  function renew() {
    if (settings.consent === 'none') return;
    exit();
    page.referrer = page.url;
    page.id = newId();
    enter();
    changed();
  }

  /** What makes an address another page. @param {string} address @param {boolean} path only the path */
  function place(address, path) {
    const url = new URL(address);
    const isRoute = settings.hashRoutes ?? /^#[!/]/.test(url.hash);
    return url.origin + url.pathname + (path ? '' : url.search) + (isRoute ? url.hash : '');
  }

  /** @param {boolean} replaced the address was replaced: a new query then only notes a state */
  function route(replaced) {
    if (!page.open || location.href === page.url) return;
    if (place(location.href, replaced) !== place(page.url, replaced)) renew();
    else page.url = location.href;
  }

  function watchRoutes() {
    /** @param {'pushState'|'replaceState'} name */
    const wrap = (name) => {
      const original = history[name];
      history[name] = function (...args) {
        original.apply(this, args);
        guarded(route)(name === 'replaceState');
      };
    };
    wrap('pushState');
    wrap('replaceState');
    addEventListener('popstate', guarded(() => route(false)));
    addEventListener('hashchange', guarded(() => route(false)));
  }

  return {
    get id() { return page.id; },
    get open() { return page.open; },
    /** Before that, the title is often still on its way: deferred scripts set it. */
    get parsed() {
      const [load] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'));
      return document.readyState === 'complete' || load?.domContentLoadedEventStart > 0;
    },
    make, record, enter, exit, renew, watchRoutes,
    /** Completes the entry with a title that was set after it. */
    retitle() {
      if (!entered || entered.pageID !== page.id) return;
      page.title = entered.title = document.title.slice(0, 4096);
      entered = null;
    },
    /** Nobody is told that the page is left: it must not be known any more. */
    hush() { page.open = false; },
    /** @param {() => void} callback called when the same document became another page */
    onChange(callback) { changed = callback; },
  };
}
