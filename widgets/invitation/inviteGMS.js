/**
 * The invitation to GMS chat: the standard one with `onAccept` replaced, as the documents show it.
 */

/**
 * Opens the GMS chat widget.
 * @param {string} gmsScenario
 */
function startGms(gmsScenario) {
  openWindow(
    'indexGPE.html', // Customized GMS widget
    'GMS', // Window title
    gmsScenario, // GMS scenario name
  );
}

function onAccept() {
  log('onAccept()');
  closeInviteDialogWindow();
  if (_config.type === INVITE_TYPE.CHAT) {
    startGms('CHAT-NOW'); // Start GMS 'CHAT-NOW' scenario
    sendInviteResult(INVITE_RESULT.ACCEPT_CHAT);
  } else if (_config.type === INVITE_TYPE.CALLBACK) {
    startCallback();
    sendInviteResult(INVITE_RESULT.ACCEPT_CALLBACK);
  } else {
    error('Invitation type not defined');
  }
}
