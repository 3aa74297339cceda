/**
 * The tracker: tells the server what happens on one page, and shows on it what the server sends.
 *
 * Served with the files that it imports as one classic script, `GPE.min.js` and `GTC.min.js`, so
 * that a site can insert it asynchronously with one line. Everything a site says goes through
 * `_gt.push([...])`, before or after this file has loaded. Nothing here throws into the page,
 * builds HTML from text, evaluates code, or needs more than `script-src`, `connect-src` and
 * `frame-src` of the server's origin.
 *
 * Two more files are loaded when they are needed: `captures.js` notices what the book names,
 * `live.js` receives and shows.
 *
 * Read it from the end: `start` puts the parts together, each `create..` hides one of them.
 */

import { backoff, besides, debug, guarded, isRecord, request, settings, store, warn } from './ground.js';
import { createIdentity } from './identity.js';
import { createOutbox } from './outbox.js';
import { createAttention, createPage } from './page.js';

/**
 * @typedef {import('./live.js').Data} Data
 * @typedef {import('./live.js').Notice} Notice
 * @typedef {import('./live.js').TrackedEvent} TrackedEvent
 * @typedef {import('./live.js').Settings} Settings
 * @typedef {import('./live.js').Parts} Parts
 * @typedef {import('./captures.js').CaptureParts} CaptureParts
 */

const CURRENT = 60000;         // ms for which a page trusts the captures that it has
/** @type {Record<string, string>} */
const ALIASES = { sendSignIn: 'SignIn', sendSignOut: 'SignOut', sendUserInfo: 'UserInfo' };

/** What the live book captures. The code for it is loaded when there is something to notice.
 * @param {CaptureParts} parts */
function createCaptures(parts) {
  /** @type {ReturnType<typeof import('./captures.js').createCaptures>|null} */ let watch = null;
  /** @type {TrackedEvent[]} */ let unfilled = [];
  let version = '';
  let settled = false;
  let asked = 0;

  async function ask() {
    asked = performance.now();
    try {
      const response = await request('/server/resources/dsl/events.json', { credentials: 'omit' });
      const book = await response.json();
      if (book.shape !== 1 || book.version === version) return;
      if (!watch && book.events.length) watch = (await import(besides + 'captures.js')).createCaptures(parts);
      watch?.follow(book.events);
      version = book.version;
    } catch (failure) {
      debug('This page captures nothing by itself:', failure);
    } finally {
      settled = true;
      unfilled.splice(0).forEach(fill);
    }
  }

  /** @param {TrackedEvent} event */
  function fill(event) { watch?.fill(event.eventName, event.data); }

  return {
    ask,
    /** Another page in the same document; by now there may be another book. */
    renew() {
      watch?.renew();
      if (performance.now() - asked > CURRENT) ask();
    },
    /** Completes what the site says, now or as soon as it is known how. @param {TrackedEvent} event */
    complete(event) { if (settled) fill(event); else unfilled.push(event); },
    get ready() { return !unfilled.length; },
  };
}

/** Loads `live.js` when it is first needed; what is asked of it before it is there is not lost,
 * because it begins with the state as it is then.
 * @param {Parts} parts */
function createLive(parts) {
  /** @type {ReturnType<typeof import('./live.js').createLive>|null} */ let live = null;
  /** @type {[string, (data: Data, notice: Notice) => void][]} */ const handlers = [];
  let wanted = false;
  let asked = false;

  async function load(attempt = 0) {
    asked = true;
    try {
      // A browser remembers a module that failed under its address, hence another address.
      const module = await import(besides + 'live.js' + (attempt ? '?' + attempt : ''));
      live = module.createLive(parts);
      for (const handler of handlers) live?.on(...handler);
      if (wanted) live?.start();
    } catch (failure) {
      if (attempt === 4) return warn('Notifications cannot be received:', failure);
      setTimeout(load, backoff(attempt + 1), attempt + 1);
    }
  }

  return {
    start() {
      wanted = true;
      if (live) live.start();
      else if (!asked) load();
    },
    stop() { wanted = false; live?.stop(); },
    renew() { if (live) live.renew(); else this.start(); },
    hurry() { live?.hurry(); },
    /** @param {string} channel @param {(data: Data, notice: Notice) => void} handler */
    on(channel, handler) { if (live) live.on(channel, handler); else handlers.push([channel, handler]); },
  };
}

