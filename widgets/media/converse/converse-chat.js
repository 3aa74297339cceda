// @ts-check
/**
 * Converse as the chat of a third party: a visitor without an account talks to one agent, and the
 * first thing that the agent's side hears is the signed token that the invitation brought.
 *
 * BOSH rather than WebSocket, so that a reloaded window is the same visitor with the same
 * transcript. What the agent is called, and where, is in the attributes of the page.
 */
const NAMESPACE = 'urn:overture:engagement:0';

const place = new URLSearchParams(location.search);
const settings = document.documentElement.dataset;
const { converse } = /** @type {any} */ (window);

converse.plugins.add('overture-engagement', {
  initialize() {
    const { api } = this._converse;
    api.listen.on('createMessageStanza', (/** @type {any} */ _chat, /** @type {any} */ data) => {
      const said = { xmlns: NAMESPACE, token: place.get('token') ?? '' };
      data.stanza.c('engagement', said).up();
      return data;
    });
  },
});

converse.initialize({
  authentication: 'anonymous',
  auto_login: true,
  jid: settings.visitors,
  bosh_service_url: new URL(settings.bosh ?? '/http-bind', location.href).href,
  discover_connection_methods: false,
  view_mode: 'embedded',
  singleton: true,
  auto_join_private_chats: [settings.agent],
  allow_logout: false,
  allow_registration: false,
  allow_contact_requests: false,
  allow_muc: false,
  assets_path: new URL('dist/', location.href).pathname,
  whitelisted_plugins: ['overture-engagement'],
  // Encryption between devices means nothing to a visitor without an account, and would need
  // WebAssembly in the policy of the page.
  blacklisted_plugins: ['converse-omemo'],
  persistent_store: 'sessionStorage',
});
