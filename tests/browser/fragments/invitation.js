// The documented example for an invitation: put behind its script as it is, with a host for GMS.
function startGms(gmsScenario) {
openWindow(
'http://<GMS Host>/genesys/admin/js/sample/cb/indexGPE.html', // Customized GMS widget
'GMS', // Window title
gmsScenario // GMS scenario name
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
