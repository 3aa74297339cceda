/**
 * Content on the page: frames of allowed origins, media in them, and what invitations answer.
 */

/**
 * @typedef {import('./live.js').Data} Data
 * @typedef {import('./live.js').Kept} Kept
 * @typedef {import('./live.js').Panel} Panel
 * @typedef {import('./live.js').Parts} Parts
 */

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

/** Frames of allowed origins inside the page, and what the invitations in them report.
 * @param {Parts} parts */
export function createFrames({ settings, page, identity, store, flush, warn, guarded }) {
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
