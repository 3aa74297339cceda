/**
 * The live half of the tracker: receives notifications, and shows content in frames on the page.
 *
 * A module that the tracker loads from beside itself, once it has said hello to the server.
 */

/**
 * @typedef {{visitID: string, globalVisitID: string, token: string, newVisit?: boolean}} Who
 * @typedef {Record<string, unknown>} Data
 * @typedef {{eventName: string, eventType: string, eventID: string, timestamp: number,
 *   pageID: string, url: string, title: string, languageCode: string, data: Data}} TrackedEvent
 * @typedef {{page?: string|null, channel: string, data: Data}} Notice
 * @typedef {{type?: string, pageID?: string, cursor?: string, ids?: string[], notifications?: Notice[]}} Packet
 * @typedef {{base: string, debug: boolean, languageCode: string, disableWebSockets: boolean,
 *   hashRoutes: boolean|undefined, allowedOrigins: string[], consent: 'none'|'memory'|'full', wanted?: string}} Settings
 * @typedef {{status: number, answer: any, retryAfter: number}} Reply
 * What one connection does for a page; `turn` gives it to the next page of the same document.
 * @typedef {{acknowledge(cursor: string): void, close(): void, turn?: (page: string) => void}} Link
 * @typedef {{from?: string, to?: string, type: string, cursor?: string|null, packet?: Packet}} Word
 * @typedef {{element: HTMLElement, frame: HTMLIFrameElement, view: Window|null, origin: string,
 *   invitation?: string, floating: boolean, embedded?: boolean, shown: boolean, answered: boolean,
 *   medium: boolean, kept?: Kept}} Panel
 * A medium inside the page, as the next page of the tab opens it again.
 * @typedef {{url: string, title: string}} Kept
 *
 * What the tracker lends to this half; it stays the owner.
 * @typedef {object} Parts
 * @property {Settings} settings
 * @property {{readonly id: string, record(name: string, data: Data): void}} page
 * @property {{current(): Who|null, ready(callback: (who: Who) => void): void, renew(attempt: number): void}} identity
 * @property {{get(key: string): any, set(key: string, value: unknown): void}} store
 * @property {() => void} flush sends what waits, now
 * @property {(...words: unknown[]) => void} warn
 * @property {(...words: unknown[]) => void} debug
 * @property {<A extends unknown[]>(action: (...args: A) => void) => (...args: A) => void} guarded
 * @property {(attempt: number) => number} backoff
 * @typedef {{ready(): void, packet(packet: Packet): void, lost(code: number): void}} Hooks
 */

const PATIENCE = 10000; // ms until a silent connection counts as failed
const STUCK = 1; // the page that holds the connection says nothing; no code of a socket
const REMEMBERED = 200; // ids of notifications already shown in this tab
const TOPMOST = '2147483000';
const SANDBOX =
  'allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-forms';
/** @type {Record<string, string>} */
const DISPOSITIONS = {
  shown: 'InvitationShown',
  accepted: 'InvitationAccepted',
  rejected: 'InvitationRejected',
  timedOut: 'InvitationTimedOut',
};

/** Puts this half together. @param {Parts} parts */
export function createLive(parts) {
  const frames = createFrames(parts);
  const channels = createChannels(parts);
  const delivery = createDelivery(parts, channels, frames.append);
  frames.restore();
  return {
    on: channels.on,
    start() {
      frames.listen();
      delivery.start();
    },
    stop() {
      frames.deafen();
      delivery.stop();
    },
    hurry: delivery.hurry,
    /** Another page in the same document: what was sent to the old one is not for this one. */
    renew() {
      frames.clear();
      frames.restore();
      delivery.renew();
    },
  };
}

/* ------------------------------------------------------------------ content on the page */

/** Frames of allowed origins inside the page, and what the invitations in them report.
 * @param {Parts} parts */
