/**
 * The live half of the tracker: receives notifications, and shows content in frames on the page.
 *
 * A module that the tracker loads from beside itself, once it has said hello to the server. Served
 * with the files that it imports as one.
 */

import { createFrames } from './frames.js';
import { STUCK, openShared, openSocket, openStream } from './links.js';

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

const REMEMBERED = 200; // ids of notifications already shown in this tab

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
