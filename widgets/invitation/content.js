/**
 * Content: an advertisement or a hint, in the page or over it. What it says comes from its address,
 * where the strategy wrote it: `headline`, `text`, `action`, `link` and `image`.
 *
 * All of it is shown as text. A link leads to the site around or to this server, and a picture
 * comes from this server: an address that somebody else wrote cannot lend our name to theirs.
 */

/** @param {string} name of a variable @param {string[]} origins @returns {string} its address, or '' */
function _addressOf(name, origins) {
  const text = getUrlVar(name);
  if (!text) return '';
  try {
    const url = new URL(text, origins[0]);
    if (/^https?:$/.test(url.protocol) && origins.includes(url.origin)) return url.href;
  } catch { /* said below */ }
  error('The address is not of this site:', text);
  return '';
}

/** @param {string} id @param {string} text @param {string} [within] selector of the place in the element */
function _say(id, text, within) {
  if (!text) return;
  const place = /** @type {HTMLElement} */ (within ? element(id).querySelector(within) : element(id));
  place.textContent = text;
  delete place.dataset.word; // the strategy's words, in the language that it chose
  element(id).hidden = false;
}

function _fill() {
  const around = document.referrer ? new URL(document.referrer).origin : location.origin;
  _say('heading', getUrlVar('headline'), 'span');
  _say('text', getUrlVar('text'));
  _say('accept', getUrlVar('action'), 'span');
  const link = _addressOf('link', [around, location.origin]);
  element('accept').hidden = !link;
  if (link) /** @type {HTMLAnchorElement} */ (element('accept')).href = link;
  const image = _addressOf('image', [location.origin]);
  if (!image) return;
  /** @type {HTMLImageElement} */ (element('picture')).src = image;
  element('picture').hidden = false;
}

/** The link opens by itself; the content has done its work. */
function onAccept() {
  log('onAccept()');
  closeInviteDialogWindow();
  sendInviteResult(INVITE_RESULT.ACCEPT_CONTENT);
}

_fill();