function createFrames({ settings, page, identity, store, flush, warn, guarded }) {
  /** @type {Set<Panel>} */ const panels = new Set();
  /** @type {Set<string>} */ const answered = new Set(); // in other tabs
  /** @type {BroadcastChannel|null} */ let tabs = null;

  /** The address of content, relative to the server. @param {unknown} address @returns {URL} */
  function resolved(address) {
    const text = String(address);
    const own = /^\/(?![/\\])/.test(text) ? settings.base + text : text;
    return new URL(own, settings.base + '/');
  }

  /** @param {URL} url */
  function isAllowed(url) {
    const origins = [new URL(settings.base).origin, location.origin, ...settings.allowedOrigins];
    return /^https?:$/.test(url.protocol) && origins.includes(url.origin);
  }

  /** @param {unknown} selector */
  function containerOf(selector) {
    if (typeof selector !== 'string' || selector === 'body') return document.body;
    try {
      const found = /** @type {HTMLElement|null} */ (document.querySelector(selector));
      if (found) return found;
    } catch { /* not a selector: said below */ }
    warn('No element fits the container', JSON.stringify(selector) + '; the content goes to the body.');
    return document.body;
  }

  /** @param {URL} url @param {string} title */
  function frameOf(url, title) {
    const frame = document.createElement('iframe');
    // A frame of the page's own origin can take its sandbox off: that is no protection, and the browser warns.
    if (url.origin !== location.origin) frame.setAttribute('sandbox', SANDBOX);
    frame.referrerPolicy = 'origin'; // tells the frame to whom it may speak, and nothing else
    frame.title = title;
    frame.src = url.href;
    Object.assign(frame.style, { border: '0', colorScheme: 'normal', background: 'transparent', display: 'block' });
    return frame;
  }

  /** Handles `gpe.appendContent`. @param {Data} data @param {string} [invitation] its id */
  function append(data, invitation) {
    if (invitation && answered.has(invitation)) return;
    const url = resolved(data.url);
    if (!isAllowed(url)) return warn('Content refused, its origin is not allowed:', url.origin + '; see allowedOrigins.');
    if (data.method !== undefined && String(data.method).toUpperCase() !== 'GET') {
      return warn('Content refused: the only method is GET, not', data.method);
    }
    url.searchParams.set('visitId', identity.current()?.visitID ?? '');
    url.searchParams.set('pageId', page.id);
    if (invitation) url.searchParams.set('invitation', invitation);
    const language = settings.languageCode || document.documentElement.lang;
    if (language && !url.searchParams.has('languageCode')) url.searchParams.set('languageCode', language);
    const container = containerOf(data.container);
    const floating = container === document.body;
    const frame = frameOf(url, 'Message');
    Object.assign(frame.style, floating
      ? { position: 'fixed', right: '0', bottom: '0', zIndex: TOPMOST, width: 'min(420px, 100vw)', height: '320px', maxHeight: '100vh' }
      : { width: '100%' });
    add({ element: frame, frame, url, invitation, floating, medium: false }, container);
  }

  /** @param {{element: HTMLElement, frame: HTMLIFrameElement, url: URL, invitation?: string,
   *   floating: boolean, medium: boolean, kept?: Kept}} parts @param {HTMLElement} container */
  function add({ url, ...parts }, container) {
    container.appendChild(parts.element);
    panels.add({ ...parts, view: parts.frame.contentWindow, origin: url.origin, shown: false, answered: false });
  }

  /** Shows a medium inside the page, because its window was not allowed to open.
   * @param {unknown} address @param {unknown} title @param {string} [back] what the frame is called
   * when it was open on the page before, so that it goes on and starts nothing */
  function embed(address, title, back = '') {
    const url = resolved(address);
    if (!isAllowed(url)) return warn('Content refused, its origin is not allowed:', url.origin);
    const name = String(title || 'Chat').slice(0, 80);
    const frame = frameOf(url, name);
    frame.name = back;
    Object.assign(frame.style, { flex: '1', width: '100%' });
    const box = document.createElement('div');
    box.className = 'gpe-widget gpe-embedded';
    Object.assign(box.style, {
      position: 'fixed', right: '8px', bottom: '8px', zIndex: TOPMOST, display: 'flex', flexDirection: 'column',
      width: 'min(400px, calc(100vw - 16px))', height: 'min(600px, calc(100vh - 16px))', overflow: 'hidden',
      background: '#fff', borderRadius: '12px', boxShadow: '0 12px 40px rgba(20, 20, 50, .3)',
    });
    box.append(titleBar(name, () => {
      for (const panel of media()) if (panel.element === box) remove(panel);
      keep();
    }), frame);
    add({ element: box, frame, url, floating: false, medium: true, kept: { url: url.href, title: name } }, document.body);
    keep();
  }

  /** What stays when the page changes. */
  function media() { return Array.from(panels).filter((panel) => panel.medium); }

  /** The tab remembers which media are open; without consent to storage, the page alone does. */
  function keep() { store.set('media', media().flatMap((panel) => panel.kept || [])); }

  /** Opens what was open on the page before. On a page that comes back from the browser's cache,
   * what was closed meanwhile goes. */
  function restore() {
    /** @type {Kept[]} */ const known = store.get('media') || [];
    const open = media();
    for (const panel of open) if (panel.kept && !known.some(({ url }) => url === panel.kept?.url)) remove(panel);
    for (const { url, title } of known) if (!open.some(({ kept }) => kept?.url === url)) embed(url, title, 'overture.again');
  }

  /** What a medium inside the page says of itself: it goes on at an address, or it is over.
   * @param {Panel} panel @param {unknown} [url] */
  function goesOn(panel, url) {
    panel.kept = url ? { url: String(url), title: panel.frame.title } : undefined;
    keep();
  }

  /** @param {string} text @param {() => void} close */
  function titleBar(text, close) {
    const bar = document.createElement('div');
    const button = document.createElement('button');
    Object.assign(bar.style, {
      display: 'flex', alignItems: 'center', justifyContent: 'space-between', padding: '0 4px 0 16px',
      background: '#0f3445', color: '#fff', font: '600 15px system-ui, sans-serif',
    });
    Object.assign(button.style, { width: '44px', height: '44px', border: '0', background: 'none', color: '#fff', fontSize: '22px', cursor: 'pointer' });
    button.type = 'button';
    button.textContent = '\u00d7';
    button.setAttribute('aria-label', 'Close ' + text);
    button.addEventListener('click', close);
    bar.append(text, button);
    return bar;
  }

  /** @param {Panel} panel */
  function remove(panel) {
    panel.element.remove();
    panels.delete(panel);
  }

  /** Hides at once and removes soon: what the frame says in the same breath still counts.
   * @param {Panel} panel */
  function close(panel) {
    panel.element.style.display = 'none';
    setTimeout(() => {
      if (panel.shown && !panel.answered) report(panel, 'rejected');
      remove(panel);
    }, 1500);
  }

  /** @param {Panel} panel @param {string} type @param {unknown} [medium] */
  function report(panel, type, medium) {
    if (type === 'shown' ? panel.shown : panel.answered) return;
    if (type === 'shown') panel.shown = true; else panel.answered = true;
    /** @type {Data} */ const data = {};
    if (panel.invitation) data.id = panel.invitation;
    if (typeof medium === 'string') data.medium = medium.slice(0, 64);
    page.record(DISPOSITIONS[type], data);
    if (panel.invitation && /^(accep|rejec)ted$/.test(type)) tabs?.postMessage(panel.invitation);
    flush(); // before the medium reports that it has started
  }

  /** What was answered in one tab goes from the others: it is one invitation. What ran out of time in
   * one may be in use in another. Open while the page is, so that a browser may keep the page. */
  function listen() {
    if (tabs) return;
    try {
      tabs = new BroadcastChannel('overture answers ' + settings.base);
    } catch { return; } // each tab waits for its own answer
    tabs.onmessage = guarded(({ data }) => {
      answered.add(data);
      for (const panel of panels) if (!panel.medium && panel.invitation === data) remove(panel);
    });
  }

  function deafen() {
    tabs?.close();
    tabs = null;
  }

  /** @param {Panel} panel @param {Data} message */
  function resize(panel, message) {
    const height = Math.min(Number(message.height), 5000);
    const width = Number(message.width);
    if (height > 0) panel.frame.style.height = Math.ceil(height) + 'px';
    if (width > 0 && panel.floating) panel.frame.style.width = 'min(' + Math.ceil(width) + 'px, 100vw)';
  }

  /** @param {MessageEvent} message */
  function heard(message) {
    const panel = Array.from(panels).find((one) => one.view === message.source && one.origin === message.origin);
    if (!panel || message.data?.overture !== 'frame') return;
    const { type, medium, url, title } = message.data;
    if (type === 'resize') resize(panel, message.data);
    else if (type === 'close') close(panel);
    else if (panel.medium && /^(embed|ended)$/.test(type)) goesOn(panel, type === 'embed' && url);
    else if (type === 'embed' && !panel.embedded) {
      panel.embedded = true; // one conversation for one invitation
      embed(url, title);
    }
    else if (Object.hasOwn(DISPOSITIONS, String(type))) report(panel, String(type), medium);
    if (type === 'shown' && panel.floating) offerFocus(panel);
  }

  /** The keyboard reaches the invitation at once, unless the visitor is in the middle of something.
   * @param {Panel} panel */
  function offerFocus(panel) {
    const busy = document.activeElement && document.activeElement !== document.body;
    if (!busy && document.hasFocus()) panel.frame.focus({ preventScroll: true });
  }

  /** What belonged to the page before leaves with it; a conversation stays. */
  function clear() { for (const panel of Array.from(panels)) if (!panel.medium) remove(panel); }

  addEventListener('message', guarded(heard));
  return { append, clear, restore, listen, deafen };
}

