// The documented example for a GMS widget: put behind its script as it is.
function getUrlVars (name) {
var vars = [], hash, i,
hashes = window.location.href.slice(window.location.href.indexOf('?') + 1).split('&');
for (i = 0; i < hashes.length; i += 1) {
hash = hashes[i].split('=');
vars.push(hash[0]);
vars[hash[0]] = hash[1];
}
return vars[name];
}
function gpeStartScenario() {
var scenario = getUrlVars('gmsScenario') || 'CHAT-NOW'; // Fetch scenario name. Default is 'CHAT-NOW'
$('#settings [name=service_name]').val('samples_new'); // Example GMS Service
$('#scenario').val(scenario); // Set scenario name
connect(); // Connect to GMS
}
function connect(e) {
// get data from ui
var headers = new Object();
headers.gms_user = $('#user_name').val();
var params = new Object();
params.first_name = $('#first_name').val();
params.last_name = $('#last_name').val();
params._provide_code = $('#provide_code').val();
params.visitID = getUrlVars('visitId'); // Required parameters
params.pageID = getUrlVars('pageId'); // Required parameters
var scenario = $('#scenario').val();
if ($('#scenario').val() == "VOICE-SCHEDULED-USERTERM") {
params._desired_time = $('#available_time_slots').val();
}
var serviceName = $('#service_name').val();
var serviceUrl;
var responseHandler = onResponseReceived;
if (scenario == "REQUEST-INTERACTION") {
serviceUrl = 'request-interaction';
// request interaction requires _phone_number instead of _customer_number as required by callback
params._phone_number = $('#contact_number').val();
responseHandler = onBuiltinCallbackResponseReceived;
} else if (scenario == "REQUEST-CHAT") {
serviceUrl = 'request-chat';
params._customer_number = $('#contact_number').val();
responseHandler = onBuiltinCallbackResponseReceived;
} else {
serviceUrl = 'callback/' + serviceName;
params._customer_number = $('#contact_number').val();
}
// post data
gmsInterface.createCallback(scenario, $('#url').val(), serviceUrl, params, headers, responseHandler);
//gmsInterface.call_agent();
}
$(document).ready(function () {
// inside onready callback
gpeStartScenario();
});