/* ------------------------------------------------------------------ what a site may say */

/** @param {unknown} options @returns {Data} the data of either generation: wrapped in `data`, or flat */
function dataOf(options) {
  if (!isRecord(options)) return {};
  return isRecord(options.data) ? options.data : options;
}

/** @param {Data} options */
function configure(options) {
  const secure = location.protocol === 'https:';
  const endpoint = (secure ? options.httpsEndpoint : options.httpEndpoint) || options.httpsEndpoint || options.httpEndpoint;
  if (endpoint) settings.base = new URL(String(endpoint), location.href).href.replace(/\/+$/, '');
  if (options.consent) settings.wanted = String(options.consent);
  if (options.languageCode) settings.languageCode = String(options.languageCode);
  if (Array.isArray(options.allowedOrigins)) settings.allowedOrigins = options.allowedOrigins.map((one) => new URL(one).origin);
  if (options.hashRoutes !== undefined) settings.hashRoutes = Boolean(options.hashRoutes);
  if (options.debug !== undefined) settings.debug = Boolean(options.debug);
  if (options.disableWebSockets !== undefined) settings.disableWebSockets = Boolean(options.disableWebSockets);
}

/** The commands of `_gt.push([command, ...])`, in both documented generations.
 * @param {ReturnType<typeof createIdentity>} identity
 * @param {ReturnType<typeof createPage>} page
 * @param {ReturnType<typeof createCaptures>} captures
 * @param {ReturnType<typeof createLive>} live
 * @param {(level: string) => void} agree
 * @returns {Record<string, (...words: any[]) => void>} */
function createCommands(identity, page, captures, live, agree) {
  /** @param {unknown} name @param {Data} data */
  const record = (name, data) => {
    if (typeof name !== 'string' || !name) return warn("An event needs a name: _gt.push(['event', 'AddToCart', {data: {..}}]).");
    captures.complete(page.record((Object.hasOwn(ALIASES, name) ? ALIASES[name] : name).slice(0, 128), data));
  };
  return {
    event(first, options) {
      if (!isRecord(first)) return record(first, dataOf(options));
      const { eventName, ...rest } = first;
      record(eventName, Object.keys(rest).length === 1 ? dataOf(rest) : rest);
    },
    sendUserInfo(options) { record('UserInfo', dataOf(options)); },
    sendSignIn(options) { record('SignIn', dataOf(options)); },
    sendSignOut(options) { record('SignOut', dataOf(options)); },
    getIDs(callback) {
      if (typeof callback !== 'function') return warn("'getIDs' needs a function.");
      identity.ready(({ visitID, globalVisitID }) => callback({ visitID, pageID: page.id, globalVisitID }));
    },
    config(options) { if (isRecord(options)) configure(options); },
    consent(level) { agree(String(level)); },
    on(channel, handler) { live.on(channel, handler); },
  };
}

/** Takes over the queue: runs what waits in it, and from then on everything at once.
 * @param {any[]} queue @param {Record<string, (...words: any[]) => void>} commands @param {() => void} begin */
function takeOver(queue, commands, begin) {
  const run = guarded((/** @type {any} */ entry) => {
    if (typeof entry === 'function') return entry(queue);
    const [name, ...words] = Array.from(entry || []);
    if (Object.hasOwn(commands, name)) commands[name](...words);
    else warn('Unknown command', name + '; there are', Object.keys(commands).join(', ') + '.');
  });
  const waiting = queue.splice(0);
  const isConfig = (/** @type {any} */ entry) => Array.isArray(entry) && /^(config|consent)$/.test(entry[0]);
  // Settings first: where the server is, what may be said, and the language of the very first event.
  waiting.filter(isConfig).forEach(run);
  begin();
  queue.push = (...entries) => { entries.forEach(run); return entries.length; };
  waiting.filter((entry) => !isConfig(entry)).forEach(run);
}