/* ------------------------------------------------------------------ channels */

/** A site's own channels: which function handles what.
 * @param {Parts} parts */
function createChannels({ page, warn, guarded }) {
  /** @type {Map<string, ((data: Data, notice: Notice) => void)[]>} */ const handlers = new Map();
  /** @type {Notice[]} */ let unheard = [];
  /** @type {Data} */ let state = { state: 'offline', transport: null };

  /** @param {Notice} notice */
  function call(notice) {
    const found = handlers.get(notice.channel) || [];
    for (const handler of found) guarded(handler)(notice.data, notice);
    return found.length > 0;
  }

  return {
    /** @param {Notice} notice */
    handle(notice) {
      if (!call(notice)) unheard = [...unheard.slice(-19), notice];
    },
    /** @param {string} channel @param {(data: Data, notice: Notice) => void} handler */
    on(channel, handler) {
      if (typeof channel !== 'string' || typeof handler !== 'function') return warn("'on' needs a channel and a function.");
      if (channel.startsWith('gpe.')) return warn("Channels 'gpe.*' are built in; choose another name than", channel);
      handlers.set(channel, [...(handlers.get(channel) || []), handler]);
      if (channel === 'overture.state') guarded(handler)(state, { channel, data: state });
      // What arrived before its handler was registered is not lost, as long as its page is there.
      const now = unheard.filter((notice) => notice.channel === channel);
      unheard = unheard.filter((notice) => notice.channel !== channel);
      for (const notice of now) if (!notice.page || notice.page === page.id) guarded(handler)(notice.data, notice);
    },
    /** @param {string} name @param {string} transport */
    setState(name, transport) {
      if (state.state === name && state.transport === transport) return;
      state = { state: name, transport };
      call({ channel: 'overture.state', data: state });
    },
  };
}

