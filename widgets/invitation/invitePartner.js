/**
 * The invitation to a third party's chat: it starts that chat, and nothing on our side. Only what
 * the visitor answered to the invitation is known here.
 */

/** The page of the third party; in the demo shop a stand-in that answers by itself. */
var PARTNER_WIDGET = '/shop/partner.html';

function startChat() {
  openWindow(PARTNER_WIDGET, 'Partner');
}

// So that a report counts what was accepted here as a third party's.
INVITE_RESULT = Object.freeze({
  ...INVITE_RESULT,
  ACCEPT_CHAT: Object.freeze({ type: 'accepted', medium: 'third_party' }),
});