/* ------------------------------------------------------------------ together */

function start() {
  const scope = /** @type {any} */ (window);
  const queue = Array.isArray(scope._gt) ? scope._gt : (scope._gt = []);
  if (queue.tracker) return; // inserted twice, under either of its names
  queue.tracker = true;

  const attention = createAttention();
  const page = createPage((event, first) => outbox.add(event, first), attention);
  const captures = createCaptures({ page, attention: attention.spent, warn, guarded });
  const identity = createIdentity((who) => {
    if (who.newVisit) outbox.add(page.make('VisitStarted', visitStarted()), true);
    else outbox.flush();
  });
  // The server knows a visit by its first event, so the connection waits for it.
  const outbox = createOutbox(identity, () => page.parsed && captures.ready, page.retitle, () => { if (page.open) live.start(); });
  const live = createLive({ settings, page, identity, store, flush: outbox.flush, warn, debug, guarded, backoff });
  page.onChange(() => { live.renew(); captures.renew(); });

  const consent = createConsent(page, identity, outbox, captures, live);

  takeOver(queue, createCommands(identity, page, captures, live, consent.agree), () => {
    consent.begin();
    page.watchRoutes();
  });
  watchLife(page, outbox, live);
}

/** What the visitor agreed to. `none`: nothing is stored, nothing sent and nothing remembered;
 * `memory`: the page tells, and only its own memory keeps; `full`: storage and cookies as well.
 * @param {ReturnType<typeof createPage>} page
 * @param {ReturnType<typeof createIdentity>} identity
 * @param {ReturnType<typeof createOutbox>} outbox
 * @param {ReturnType<typeof createCaptures>} captures
 * @param {ReturnType<typeof createLive>} live */
function createConsent(page, identity, outbox, captures, live) {
  let begun = false;
  let said = '';

  /** @param {string} level */
  function apply(level) {
    const before = settings.consent;
    if (level === before) return;
    settings.consent = /** @type {Settings['consent']} */ (level);
    if (before === 'full') {
      store.leaveNothing();
      identity.forgetCookies();
    }
    if (level === 'none') stop();
    else if (before === 'none') begin();
    else if (level === 'full') identity.renew(0);
  }

  function stop() {
    page.hush();
    outbox.clear();
    live.stop();
    identity.forget();
    store.remove('seen');
    store.remove('media');
  }

  function begin() {
    outbox.recall();
    page.enter();
    captures.ask();
    identity.open();
  }

  return {
    /** What the visitor answered goes before what the site and the browser presume.
     * @param {string} level */
    agree(level) {
      if (!/^(none|memory|full)$/.test(level)) return warn("'consent' is 'none', 'memory' or 'full'.");
      said = level;
      if (begun) apply(level);
    },
    begin() {
      begun = true;
      const isPrivate = /** @type {any} */ (navigator).globalPrivacyControl;
      apply(said || (isPrivate ? 'none' : /^(none|memory)$/.test(String(settings.wanted)) ? String(settings.wanted) : 'full'));
    },
  };
}

function visitStarted() {
  return { timezoneOffset: new Date().getTimezoneOffset(), referrer: document.referrer, userAgent: navigator.userAgent };
}

/** Pages come and go; without `unload`, so that a browser may keep them for the way back.
 * @param {ReturnType<typeof createPage>} page
 * @param {ReturnType<typeof createOutbox>} outbox
 * @param {ReturnType<typeof createLive>} live */
function watchLife(page, outbox, live) {
  addEventListener('pagehide', guarded(() => { page.exit(); outbox.leave(); live.stop(); }));
  addEventListener('pageshow', guarded((event) => {
    if (!event.persisted) return;
    outbox.resume();
    page.renew();
  }));
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'hidden') outbox.flush(); });
  addEventListener('online', () => { outbox.flush(); live.hurry(); });
}

// A page that the browser prepares ahead is not yet a page that somebody sees.
if (/** @type {any} */ (document).prerendering) {
  document.addEventListener('prerenderingchange', guarded(start), { once: true });
} else {
  guarded(start)();
}