/* ------------------------------------------------------------------ notifications in */

/** @typedef {{base: string, who: Who, page: string, cursor: string|null, hooks: Hooks,
 *   guarded: Parts['guarded']}} Call */

/** What a connection is for the pages on it: it hears for one, and passes on what is for others.
 * @param {Call} call @param {(packet: Packet) => void} pass takes what is for those
 * @param {(type: string, pageID: string, cursor?: string|null) => void} say tells the server */
function createLine({ page, hooks }, pass, say) {
  let name = page; // whose connection it is now; the server knows it by the first
  return {
    say,
    /** @param {Packet} packet */
    hear(packet) {
      if ((packet.pageID ?? page) === name) heard(packet, hooks);
      else pass(packet);
    },
    /** @param {string} reached */
    acknowledge(reached) { say('ack', name, reached); },
    /** @param {string} next */
    turn(next) {
      say('leave', name);
      say('join', name = next);
    },
  };
}

/** A socket of this page, on which others of the visit may join.
 * @param {Call} call @param {(packet: Packet) => void} [pass] */
function openSocket(call, pass = () => {}) {
  const { base, who, page, cursor, hooks, guarded } = call;
  const socket = new WebSocket(base.replace(/^http/, 'ws') + '/server/push/ws');
  const patience = setTimeout(() => socket.close(), PATIENCE);
  const line = createLine(call, pass, (type, pageID, reached) => {
    if (socket.readyState === 1) socket.send(JSON.stringify({ type, pageID, cursor: reached }));
  });
  const hello = { visitID: who.visitID, pageID: page, token: who.token, cursor };
  socket.onopen = () => socket.send(JSON.stringify(hello));
  socket.onmessage = guarded((message) => {
    clearTimeout(patience);
    line.hear(JSON.parse(message.data));
  });
  socket.onclose = (event) => {
    clearTimeout(patience);
    hooks.lost(event.code);
  };
  return {
    ...line,
    close() {
      clearTimeout(patience);
      socket.close(1000);
    },
  };
}

