/**
 * The tracker: tells the server what happens on one page, and shows on it what the server sends.
 *
 * A classic script, so that a site can insert it asynchronously with one line; it is served as
 * `GPE.min.js` and `GTC.min.js`. Everything a site says goes through `_gt.push([...])`, before or
 * after this file has loaded. Nothing here throws into the page, builds HTML from text, evaluates
 * code, or needs more than `script-src`, `connect-src` and `frame-src` of the server's origin.
 *
 * This half tells; beside it, `captures.js` notices what the book names, and `live.js` receives and shows.
 *
 * Read it from the end: `start` puts the parts together, each `create..` hides one of them.
 */
(function () {
  'use strict';

  /**
   * @typedef {import('./live.js').Who} Who
   * @typedef {import('./live.js').Data} Data
   * @typedef {import('./live.js').Notice} Notice
   * @typedef {import('./live.js').TrackedEvent} TrackedEvent
   * @typedef {import('./live.js').Settings} Settings
   * @typedef {import('./live.js').Reply} Reply
   * @typedef {import('./live.js').Parts} Parts
   * @typedef {import('./captures.js').CaptureParts} CaptureParts
   */

  const BATCH = 50;              // events in one request
  const BATCH_BYTES = 48 * 1024; // a beacon and a kept-alive request may carry 64 kB together
  const WAITING = 1000;          // events kept while the server cannot be reached
  const DELAY = 50;              // ms: events of one moment travel together
  const PATIENCE = 20000;        // ms until a request counts as failed
  const UNREADY = 3000;          // ms for which events wait for a page that is still being made
  const SAMPLE = 1000;           // ms between two looks whether somebody looks
  const CURRENT = 60000;         // ms for which a page trusts the captures that it has
  const SYSTEM = new Set(['VisitStarted', 'PageEntered', 'PageExited', 'SignIn', 'SignOut', 'UserInfo',
    'InvitationShown', 'InvitationAccepted', 'InvitationRejected', 'InvitationTimedOut']);
  /** @type {Record<string, string>} */
  const ALIASES = { sendSignIn: 'SignIn', sendSignOut: 'SignOut', sendUserInfo: 'UserInfo' };

  /* ------------------------------------------------------------------ small things */

  const script = /** @type {HTMLScriptElement|null} */ (document.currentScript || document.getElementById('_gt'));

  const besides = new URL('.', script?.src || location.href).href;

  /** @type {Settings} */
  const settings = {
    base: baseOf(script ? script.src : ''),
    debug: false, languageCode: '', disableWebSockets: false, hashRoutes: undefined, allowedOrigins: [],
  };

  /** The server's address from the address of this script, without what the documents fix.
   * @param {string} source */
  function baseOf(source) {
    const url = new URL(source || location.href, location.href);
    const place = url.pathname.search(/\/(server|frontend)\/resources\//);
    return url.origin + (place > 0 ? url.pathname.slice(0, place) : '');
  }

  /** @param {unknown[]} words */
  function warn(...words) { console.warn('[overture]', ...words); }
  /** @param {unknown[]} words */
  function debug(...words) { if (settings.debug) console.debug('[overture]', ...words); }

  /** Wraps a function so that its failure stays in the console and out of the page.
   * @template {unknown[]} A
   * @param {(...args: A) => void} action
   * @returns {(...args: A) => void} */
  function guarded(action) {
    return (...args) => {
      try { action(...args); } catch (failure) { console.error('[overture]', failure); }
    };
  }

  /** 32 upper-case hex digits: 128 random bits. */
  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('').toUpperCase();
  }

  /** Milliseconds to wait before the next attempt; the jitter keeps pages from coming back at once.
   * @param {number} attempt */
  function backoff(attempt) { return Math.min(30000, 500 * 2 ** attempt) * (0.5 + Math.random() / 2); }

  /** @param {unknown} value @returns {value is Data} */
  function isRecord(value) { return typeof value === 'object' && value !== null && !Array.isArray(value); }

  /** What this tab keeps between its pages. Where storage is forbidden, the page remembers alone. */
  const store = {
    /** @type {Record<string, string>} */ memory: {},
    /** @param {string} key */
    get(key) {
      try { return JSON.parse(sessionStorage.getItem('overture.' + key) ?? this.memory[key] ?? 'null'); } catch { return null; }
    },
    /** @param {string} key @param {unknown} value */
    set(key, value) {
      this.memory[key] = JSON.stringify(value);
      try { sessionStorage.setItem('overture.' + key, this.memory[key]); } catch { /* memory has it */ }
    },
    /** @param {string} key */
    remove(key) {
      delete this.memory[key];
      try { sessionStorage.removeItem('overture.' + key); } catch { /* memory has it */ }
    },
  };

  /** Posts JSON; status 0 means that nobody answered.
   * @param {string} path @param {string} body @param {Record<string, string>} [headers]
   * @returns {Promise<Reply>} */
  async function post(path, body, headers) {
    try {
      const response = await fetch(settings.base + path, {
        method: 'POST', credentials: 'include', body,
        // Kept alive, a request survives the page that made it.
        keepalive: body.length < BATCH_BYTES / 3,
        headers: { 'Content-Type': 'application/json', ...headers },
        signal: AbortSignal.timeout ? AbortSignal.timeout(PATIENCE) : undefined,
      });
      const answer = await response.json().catch(() => ({}));
      return { status: response.status, answer, retryAfter: Number(response.headers.get('Retry-After')) || 0 };
    } catch (failure) {
      debug('No answer from', path, failure);
      return { status: 0, answer: {}, retryAfter: 0 };
    }
  }

  /** @param {number} status */
  function isRefusal(status) { return status >= 400 && status < 500 && ![404, 408, 425, 429].includes(status); }

  /* ------------------------------------------------------------------ who this is */

  /** Visit and visitor ids, asked of the server once and kept by the tab.
   * @param {(who: Who) => void} opened called each time the server has answered */
  function createIdentity(opened) {
    /** @type {Who|null} */ let who = null;
    /** @type {((who: Who) => void)[]} */ let waiting = [];
    let asking = false;

    async function open(attempt = 0) {
      if (asking) return;
      asking = true;
      const kept = store.get('visit');
      const mine = kept && kept.base === settings.base
        ? { visitID: kept.visitID, globalVisitID: kept.globalVisitID, token: kept.token } : {};
      const reply = await post('/server/data/visits', JSON.stringify(mine));
      asking = false;
      if (reply.answer.visitID && reply.answer.token) return accept(reply.answer);
      if (!isRefusal(reply.status)) {
        // A browser does not tell a server that is away from one that was not told of this site.
        if (attempt === 2 && !reply.status && !settings.base.startsWith(location.origin)) {
          warn(`No answer from ${settings.base}: it is away, or was not told of this site (overture serve --origins ${location.origin}).`);
        }
        setTimeout(() => open(attempt + 1), Math.max(reply.retryAfter * 1000, backoff(attempt)));
      } else if (mine.visitID) {
        store.remove('visit');
        await open(attempt);
      } else {
        warn('The server refused this page:', reply.answer.error || reply.status);
      }
    }

    /** @param {Who} answer */
    function accept(answer) {
      who = { visitID: answer.visitID, globalVisitID: answer.globalVisitID, token: answer.token };
      store.set('visit', { ...who, base: settings.base });
      opened(answer);
      const now = waiting;
      waiting = [];
      for (const callback of now) callback(who);
    }

    return {
      open,
      current: () => who,
      /** @param {(who: Who) => void} callback called once, as soon as the ids are known */
      ready(callback) { if (who) callback(who); else waiting.push(guarded(callback)); },
      /** Asks again, in case the server no longer takes our token. If it does, the ids stay.
       * @param {number} attempt */
      renew(attempt) {
        if (!who) return;
        who = null;
        setTimeout(open, attempt ? backoff(attempt) : 0);
      },
    };
  }

  /* ------------------------------------------------------------------ events out */

  /** Events in order, in batches, repeated with the same ids until the server has them.
   * @param {ReturnType<typeof createIdentity>} identity
   * @param {() => boolean} isReady are the events complete, as far as they can be?
   * @param {() => void} beforeSend the last moment to complete an event
   * @param {() => void} sent called when a batch was answered */
  function createOutbox(identity, isReady, beforeSend, sent) {
    // What the page before could not prove to have delivered goes first: its exit precedes our entry,
    // whether or not its beacon arrived, and the server knows repeated events by their ids.
    /** @type {TrackedEvent[]} */ let pending = recalled();
    /** @type {number|undefined} */ let timer;
    let sending = false;
    let attempt = 0;
    let oneByOne = 0;

    function recalled() {
      const kept = store.get('pending');
      store.remove('pending');
      return Array.isArray(kept) ? kept.slice(-WAITING) : [];
    }

    /** @param {number} delay */
    function schedule(delay) { if (timer === undefined) timer = setTimeout(flush, delay); }

    /** @param {TrackedEvent} event @param {boolean} [first] */
    function add(event, first) {
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
        const body = new Blob([encoded(batch, who)], { type: 'application/json' });
        if (!navigator.sendBeacon(address, body)) return;
        rest = rest.slice(batch.length);
      }
    }

    /** The page came back as it was: whatever is unanswered is sent again. */
    function resume() {
      store.remove('pending');
      schedule(0);
    }

    return { add, flush: guarded(() => { flush(); }), leave, resume };
  }

  /* ------------------------------------------------------------------ the page */

  /** How long somebody looked at the page: it was visible and had the focus, it or a frame in it.
   * Sampled, because a window is not told when a frame in it loses the focus. */
  function createAttention() {
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
  function createPage(add, attention) {
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
      /** @param {() => void} callback called when the same document became another page */
      onChange(callback) { changed = callback; },
    };
  }

  /* ------------------------------------------------------------------ the other files */

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
        const response = await fetch(settings.base + '/server/resources/dsl/events.json', {
          credentials: 'omit', signal: AbortSignal.timeout ? AbortSignal.timeout(PATIENCE) : undefined,
        });
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
   * @returns {Record<string, (...words: any[]) => void>} */
  function createCommands(identity, page, captures, live) {
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
    const isConfig = (/** @type {any} */ entry) => Array.isArray(entry) && entry[0] === 'config';
    // Settings first: where the server is, and the language of the very first event.
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

    takeOver(queue, createCommands(identity, page, captures, live), () => {
      page.enter();
      page.watchRoutes();
    });
    captures.ask();
    identity.open();
    watchLife(page, outbox, live);
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
})();
