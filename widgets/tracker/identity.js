/** Who this is: the ids of visit and visitor, and the token that proves them. */

import { backoff, debug, guarded, isRefusal, post, request, settings, store, warn } from './ground.js';

/**
 * @typedef {import('./live.js').Who} Who
 */

/** Visit and visitor ids, asked of the server once and kept by the tab.
 * @param {(who: Who) => void} opened called each time the server has answered */
export function createIdentity(opened) {
  /** @type {Who|null} */ let who = null;
  /** @type {((who: Who) => void)[]} */ let waiting = [];
  let asking = false;

  async function open(attempt = 0) {
    const agreed = settings.consent;
    if (asking || agreed === 'none') return;
    asking = true;
    const kept = store.get('visit');
    const mine = kept && kept.base === settings.base
      ? { visitID: kept.visitID, globalVisitID: kept.globalVisitID, token: kept.token } : {};
    const reply = await post('/server/data/visits', JSON.stringify(mine));
    asking = false;
    if (reply.answer.visitID && reply.answer.token) {
      // Asked with or without cookies, as was agreed then.
      if (settings.consent !== agreed) {
        if (agreed === 'full') forgetCookies();
        return open();
      }
      return accept(reply.answer);
    }
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

  /** Only the server can: they are not for scripts. */
  function forgetCookies() {
    request('/server/data/visits', { method: 'DELETE', credentials: 'include', keepalive: true }).catch(debug);
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
    forgetCookies,
    forget() {
      who = null;
      store.remove('visit');
    },
  };
}
