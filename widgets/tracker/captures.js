/**
 * What a page notices by itself: the captures of the live book, and where their fields come from.
 *
 * A module that the tracker loads from beside itself when the book has any. The book's document is
 * data (its shape is in the interface of the server), so nothing here evaluates code. Gestures are
 * read before the site's own handlers see them: the fields are what the visitor saw.
 */

/**
 * @typedef {import('./live.js').Data} Data
 * @typedef {{on: string, selector?: string, key?: string, ms?: number, percent?: number}} Capture
 * @typedef {{path: string, kind: string, from: string, name?: string, selector?: string}} Field
 * @typedef {{name: string, captures: Capture[], fields: Field[]}} CapturedEvent
 * @typedef {{event: CapturedEvent, capture: Capture}} Watched
 *
 * What the tracker lends; it stays the owner.
 * @typedef {object} CaptureParts
 * @property {{readonly id: string, record(name: string, data: Data): void}} page
 * @property {() => number} attention ms in which the page was visible and had the focus
 * @property {(...words: unknown[]) => void} warn
 * @property {<A extends unknown[]>(action: (...args: A) => void) => (...args: A) => void} guarded
 */

const GESTURE = 100;   // ms in which two captures of one event are the same gesture: Enter, and its submit
const LONGEST = 4096;  // characters of a field
const MOST = 100;      // values of a list
const PAUSE = 200;     // ms between two looks at a page that changes
const SECRET = /^(password|hidden|file)$/;

/** Watches a page. @param {CaptureParts} parts */
export function createCaptures({ page, attention, warn, guarded }) {
  /** @type {CapturedEvent[]} */ let events = [];
  /** @type {Map<CapturedEvent, {capture: Capture, text: string, time: number}>} */ const latest = new Map();
  const visible = createVisible(page, (watched, element) => send(watched, element), guarded);
  /** What was sent once, and is not again on this page. @type {Set<Capture>} */ let done = new Set();
  /** @type {number|undefined} */ let ticking;

  /** @param {string} kind @returns {Watched[]} */
  function watchedFor(kind) {
    return events.flatMap((event) => event.captures
      .filter((capture) => capture.on === kind && !done.has(capture)).map((capture) => ({ event, capture })));
  }

  /** @param {Watched} watched @param {Element|null} element */
  function send({ event, capture }, element) {
    /** @type {Data} */ const data = {};
    complete(event.fields, data, element);
    const text = JSON.stringify(data);
    const before = latest.get(event);
    const time = performance.now();
    latest.set(event, { capture, text, time });
    if (before && before.capture !== capture && before.text === text && time - before.time < GESTURE) return;
    page.record(event.name, data);
  }

  /** A gesture in an element counts for whatever is around it, also across shadow roots.
   * @param {string} kind @param {Event} gesture @param {(capture: Capture) => boolean} [fits] */
  function gestured(kind, gesture, fits = () => true) {
    for (const watched of watchedFor(kind)) {
      if (!fits(watched.capture)) continue;
      const found = gesture.composedPath().find((node) => node instanceof Element && node.matches(String(watched.capture.selector)));
      if (found) send(watched, /** @type {Element} */ (found));
    }
  }

  /** @param {KeyboardEvent} press */
  function pressed(press) {
    if (!press.repeat && !press.isComposing) gestured('key', press, (capture) => capture.key === press.key);
  }

  /** @param {Watched} watched */
  function once(watched) {
    done.add(watched.capture);
    send(watched, null);
  }

  function scrolled() {
    const root = document.scrollingElement || document.documentElement;
    // A pixel of tolerance: a zoomed page ends between two of them.
    const share = 100 * (root.scrollTop + innerHeight + 1) / root.scrollHeight;
    if (root.scrollTop > 0) watchedFor('scroll').filter(({ capture }) => share >= Number(capture.percent)).forEach(once);
  }

  function tick() {
    const spent = attention();
    watchedFor('timer').filter(({ capture }) => spent >= Number(capture.ms)).forEach(once);
    const rest = watchedFor('timer').map(({ capture }) => Number(capture.ms) - spent);
    clearTimeout(ticking);
    // Attention cannot be waited for, it may go at any time: so it is asked for, as late as will do.
    if (rest.length) ticking = setTimeout(guarded(tick), Math.max(20, Math.min(1000, ...rest)));
  }

  /** The pointer goes where the tabs and the address are. @param {MouseEvent} move */
  function left(move) {
    if (move.relatedTarget || move.clientY > 0 || move.buttons) return;
    for (const watched of watchedFor('exit')) send(watched, null);
  }

  /** @param {string} name @param {(event: any) => void} heard */
  const listen = (name, heard) => addEventListener(name, guarded(heard), { capture: true, passive: true });
  listen('click', (event) => gestured('click', event));
  listen('submit', (event) => gestured('submit', event));
  listen('keydown', pressed);
  listen('scroll', scrolled);
  listen('mouseout', left);

  function renew() {
    done = new Set();
    visible.watch(watchedFor('visible'));
    tick();
  }

  return {
    renew,
    /** From now on, this is what the book captures. @param {CapturedEvent[]} found */
    follow(found) {
      events = found.filter((event) => event.captures.every(isReadable));
      renew();
    },
    /** Fills what the site's own code left out of an event. @param {string} name @param {Data} data */
    fill(name, data) {
      const event = events.find((one) => one.name === name);
      if (event) complete(event.fields, data, null);
    },
  };

  /** The server has read the selectors already; a browser of another age may read them otherwise.
   * @param {Capture} capture */
  function isReadable(capture) {
    try {
      document.querySelector(capture.selector || 'html');
      return true;
    } catch {
      warn('This browser cannot read the selector', capture.selector);
      return false;
    }
  }
}

