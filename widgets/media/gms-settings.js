/**
 * What a copy of this widget replaces: how it reads its address, what it starts, what it sends.
 *
 * A classic script whose functions are globals on purpose, with the names of the documented
 * example: code that was written after it can be put behind this script as it is. It may use
 * `$`; without jQuery, this is as much of it as a form needs.
 */

/** @param {string|Document|(() => void)} what a selector, or what is done when the page is there */
window.$ ??= function (what) {
  const ready = (/** @type {() => void} */ then) => {
    if (document.readyState === 'complete') then();
    else addEventListener('DOMContentLoaded', () => then(), { once: true });
  };
  if (typeof what === 'function') return ready(what);
  const fields = typeof what === 'string' ? [...document.querySelectorAll(what)] : [];
  return {
    ready,
    val(/** @type {string} */ value) {
      if (value === undefined) return fields[0]?.value;
      for (const field of fields) field.value = value;
      return this;
    },
  };
};

/** A variable of this window's address, decoded; undefined when it is not there. @param {string} name */
function getUrlVars(name) {
  return new URLSearchParams(location.search).get(name) ?? undefined;
}

/** Starts the scenario that the address names. */
function gpeStartScenario() {
  $('#scenario').val(getUrlVars('gmsScenario') || 'CHAT-NOW');
  connect();
}

/** Sends what the form says to GMS. Note the spelling: visitId in addresses, visitID here. */
function connect() {
  const scenario = $('#scenario').val();
  const number = $('#contact_number').val();
  const params = {
    first_name: $('#first_name').val(),
    last_name: $('#last_name').val(),
    _provide_code: $('#provide_code').val(),
    visitID: getUrlVars('visitId'),
    pageID: getUrlVars('pageId'),
    invitation: getUrlVars('invitation'),
    webengagement: getUrlVars('webengagement'),
  };
  let service = `callback/${encodeURIComponent($('#service_name').val())}`;
  let handler = window.onResponseReceived;
  if (scenario === 'VOICE-SCHEDULED-USERTERM') params._desired_time = $('#available_time_slots').val();
  if (scenario === 'REQUEST-INTERACTION') {
    service = 'request-interaction';
    params._phone_number = number; // this service alone calls it so
  } else {
    params._customer_number = number;
  }
  if (scenario === 'REQUEST-CHAT') service = 'request-chat';
  if (scenario.startsWith('REQUEST-')) handler = window.onBuiltinCallbackResponseReceived;
  const headers = { gms_user: $('#user_name').val() };
  gmsInterface.createCallback(scenario, $('#url').val(), service, params, headers, handler);
}
