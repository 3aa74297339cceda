/**
 * The connections over which notifications come: a WebSocket, a stream of Server-Sent Events, and
 * one that the tabs of a visit share.
 */

/**
 * @typedef {import('./live.js').Who} Who
 * @typedef {import('./live.js').Packet} Packet
 * @typedef {import('./live.js').Hooks} Hooks
 * @typedef {import('./live.js').Link} Link
 * @typedef {import('./live.js').Word} Word
 * @typedef {import('./live.js').Parts} Parts
 */

const PATIENCE = 10000; // ms until a silent connection counts as failed
export const STUCK = 1; // the page that holds the connection says nothing; no code of a socket

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
export function openSocket(call, pass = () => {}) {
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
export function openStream(call, pass = () => {}) {
  const { base, who, page, cursor, hooks, guarded } = call;
  const { visitID, token } = who;
  const address = base + '/server/push/sse';
  const query = new URLSearchParams({ visitID, pageID: page, token });
  if (cursor) query.set('cursor', cursor);
  const source = new EventSource(address + '?' + query);
  // A proxy may keep what it should pass on, and the stream opens and is silent.
  const patience = setTimeout(fail, PATIENCE);
  let stream = '';
  /** @type {Promise<unknown>} */ let sent = Promise.resolve();
  function close() {
    clearTimeout(patience);
    source.close();
  }
  function fail() {
    close();
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
    clearTimeout(patience);
    const packet = JSON.parse(message.data);
    stream = packet.stream || stream;
    line.hear(packet);
  });
  // The browser would come back by itself, but at once and with the old cursor in the address.
  source.onerror = fail;
  return { ...line, close };
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
export function openShared(call, open) {
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