/** Elements that come into view, each once a page, also those that appear later.
 * @param {CaptureParts['page']} page @param {(watched: Watched, element: Element) => void} seen
 * @param {CaptureParts['guarded']} guarded */
function createVisible(page, seen, guarded) {
  /** @type {Watched[]} */ let wanted = [];
  /** @type {Map<Element, Watched[]>} */ let waiting = new Map();
  /** @type {number|undefined} */ let timer;

  const views = new IntersectionObserver(guarded((entries) => {
    for (const { target, isIntersecting, intersectionRatio, intersectionRect } of entries) {
      // Half of it, or of the window where it is larger than that.
      if (!isIntersecting || (intersectionRatio < 0.5 && intersectionRect.height < innerHeight / 2)) continue;
      views.unobserve(target);
      const found = waiting.get(target) || [];
      waiting.set(target, []);
      for (const watched of found) seen(watched, target);
    }
  }), { threshold: [0, 0.1, 0.2, 0.3, 0.4, 0.5] });

  const changes = new MutationObserver(() => { timer ??= setTimeout(guarded(look), PAUSE); });

  function look() {
    timer = undefined;
    for (const element of waiting.keys()) if (!element.isConnected) waiting.delete(element);
    /** @type {Map<Element, Watched[]>} */ const found = new Map();
    for (const watched of wanted) {
      for (const element of document.querySelectorAll(String(watched.capture.selector))) {
        found.set(element, [...(found.get(element) || []), watched]);
      }
    }
    for (const [element, all] of found) {
      if (waiting.has(element)) continue;
      waiting.set(element, all);
      views.observe(element);
    }
  }

  return {
    /** @param {Watched[]} all */
    watch(all) {
      wanted = all;
      waiting = new Map();
      views.disconnect();
      changes.disconnect();
      if (!all.length) return;
      changes.observe(document, { childList: true, subtree: true, attributeFilter: ['class', 'id'] });
      look();
    },
  };
}

/* ------------------------------------------------------------------ fields */

/** Puts into `data` what it leaves out and the page has.
 * @param {Field[]} fields @param {Data} data @param {Element|null} around the element of the gesture */
function complete(fields, data, around) {
  for (const field of fields) {
    const value = read(field, around);
    if (value !== undefined) put(data, field.path.split('.'), value);
  }
}

/** What is there stays. @param {any} place @param {string[]} path @param {unknown} value */
function put(place, [step, ...rest], value) {
  if (typeof place !== 'object' || place === null) return;
  if (!Object.hasOwn(place, step) || place[step] === undefined) place[step] = rest.length ? {} : value;
  if (rest.length) put(place[step], rest, value);
}