/** A stream of Server-Sent Events likewise. It goes one way: what pages say on it are requests.
 * @param {Call} call @param {(packet: Packet) => void} [pass] */
function openStream(call, pass = () => {}) {
  const { base, who, page, cursor, hooks, guarded } = call;
  const { visitID, token } = who;
  const address = base + '/server/push/sse';
  const query = new URLSearchParams({ visitID, pageID: page, token });
  if (cursor) query.set('cursor', cursor);
  const source = new EventSource(address + '?' + query);
  let stream = '';
  /** @type {Promise<unknown>} */ let sent = Promise.resolve();
  function fail() {
    source.close();
    hooks.lost(0);
  }
  const line = createLine(call, pass, (type, pageID, reached) => {
    const body = JSON.stringify({ visitID, token, stream, type, pageID, cursor: reached });
    const headers = { 'Content-Type': 'application/json' };
    // In order, lest a page leave before it joined. A word that is lost ends the stream, and its pages come anew.
    if (stream) {
      sent = sent.then(() => fetch(address, { method: 'POST', body, headers, keepalive: true, credentials: 'omit' }))
        .then((answer) => { if (!answer.ok) fail(); }, fail);
    }
  });
  source.onmessage = guarded((message) => {
    const packet = JSON.parse(message.data);
    stream = packet.stream || stream;
    line.hear(packet);
  });
  // The browser would come back by itself, but at once and with the old cursor in the address.
  source.onerror = fail;
  return { ...line, close: () => source.close() };
}

/** @param {Packet} packet @param {Hooks} hooks */
function heard(packet, hooks) {
  if (packet.type === 'ready') hooks.ready();
  else if (packet.type === 'lost') hooks.lost(0);
  else hooks.packet(packet);
}

/** One connection for all pages of a visit in this browser: whoever holds the lock has it
 * and passes on what is for the others. It falls to the next when it closes; each page keeps its
 * own cursor, so nothing is lost on the way.
 * @param {Call} call @param {typeof openSocket} open @returns {Link} */
function openShared(call, open) {
  const { base, who, hooks, guarded } = call;
  let { page, cursor } = call;
  const name = `overture ${base} ${who.visitID}`;
  const channel = new BroadcastChannel(name);
  const queue = new AbortController();
  /** @type {ReturnType<typeof openSocket>|null} */ let socket = null;
  /** @type {(value?: unknown) => void} */ let release = () => {};
  let leads = false;
  /** @type {number|undefined} */ let patience;

  /** @param {Partial<Word> & {type: string}} word */
  function say(word) { channel.postMessage({ from: page, ...word }); }

  function join() {
    clearTimeout(patience);
    patience = setTimeout(() => hooks.lost(STUCK), PATIENCE);
    say({ type: 'join', cursor });
  }

  /** The others listen to whoever leads. @param {Word} word */
  function follow(word) {
    if (word.type === 'leads') return join();
    if (word.to !== page || !word.packet) return;
    clearTimeout(patience);
    heard(word.packet, hooks);
  }

  /** @returns {Promise<unknown>} kept as long as the lock is */
  function lead() {
    clearTimeout(patience);
    /** @type {Hooks} */ const mine = {
      ...hooks,
      ready() {
        hooks.ready();
        if (!leads) say({ type: 'leads' });
        leads = true;
      },
    };
    socket = open({ ...call, page, cursor, hooks: mine },
      (packet) => channel.postMessage({ to: packet.pageID, type: 'packet', packet }));
    return new Promise((done) => { release = done; });
  }

  channel.onmessage = guarded(({ data: word }) => {
    if (!socket) follow(word);
    else if (word.from && word.type !== 'leads') socket.say(word.type, word.from, word.cursor);
  });
  join();
  // Where a browser gives no locks, each page is the first; or this one was closed before its turn.
  navigator.locks.request(name, { signal: queue.signal }, lead).catch(() => { if (!queue.signal.aborted) lead(); });

  return {
    acknowledge(reached) {
      cursor = reached;
      if (socket) socket.acknowledge(reached); else say({ type: 'ack', cursor });
    },
    turn(next) {
      cursor = null;
      if (socket) socket.turn(next); else say({ type: 'leave' });
      page = next;
      if (!socket) join();
    },
    close() {
      clearTimeout(patience);
      if (socket) socket.close(); else say({ type: 'leave' });
      queue.abort();
      release();
      channel.close();
    },
  };
}

