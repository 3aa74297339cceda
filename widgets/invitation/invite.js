/**
 * The invitation: a dialog that asks, starts a medium when it is accepted, and reports the answer.
 *
 * All invitations of this folder share this script; what they say and how they look is in their
 * pages, in `languages/` and in `themes/`. A classic script whose functions are globals on
 * purpose: a copy of a page replaces `startChat`, `startCallback` or `onAccept` in a script of its
 * own after this one (`inviteGMS.js` is such a copy). The names and their order are those of the
 * documented widget.
 *
 * Reads from its address: `visitId`, `pageId`, `invitation` and `languageCode` (added by the
 * tracker), and what the strategy wrote: `type` (CHAT or CALLBACK), `theme` (a file of `themes/`)
 * and `timeout` in seconds (5 to 600).
 */

/* `var`, not `const`: these belong to `window`, where other scripts look for them. */
var INVITE_TYPE = Object.freeze({ CHAT: 'CHAT', CALLBACK: 'CALLBACK', CONTENT: 'CONTENT' });

/** What is reported: the tracker's word for the answer, and the medium that was chosen. */
var INVITE_RESULT = Object.freeze({
  ACCEPT_CHAT: Object.freeze({ type: 'accepted', medium: 'chat' }),
  ACCEPT_CALLBACK: Object.freeze({ type: 'accepted', medium: 'callback' }),
  ACCEPT_CONTENT: Object.freeze({ type: 'accepted', medium: 'content' }),
  REJECT: Object.freeze({ type: 'rejected' }),
  TIMEOUT: Object.freeze({ type: 'timedOut' }),
});

/** Where the windows of the media are, relative to this page. */
var CHAT_WIDGET = 'chat.html';
var CALLBACK_WIDGET = 'callback.html';

var _config = {
  type: (getUrlVar('type') || document.documentElement.dataset.type || INVITE_TYPE.CHAT).toUpperCase(),
  timeout: Math.min(600, Math.max(5, Number(getUrlVar('timeout') || document.documentElement.dataset.timeout) || 60)) * 1000,
  language: getUrlVar('languageCode') || navigator.language || 'en',
  theme: getUrlVar('theme'),
  debug: getUrlVar('debug') === 'true',
};

/** How long a slow network may keep the invitation back, in ms; then it says what its page says. */
var _PATIENCE = 1500;

/** @type {ReturnType<typeof setTimeout>|undefined} */
var _clock;
var _answered = false;

/* ---------------------------------------------------------------- to be replaced by a copy */

/** The visitor accepts: the dialog goes first, then the medium starts, then the answer is told. */
function onAccept() {
  log('onAccept()');
  closeInviteDialogWindow();
  if (_config.type === INVITE_TYPE.CHAT) {
    startChat();
    sendInviteResult(INVITE_RESULT.ACCEPT_CHAT);
  } else if (_config.type === INVITE_TYPE.CALLBACK) {
    startCallback();
    sendInviteResult(INVITE_RESULT.ACCEPT_CALLBACK);
  } else {
    error('Invitation type not defined');
  }
}

/** Opens the window of the chat. */
function startChat() {
  openWindow(CHAT_WIDGET, 'Chat', 'CHAT-NOW');
}

/** Opens the window in which a call is asked for, at once or at a time. */
function startCallback() {
  openWindow(CALLBACK_WIDGET, 'Callback');
}

/** The visitor declines, by button, by the cross, or with Escape. */
function onReject() {
  log('onReject()');
  closeInviteDialogWindow();
  sendInviteResult(INVITE_RESULT.REJECT);
}

/* ---------------------------------------------------------------- what a copy may call */

/**
 * Opens a medium's page in a window of its own, with the scenario, the ids and what the visitor
 * wrote into a form of this page in its address. When the browser does not allow the window, the
 * same page appears inside the visitor's page.
 * @param {string} url relative to this page
 * @param {string} title of the window
 * @param {string} [scenario] passed as `gmsScenario`
 * @returns {Window|null} the window, or null when it was embedded
 */
function openWindow(url, title, scenario) {
  const target = new URL(url, location.href);
  if (scenario) target.searchParams.set('gmsScenario', scenario);
  for (const name of ['visitId', 'pageId', 'invitation', 'languageCode', 'theme']) {
    if (getUrlVar(name)) target.searchParams.set(name, getUrlVar(name));
  }
  for (const [name, value] of Object.entries(_written())) target.searchParams.set(name, value);
  // No `noopener`: with it a window that did open cannot be told from one that was blocked.
  const opened = window.open(target.href, title.replace(/\W+/g, '_'), 'popup,width=420,height=640');
  // A window's title names it for scripts; a visitor reads what it is for.
  const name = document.querySelector('#medium > :not([hidden])')?.textContent;
  if (!opened) _tell({ type: 'embed', url: target.href, title: name ?? 'Chat' });
  return opened;
}

/**
 * Reports the visitor's answer, once.
 * @param {{type: string, medium?: string}} result one of INVITE_RESULT
 */
function sendInviteResult(result) {
  if (_answered) return;
  _answered = true;
  clearTimeout(_clock);
  _tell(result);
}

/** Takes the invitation off the page. */
function closeInviteDialogWindow() {
  clearTimeout(_clock);
  element('dialog').hidden = true;
  _tell({ type: 'close' });
}

/** @param {string} name @returns {string} a variable of this page's address, or '' */
function getUrlVar(name) {
  return new URLSearchParams(location.search).get(name) || '';
}

/** @param {unknown[]} words */
function log(...words) {
  if (_config.debug) console.debug('[invitation]', ...words);
}

/** @param {unknown[]} words */
function error(...words) {
  console.error('[invitation]', ...words);
}

