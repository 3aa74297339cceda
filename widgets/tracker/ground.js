/**
 * What all parts of the tracker stand on: settings, failures that stay out of the page, what a tab
 * keeps, and requests.
 */

/**
 * @typedef {import('./live.js').Settings} Settings
 * @typedef {import('./live.js').Data} Data
 * @typedef {import('./live.js').Reply} Reply
 */

const PATIENCE = 20000;        // ms until a request counts as failed
export const BATCH_BYTES = 48 * 1024; // a beacon and a kept-alive request may carry 64 kB together

const script = /** @type {HTMLScriptElement|null} */ (document.currentScript || document.getElementById('_gt'));

export const besides = new URL('.', script?.src || location.href).href;

/** @type {Settings} */
export const settings = {
  base: baseOf(script ? script.src : ''),
  debug: false, languageCode: '', disableWebSockets: false, hashRoutes: undefined, allowedOrigins: [],
  consent: 'none',
};

/** The server's address from the address of this script, without what the documents fix.
 * @param {string} source */
function baseOf(source) {
  const url = new URL(source || location.href, location.href);
  const place = url.pathname.search(/\/(server|frontend)\/resources\//);
  return url.origin + (place > 0 ? url.pathname.slice(0, place) : '');
}

/** @param {unknown[]} words */
export function warn(...words) { console.warn('[overture]', ...words); }
/** @param {unknown[]} words */
export function debug(...words) { if (settings.debug) console.debug('[overture]', ...words); }

/** Wraps a function so that its failure stays in the console and out of the page.
 * @template {unknown[]} A
 * @param {(...args: A) => void} action
 * @returns {(...args: A) => void} */
export function guarded(action) {
  return (...args) => {
    try { action(...args); } catch (failure) { console.error('[overture]', failure); }
  };
}

/** 32 upper-case hex digits: 128 random bits. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('').toUpperCase();
}

/** Milliseconds to wait before the next attempt; the jitter keeps pages from coming back at once.
 * @param {number} attempt */
export function backoff(attempt) { return Math.min(30000, 500 * 2 ** attempt) * (0.5 + Math.random() / 2); }

/** @param {unknown} value @returns {value is Data} */
export function isRecord(value) { return typeof value === 'object' && value !== null && !Array.isArray(value); }

/** What this tab keeps between its pages. Without consent, or storage, the page remembers alone. */
export const store = {
  /** @type {Record<string, string>} */ memory: {},
  /** @param {string} key */
  get(key) { return JSON.parse(this.kept(key) ?? this.memory[key] ?? 'null'); },
  /** @param {string} key */
  kept(key) {
    try { return settings.consent === 'full' ? sessionStorage.getItem('overture.' + key) : null; } catch { return null; }
  },
  /** @param {string} key @param {unknown} value */
  set(key, value) {
    this.memory[key] = JSON.stringify(value);
    try { if (settings.consent === 'full') sessionStorage.setItem('overture.' + key, this.memory[key]); } catch { /* memory has it */ }
  },
  /** @param {string} key */
  remove(key) {
    delete this.memory[key];
    try { sessionStorage.removeItem('overture.' + key); } catch { /* memory had it */ }
  },
  /** From now on, the page remembers alone. */
  leaveNothing() {
    const memory = { ...this.memory };
    for (const key of ['visit', 'pending', 'seen', 'media']) this.remove(key);
    this.memory = memory;
  },
};

/** A request of our own, with cookies only where the visitor has agreed to them.
 * @param {string} path @param {RequestInit} how */
export function request(path, how) {
  return fetch(settings.base + path, {
    credentials: settings.consent === 'full' ? 'include' : 'omit',
    signal: AbortSignal.timeout ? AbortSignal.timeout(PATIENCE) : undefined, ...how,
  });
}

/** Posts JSON; status 0 means that nobody answered.
 * @param {string} path @param {string} body @param {Record<string, string>} [headers]
 * @returns {Promise<Reply>} */
export async function post(path, body, headers) {
  try {
    const response = await request(path, {
      // Kept alive, a request survives the page that made it.
      method: 'POST', body, keepalive: body.length < BATCH_BYTES / 3,
      headers: { 'Content-Type': 'application/json', ...headers },
    });
    const answer = await response.json().catch(() => ({}));
    return { status: response.status, answer, retryAfter: Number(response.headers.get('Retry-After')) || 0 };
  } catch (failure) {
    debug('No answer from', path, failure);
    return { status: 0, answer: {}, retryAfter: 0 };
  }
}

/** @param {number} status */
export function isRefusal(status) { return status >= 400 && status < 500 && ![404, 408, 425, 429].includes(status); }
