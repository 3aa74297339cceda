/**
 * The invitation: a dialog that asks, starts a medium when it is accepted, and reports the answer.
 *
 * A classic script whose functions are globals on purpose: a copy of `invite.html` replaces
 * `startChat`, `startCallback` or `onAccept` in a script of its own after this one (`inviteGMS.js`
 * is such a copy). The names and their order are those of the documented widget.
 *
 * Reads from its address: `visitId`, `pageId`, `invitation` (added by the tracker), and what the
 * strategy wrote: `type` (CHAT or CALLBACK) and `timeout` in seconds (5 to 600).
 */

/* `var`, not `const`: these belong to `window`, where other scripts look for them. */
var INVITE_TYPE = Object.freeze({ CHAT: 'CHAT', CALLBACK: 'CALLBACK' });

/** What is reported: the tracker's word for the answer, and the medium that was chosen. */
var INVITE_RESULT = Object.freeze({
  ACCEPT_CHAT: Object.freeze({ type: 'accepted', medium: 'chat' }),
  ACCEPT_CALLBACK: Object.freeze({ type: 'accepted', medium: 'callback' }),
  REJECT: Object.freeze({ type: 'rejected' }),
  TIMEOUT: Object.freeze({ type: 'timedOut' }),
});

/** Where the chat widget is, relative to this page. */
var CHAT_WIDGET = 'indexGPE.html';

var _config = {
  type: getUrlVar('type').toUpperCase() || INVITE_TYPE.CHAT,
  timeout: Math.min(600, Math.max(5, Number(getUrlVar('timeout')) || 60)) * 1000,
  debug: getUrlVar('debug') === 'true',
};

/** @type {ReturnType<typeof setTimeout>|undefined} */
var _clock;
var _answered = false;

/* ---------------------------------------------------------------- to be replaced by a copy */

/** The visitor accepts: the dialog goes first, then the medium starts, then the answer is told. */
function onAccept() {
  log('onAccept()');
  if (_config.type === INVITE_TYPE.CHAT) {
    closeInviteDialogWindow();
    startChat();
    sendInviteResult(INVITE_RESULT.ACCEPT_CHAT);
  } else if (_config.type === INVITE_TYPE.CALLBACK) {
    startCallback(); // says its thanks in the dialog, and closes it then
    sendInviteResult(INVITE_RESULT.ACCEPT_CALLBACK);
  } else {
    error('Invitation type not defined');
  }
}

/** Opens the chat widget. */
function startChat() {
  openWindow(CHAT_WIDGET, 'Chat', 'CHAT-NOW');
}

/** Thanks the visitor. The acceptance is on record with the visit; nothing dials by itself. */
function startCallback() {
  setText('heading', 'Thank you');
  setText('text', 'We have noted that you would like to talk to us. Nobody calls by itself: ' +
    'please keep this page open, or write to us if it is urgent.');
  element('accept').hidden = true;
  setText('reject', 'Close');
  element('reject').focus();
  _measure();
  setTimeout(closeInviteDialogWindow, 15000);
}

/** The visitor declines, by button, by the cross, or with Escape. */
function onReject() {
  log('onReject()');
  closeInviteDialogWindow();
  sendInviteResult(INVITE_RESULT.REJECT);
}

/* ---------------------------------------------------------------- what a copy may call */

/**
 * Opens a medium's page in a window of its own, with the scenario and the ids in its address.
 * When the browser does not allow the window, the same page appears inside the visitor's page.
 * @param {string} url relative to this page
 * @param {string} title of the window
 * @param {string} [scenario] passed as `gmsScenario`
 * @returns {Window|null} the window, or null when it was embedded
 */
function openWindow(url, title, scenario) {
  const target = new URL(url, location.href);
  if (scenario) target.searchParams.set('gmsScenario', scenario);
  for (const name of ['visitId', 'pageId', 'invitation']) {
    if (getUrlVar(name)) target.searchParams.set(name, getUrlVar(name));
  }
  // No `noopener`: with it a window that did open cannot be told from one that was blocked.
  const opened = window.open(target.href, title.replace(/\W+/g, '_'), 'popup,width=420,height=640');
  // A window's title names it for scripts; a visitor reads what it is for.
  if (!opened) _tell({ type: 'embed', url: target.href, title: 'Chat' });
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

/** @param {string} id @param {string} text */
function setText(id, text) {
  element(id).textContent = text;
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
  const box = element('dialog').getBoundingClientRect();
  if (box.height) _tell({ type: 'resize', height: Math.ceil(box.height) + 40, width: 420 });
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

function _show() {
  if (_config.type === INVITE_TYPE.CALLBACK) {
    setText('heading', 'Shall we call you?');
    setText('text', 'Some things are easier said than typed. Someone of our team would like to help you.');
    setText('accept', 'Yes, please');
    element('accept').dataset.type = 'callback';
  }
  // Looked up when it is clicked, because a copy may have replaced the function.
  element('accept').addEventListener('click', () => window.onAccept());
  for (const id of ['reject', 'close']) element(id).addEventListener('click', () => _decline());
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') _decline(); else _wind(); });
  for (const kind of ['pointermove', 'pointerdown']) document.addEventListener(kind, _wind, { passive: true });
  addEventListener('focus', () => { if (document.activeElement === document.body) element('dialog').focus(); });
  element('dialog').hidden = false;
  _measure();
  new ResizeObserver(_measure).observe(element('dialog'));
  _tell({ type: 'shown' });
  _wind();
}

/** After the answer the same buttons only close. */
function _decline() {
  if (_answered) closeInviteDialogWindow();
  else onReject();
}

// When the copy's own script has run, too.
addEventListener('DOMContentLoaded', _show, { once: true });
