/**
 * The preview: each widget in a frame like the tracker's, with switches for type, language and
 * theme. It takes the tracker's place, so that what a widget reports is shown and sent nowhere.
 */

/**
 * @typedef {object} Widget
 * @property {string} page its file among the resources
 * @property {string} name
 * @property {string[]} types what `?type=` may be; none: it has one type
 * @property {Record<string, string>} [sample] variables that a strategy would write
 * @property {boolean} [live] it starts something real
 */

/** Every page that a visitor may be shown; a test compares this with the folders.
 * @type {readonly Widget[]} */
export const WIDGETS = [
  { page: 'invite.html', name: 'Invitation', types: ['CHAT', 'CALLBACK'] },
  { page: 'inviteGMS.html', name: 'Invitation to GMS chat', types: ['CHAT', 'CALLBACK'] },
  { page: 'inviteThirdParty.html', name: 'Invitation to a third party', types: ['CHAT', 'CALLBACK'] },
  { page: 'invitePartner.html', name: "Invitation to the demo's partner", types: ['CHAT'] },
  { page: 'register.html', name: 'Registration form', types: ['CHAT', 'CALLBACK'] },
  {
    page: 'content.html', name: 'Content', types: [],
    sample: {
      headline: 'A case for your Aurora', text: 'Plant fibre, compostable, and this week for half the price.',
      action: 'See it', link: '/products/shell-case', image: '/shop/art/shell-case.svg',
    },
  },
  { page: 'chat.html', name: 'Chat window', types: [], live: true },
  { page: 'callback.html', name: 'Callback window', types: [], live: true },
  { page: 'webhook.html', name: 'Webhook window', types: [], live: true },
  { page: 'indexGPE.html', name: 'GMS window', types: [], live: true },
];
/** @type {Record<string, string>} the files of `languages/` */
export const LANGUAGES = { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español', ar: 'العربية' };
/** The files of `themes/`. */
export const THEMES = ['night', 'meadow'];

const RESOURCES = '/frontend/resources/';
/** @type {Record<string, string>} */
const EVENTS = { shown: 'InvitationShown', accepted: 'InvitationAccepted', rejected: 'InvitationRejected', timedOut: 'InvitationTimedOut' };

/** @template {HTMLElement} E @param {string} id @returns {E} */
function place(id) {
  return /** @type {E} */ (document.getElementById(id));
}

const choice = /** @type {HTMLFormElement} */ (place('choice'));
/** @type {HTMLIFrameElement|null} */
let frame = null;

/** @param {string} name @returns {string} what is chosen */
function chosen(name) {
  return String(new FormData(choice).get(name) ?? '');
}

/** @returns {Widget} */
function widget() {
  return WIDGETS.find((one) => one.page === chosen('widget')) ?? WIDGETS[0];
}

/** The address as a strategy writes it. */
function address() {
  const query = new URLSearchParams();
  const { page, types, sample = {} } = widget();
  const type = chosen('type');
  if (types.includes(type) && type !== types[0]) query.set('type', type.toLowerCase());
  if (chosen('theme')) query.set('theme', chosen('theme'));
  for (const [name, value] of Object.entries(sample)) query.set(name, value);
  return RESOURCES + page + (query.size ? `?${query}` : '');
}

function show() {
  const { types, live } = widget();
  place('type').parentElement?.toggleAttribute('hidden', types.length === 0);
  place('sentence').textContent = `message Invite is gpe.appendContent {\n  url: "${address()}"\n}`;
  place('reports').replaceChildren();
  place('stage').className = `stage ${chosen('width')}`;
  if (live) return offer();
  const url = new URL(address(), location.href);
  url.searchParams.set('languageCode', chosen('language'));
  frame = document.createElement('iframe');
  frame.referrerPolicy = 'origin';
  frame.title = widget().name;
  frame.src = url.href;
  place('stage').replaceChildren(frame);
}

/** What starts something real is opened on purpose. */
function offer() {
  const link = document.createElement('a');
  link.href = `${RESOURCES}${widget().page}?${new URLSearchParams({ languageCode: chosen('language'), theme: chosen('theme') })}`;
  link.target = '_blank';
  link.textContent = `Open: ${widget().name}`;
  const note = document.createElement('p');
  note.append(link, ' It is real: what you start there waits at the desk.');
  place('stage').replaceChildren(note);
}

/** @param {string} text */
function report(text) {
  const line = document.createElement('li');
  line.textContent = text;
  place('reports').append(line);
}

/** @param {MessageEvent} message */
function heard({ source, origin, data }) {
  if (source !== frame?.contentWindow || origin !== location.origin || data?.overture !== 'frame') return;
  if (data.type === 'resize') frame.style.height = `${Math.ceil(Number(data.height))}px`;
  else if (data.type === 'close') {
    frame.hidden = true;
    report('It leaves the page.');
  } else if (data.type === 'embed') report(`The window was blocked; the page would show ${new URL(data.url).pathname}.`);
  else if (EVENTS[data.type]) report(EVENTS[data.type] + (data.medium ? ` {medium: "${data.medium}"}` : ''));
}

/** @param {string} id @param {[string, string][]} options value and text */
function fill(id, options) {
  place(id).replaceChildren(...options.map(([value, text]) => new Option(text, value)));
}

function listTypes() {
  const before = chosen('type');
  fill('type', widget().types.map((type) => [type, type === 'CHAT' ? 'Chat' : 'Callback']));
  if (widget().types.includes(before)) /** @type {HTMLSelectElement} */ (place('type')).value = before;
}

function start() {
  for (const { page, name } of WIDGETS) {
    const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'widget', value: page, checked: page === WIDGETS[0].page });
    const label = document.createElement('label');
    label.append(input, ` ${name}`);
    place('widgets').append(label);
  }
  fill('language', Object.entries(LANGUAGES));
  fill('theme', [['', 'Standard'], .../** @type {[string, string][]} */ (THEMES.map((name) => [name, name[0].toUpperCase() + name.slice(1)]))]);
  choice.addEventListener('change', () => { listTypes(); show(); });
  choice.addEventListener('submit', (event) => { event.preventDefault(); show(); });
  addEventListener('message', heard);
  listTypes();
  show();
}

start();