/** The live connection: WebSocket, else Server-Sent Events; it comes back with its cursor.
 * @param {Parts} parts
 * @param {ReturnType<typeof createChannels>} channels
 * @param {(data: Data, invitation?: string) => void} append what shows `gpe.appendContent` */
function createDelivery(parts, channels, append) {
  const { settings, page, identity, store, warn, debug, guarded, backoff } = parts;
  /** @type {Link|null} */ let link = null;
  /** @type {string|null} */ let cursor = null;
  /** @type {string[]} */ let seen = store.get('seen') || [];
  /** @type {number|undefined} */ let timer;
  let shares = 'BroadcastChannel' in window && 'locks' in navigator;
  let running = false;
  let live = false;
  let turn = 0; // what an older connection still says is not heard
  let transport = 'websocket';
  let failures = 0;
  let stuck = 0; // who waited for another page in vain so often goes alone
  let attempt = 0;

  function connect() {
    clearTimeout(timer);
    const who = identity.current();
    if (!running || link) return;
    if (!who) return identity.ready(connect);
    if (settings.disableWebSockets || !window.WebSocket) transport = 'sse';
    const mine = ++turn;
    /** @type {Hooks} */ const hooks = {
      ready() {
        if (mine !== turn) return;
        failures = attempt = stuck = 0;
        live = true;
        channels.setState('live', transport);
      },
      packet(packet) { if (mine === turn) receive(packet); },
      lost(code) { if (mine === turn) lost(code); },
    };
    channels.setState('connecting', transport);
    try {
      const call = { base: settings.base, who, page: page.id, cursor, hooks, guarded };
      const open = transport === 'sse' ? openStream : openSocket;
      link = shares && stuck < 2 ? openShared(call, open) : open(call);
    } catch (failure) { // a browser refuses at once what the page's policy forbids
      debug(failure);
      shares = false;
      lost(0);
    }
  }

  /** @param {number} code */
  function lost(code) {
    disconnect();
    channels.setState('offline', transport);
    stuck = code === STUCK ? stuck + 1 : 0;
    if (++failures >= 2) {
      transport = transport === 'sse' && !settings.disableWebSockets ? 'websocket' : 'sse';
      failures = 0;
      // A stream does not say why it was refused, so the token is asked for again now and then.
      if (attempt > 3) identity.renew(attempt);
    }
    if (code === 4403) identity.renew(attempt);
    timer = setTimeout(connect, backoff(attempt++) + (code === 1012 || code === 1013 ? 1000 * Math.random() : 0));
  }

  /** @param {Packet} packet */
  function receive(packet) {
    const { notifications, ids = [] } = packet;
    if (!Array.isArray(notifications) || !packet.cursor) return;
    notifications.forEach((notice, place) => {
      const id = ids[place];
      if (notice.page && notice.page !== page.id) return debug('For another page:', notice);
      if (id && seen.includes(id)) return debug('Already shown:', id);
      if (id) store.set('seen', seen = [...seen.slice(1 - REMEMBERED), id]);
      guarded(dispatch)(notice, id);
    });
    cursor = packet.cursor;
    link?.acknowledge(cursor);
  }

  /** @param {Notice} notice @param {string} [id] */
  function dispatch(notice, id) {
    if (notice.channel === 'gpe.appendContent') append(notice.data, id);
    else if (/^(gpe|overture)\./.test(notice.channel)) warn('Unknown channel', notice.channel);
    else channels.handle(notice);
  }

  function disconnect() {
    clearTimeout(timer);
    turn += 1;
    const old = link;
    link = null;
    live = false;
    old?.close();
  }

  return {
    start() {
      if (running) return;
      running = true;
      connect();
    },
    stop() {
      running = false;
      disconnect();
      channels.setState('offline', transport);
    },
    renew() {
      cursor = null;
      attempt = 0;
      running = true;
      if (link?.turn && live) {
        channels.setState('connecting', transport);
        link.turn(page.id);
        return;
      }
      disconnect();
      connect();
    },
    /** The network is back: no need to wait for the next attempt. */
    hurry() {
      if (running && !link) connect();
    },
  };
}