/** @param {Field} field @param {Element|null} around @returns {unknown} */
function read(field, around) {
  const [, inner] = /^list of (.*)$/.exec(field.kind) || [];
  if (field.from === 'variable') {
    const value = variable(String(field.name));
    if (!inner) return converted(field.kind, value);
    return Array.isArray(value) ? listOf(inner, value) : undefined;
  }
  if (inner) {
    const all = Array.from(document.querySelectorAll(String(field.selector)));
    return all.length ? listOf(inner, all.map((element) => raw(field, element))) : undefined;
  }
  const element = nearest(String(field.selector), around);
  return element ? converted(field.kind, raw(field, element)) : undefined;
}

/** @param {string} kind @param {unknown[]} values */
function listOf(kind, values) {
  return values.slice(0, MOST).map((value) => converted(kind, value)).filter((value) => value !== undefined);
}

/** The first element that matches: in the one of the gesture, then in those around it.
 * @param {string} selector @param {Element|null} around @returns {Element|null} */
function nearest(selector, around) {
  for (let place = around; place; place = place.parentElement) {
    const found = place.matches(selector) ? place : place.querySelector(selector);
    if (found) return found;
  }
  return document.querySelector(selector);
}

/** What an element says; never what is typed into a field that hides it.
 * @param {Field} field @param {any} element */
function raw(field, element) {
  if (field.from === 'attribute') return element.getAttribute(field.name);
  if (field.from === 'text') return element.textContent.replace(/\s+/g, ' ').trim();
  if (SECRET.test(element.type) || /^cc-/.test(element.autocomplete)) return undefined;
  if (field.kind === 'boolean' && /^(checkbox|radio)$/.test(element.type)) return element.checked;
  return element.value;
}

/** @param {string} name a dotted name @returns {unknown} */
function variable(name) {
  /** @type {any} */ let value = window;
  for (const step of name.split('.')) value = value?.[step];
  return value;
}

/* ------------------------------------------------------------------ kinds */

/** A value as its kind, or nothing. @param {string} kind @param {any} value @returns {unknown} */
function converted(kind, value) {
  if (value === undefined || value === null || typeof value === 'function') return undefined;
  if (kind === 'boolean') return truth(value);
  if (kind === 'time') return moment(value);
  if (kind === 'number' || kind === 'duration') return number(value);
  return typeof value === 'object' ? undefined : String(value).slice(0, LONGEST);
}

/** @param {unknown} value */
function truth(value) {
  // An attribute without a value is there, and that is what it says.
  if (/^(true|1|yes|on|)$/i.test(String(value))) return true;
  return /^(false|0|no|off)$/i.test(String(value)) ? false : undefined;
}

/** @param {any} value ms, a date, or text with one */
function moment(value) {
  const text = String(value);
  const found = value instanceof Date ? value.getTime() : /^-?\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(found) ? found : undefined;
}

/** Reads `749`, `$1,299.00`, `1.299,00 €` and `1 299`; where one separator could be either, the
 * language of the page says which. @param {unknown} value */
function number(value) {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  const text = String(value);
  const [found] = /[-\u2212]?\d+(?:[.,'\u2019]\d+|\s\d{3}(?!\d))*/.exec(text) || [];
  if (!found) return undefined;
  if (found === text.trim() && /^-?\d+(\.\d+)?$/.test(found) && !/\.\d{3}$/.test(found)) return Number(found);
  const decimal = decimalOf(found);
  const plain = Array.from(found, (sign) => (sign === decimal ? '.' : /\d/.test(sign) ? sign : '')).join('');
  return (/^\d/.test(found) ? 1 : -1) * Number(plain);
}

/** The separator before the fraction of a number. @param {string} text */
function decimalOf(text) {
  const separators = text.replace(/[^.,]/g, '');
  const last = separators.slice(-1);
  if (separators.length > 1) return new Set(separators).size > 1 ? last : '';
  if (!/[.,]\d{3}$/.test(text) || /^-?0/.test(text)) return last;
  const ours = new Intl.NumberFormat(document.documentElement.lang || undefined).formatToParts(1.5);
  return ours.find((part) => part.type === 'decimal')?.value === last ? last : '';
}