/* ---------------------------------------------------------------- the rest is ours */

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Speaks to the tracker of the page around. @param {Record<string, unknown>} message */
function _tell(message) {
  if (window.parent === window) return log('no page around', message);
  // The referrer names the page around; a browser that hides it still delivers, and nothing of
  // this is secret.
  const around = document.referrer ? new URL(document.referrer).origin : '*';
  window.parent.postMessage({ overture: 'frame', ...message }, around);
}

/** The frame is as large as the dialog with its shadow, so that the page beside stays usable. */
function _measure() {
  // What it would take, not what it has: in a small frame it scrolls.
  const height = element('dialog').scrollHeight;
  if (height) _tell({ type: 'resize', height: height + 42, width: 420 });
}

/** Without an answer the invitation goes by itself; whoever is busy with it gets the whole time again. */
function _wind() {
  clearTimeout(_clock);
  if (_answered) return;
  _clock = setTimeout(() => {
    closeInviteDialogWindow();
    sendInviteResult(INVITE_RESULT.TIMEOUT);
  }, _config.timeout);
}

/**
 * Puts the visitor's language into the page; what no file says stays as the page has it.
 * Words are text, never markup.
 */
async function _translate() {
  const code = _config.language.toLowerCase().split(/[-_]/)[0];
  if (!/^[a-z]{2,3}$/.test(code)) return;
  const stop = AbortSignal.timeout ? AbortSignal.timeout(_PATIENCE) : undefined;
  const answer = await fetch(`languages/${code}.json`, { signal: stop });
  if (!answer.ok) return log('no words for', code);
  const words = await answer.json();
  document.documentElement.lang = code;
  document.documentElement.dir = words.direction === 'rtl' ? 'rtl' : 'ltr';
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-word]'))) {
    const word = words[one.dataset.word ?? ''];
    if (word && one.dataset.attribute) one.setAttribute(one.dataset.attribute, word);
    else if (word) one.textContent = word;
  }
}

/** Loads the theme: a stylesheet that sets custom properties of `invite.css`. */
function _dress() {
  if (!/^[a-z0-9-]{1,40}$/.test(_config.theme)) return undefined;
  return new Promise((done) => {
    const sheet = document.createElement('link');
    sheet.rel = 'stylesheet';
    sheet.href = `themes/${_config.theme}.css`;
    sheet.onload = sheet.onerror = done;
    setTimeout(done, _PATIENCE);
    document.head.append(sheet);
  });
}

/** What the visitor wrote into the form of this page, where it has one. @returns {Record<string, string>} */
function _written() {
  const form = /** @type {HTMLFormElement|null} */ (document.querySelector('form.gpe-form'));
  /** @type {Record<string, string>} */ const found = {};
  if (!form) return found;
  for (const [name, value] of new FormData(form)) if (String(value).trim()) found[name] = String(value).trim();
  return found;
}

/** Marks fields that are missing or cannot be right, and goes to the first. @returns {boolean} all are good */
function _isComplete() {
  /** @type {HTMLInputElement|undefined} */ let first;
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('.gpe-form input, .gpe-form textarea'))) {
    const wrong = !field.disabled && !field.checkValidity();
    field.setAttribute('aria-invalid', String(wrong));
    element(field.id + '-problem').hidden = !wrong;
    if (wrong) first ??= field;
  }
  first?.focus();
  return !first;
}

/** Tab stays inside an open dialog; Escape leaves it. @param {KeyboardEvent} event */
function _onKey(event) {
  if (event.key === 'Escape') return window.onReject();
  _wind();
  const isDialog = element('dialog').getAttribute('role') === 'dialog';
  if (event.key !== 'Tab' || !isDialog) return;
  const stops = Array.from(/** @type {NodeListOf<HTMLElement>} */ (element('dialog').querySelectorAll('a[href], button, input, textarea, select')))
    .filter((one) => one.offsetParent && !one.matches(':disabled'));
  const here = stops.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const edge = event.shiftKey ? here <= 0 : here === stops.length - 1;
  if (!edge) return;
  event.preventDefault();
  stops[event.shiftKey ? stops.length - 1 : 0]?.focus();
}

/** Shows what is for this type; of a type that nobody knows, what is for a chat. */
function _choose() {
  const known = Object.values(INVITE_TYPE).includes(_config.type) ? _config.type : INVITE_TYPE.CHAT;
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-for]'))) {
    one.hidden = one.dataset.for !== known;
    for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (one.querySelectorAll('input'))) field.disabled = one.hidden;
  }
  element('accept').dataset.type = known.toLowerCase();
}

function _listen() {
  // Looked up when it is clicked, because a copy may have replaced the function.
  const form = document.querySelector('form.gpe-form');
  if (form) {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (_isComplete()) window.onAccept();
    });
  } else element('accept').addEventListener('click', () => window.onAccept());
  for (const id of ['reject', 'close']) element(id).addEventListener('click', () => window.onReject());
  document.addEventListener('keydown', _onKey);
  for (const kind of ['pointermove', 'pointerdown', 'input']) document.addEventListener(kind, _wind, { passive: true });
  addEventListener('focus', () => { if (document.activeElement === document.body) element('dialog').focus(); });
}

async function _show() {
  _choose();
  _listen();
  await Promise.all([_translate().catch((failure) => log(failure)), _dress()]);
  element('dialog').hidden = false;
  // A region that fills itself is read aloud, wherever the visitor is on the page.
  element('announcement').textContent = element('heading').innerText;
  _measure();
  const observer = new ResizeObserver(_measure);
  for (const part of [element('dialog'), ...element('dialog').children]) observer.observe(part);
  _tell({ type: 'shown' });
  _wind();
}

// When the copy's own script has run, too.
addEventListener('DOMContentLoaded', _show, { once: true });
