/**
 * The invitation to a third party's chat: the standard one with `startChat` replaced.
 *
 * The other side's address and a signed token for this visit and page are fetched while the
 * visitor reads, so that the window opens in the click itself and is not taken for a pop-up.
 */

var _thirdParty = fetch('/media/third-party', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({
    visitID: getUrlVar('visitId'),
    pageID: getUrlVar('pageId'),
    invitation: getUrlVar('invitation'),
  }),
}).then((response) => response.json()).then((answer) => {
  if (!answer.url) throw new Error(answer.error);
  return (_thirdParty.address = `${answer.url}?token=${encodeURIComponent(answer.token)}`);
});
_thirdParty.catch((problem) => error('The third party can not be opened:', problem.message));

/** Opens the other side's page: at once when its address is here, else as soon as it is. */
function startChat() {
  const open = (/** @type {string} */ address) => openWindow(address, 'Chat');
  if (_thirdParty.address) open(_thirdParty.address);
  else _thirdParty.then(open, () => {});
}

INVITE_RESULT = Object.freeze({
  ...INVITE_RESULT,
  ACCEPT_CHAT: Object.freeze({ type: 'accepted', medium: 'third_party' }),
});
