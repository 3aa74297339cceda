// @ts-check
/**
 * The GMS protocol as a widget speaks it: scenarios, callback service, dialogs, chat v1.
 * Knows nothing of the page: another widget can import it and look as it likes.
 */

/** @param {string} direction @param {string} waits @param {string} medium */
const expanded = (direction, waits, medium) => Object.freeze({
  _call_direction: direction,
  _wait_for_agent: waits,
  _wait_for_user_confirm: waits,
  _media_type: medium,
});

/**
 * What a scenario's name stands for; the name itself never goes on the wire. The last two are
 * built-in services, which take no parameters of a scenario.
 * @type {Readonly<Record<string, Readonly<Record<string, string>>>>}
 */
export const SCENARIOS = Object.freeze({
  'CHAT-NOW': expanded('USERORIGINATED', 'false', 'chat'),
  'CHAT-WAIT': expanded('USERORIGINATED', 'true', 'chat'),
  'VOICE-NOW-USERORIG': expanded('USERORIGINATED', 'false', 'voice'),
  'VOICE-WAIT-USERORIG': expanded('USERORIGINATED', 'true', 'voice'),
  'VOICE-NOW-USERTERM': expanded('USERTERMINATED', 'false', 'voice'),
  'VOICE-WAIT-USERTERM': expanded('USERTERMINATED', 'true', 'voice'),
  'VOICE-SCHEDULED-USERTERM': expanded('USERTERMINATED', 'true', 'voice'),
  'REQUEST-INTERACTION': Object.freeze({}),
  'REQUEST-CHAT': Object.freeze({}),
});

/**
 * A refusal of the server: `message` is its sentence, `code` one word for it where the server is
 * ours; `status` 0 means that nobody answered.
 */
export class GmsError extends Error {
  /** @param {number} status @param {string} message @param {string} [code] */
  constructor(status, message, code = '') {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * @typedef {{position: number, type: string, nick: string, text: string, party: string}} Line
 * @typedef {{position: number, lines: Line[], ended: boolean, typing: string}} Transcript
 * @typedef {{_label: string, _user_action_url: string}} Choice
 * @typedef {{_id: string, _action?: string, _text?: string, _tel_url?: string, _label?: string,
 *   _content?: {_group_name: string, _group_content: Choice[]}[],
 *   code?: string, _chat_parameters?: {subject: string}, _access_number?: string, _expiration_time?: string}} Dialog
 */

/** One server, one user name for its header. */
export class Gms {
  /** @param {string} base such as "/genesys/1/service" @param {string} user for the header gms_user */
  constructor(base, user) {
    this.base = base.replace(/\/+$/, '');
    this.user = user;
  }

  /**
   * Start a scenario at a service such as `callback/samples_new`; the answer is what to do next.
   * @param {string} service @param {string} scenario @param {Record<string, string>} params
   * @returns {Promise<Dialog>}
   */
  async start(service, scenario, params) {
    if (!Object.hasOwn(SCENARIOS, scenario)) {
      throw new GmsError(415, `The scenario ${scenario} is not available here.`, 'no-scenario');
    }
    return this.#ask('POST', service, { ...SCENARIOS[scenario], ...params });
  }

  /** What to do next with what was started, after a dialog. @param {string} id @param {string} action @returns {Promise<Dialog>} */
  follow(id, action) {
    return this.#ask('GET', `${encodeURIComponent(id)}/${encodeURIComponent(action)}`);
  }

  /** A choice of a menu: an address below this server's, and of no other. @param {string} url @returns {Promise<Dialog>} */
  choose(url) {
    const base = new URL(`${this.base}/`, location.href);
    const target = new URL(url, base);
    const known = target.origin === base.origin && target.pathname.startsWith(base.pathname);
    if (!known) return Promise.reject(new GmsError(415, 'This choice leads elsewhere.', 'leads-elsewhere'));
    return this.#ask('POST', target.pathname.slice(base.pathname.length) + target.search);
  }

  /**
   * The times that a service offers, each with its free places.
   * @param {string} service @returns {Promise<[string, number][]>}
   */
  async availability(service) {
    return Object.entries(await this.#ask('GET', `${service}/availability`));
  }

  /** Take a callback back. @param {string} service @param {string} id */
  cancel(service, id) {
    return this.#ask('DELETE', `${service}/${encodeURIComponent(id)}`);
  }

  /** Enter the chat: its whole transcript. Entering again is harmless. @param {string} id */
  enter(id) {
    return this.#chat(id, '', { transcriptPosition: '0' });
  }

  /** @param {string} id @param {number} position @param {string} message */
  send(id, position, message) {
    return this.#chat(id, '/send', { transcriptPosition: String(position), message });
  }

  /** @param {string} id @param {number} position the last position that is already here */
  refresh(id, position) {
    return this.#chat(id, '/refresh', { transcriptPosition: String(position) });
  }

  /** Tells that the visitor writes, or stopped. @param {string} id @param {number} position @param {boolean} writes */
  typing(id, position, writes) {
    const action = writes ? '/startTyping' : '/stopTyping';
    return this.#chat(id, action, { transcriptPosition: String(position) });
  }

  /** @param {string} id @param {number} position */
  disconnect(id, position) {
    return this.#chat(id, '/disconnect', { transcriptPosition: String(position) });
  }

  /**
   * @param {string} id @param {string} action @param {Record<string, string>} params
   * @returns {Promise<Transcript>}
   */
  async #chat(id, action, params) {
    const answer = await this.#ask('POST', `${encodeURIComponent(id)}/ixn/chat${action}`, params);
    const shown = answer.transcriptToShow ?? [];
    const position = Number(answer.transcriptPosition);
    const first = position - shown.length + 1;
    const lines = shown.map((/** @type {string[]} */ line, /** @type {number} */ n) => ({
      position: first + n,
      type: line[0],
      nick: line[1],
      text: line[2],
      party: line[4],
    }));
    const typing = String(answer.typing ?? '');
    return { position, lines, ended: answer.chatIxnState === 'DISCONNECTED', typing };
  }

  /** @param {string} method @param {string} path @param {Record<string, string>} [params] */
  async #ask(method, path, params) {
    let response;
    try {
      response = await fetch(`${this.base}/${path}`, {
        method,
        headers: { gms_user: encodeURIComponent(this.user) },
        body: method === 'POST' ? new URLSearchParams(params) : undefined,
        credentials: 'omit',
        cache: 'no-store',
        signal: AbortSignal.timeout(15_000),
      });
    } catch {
      throw new GmsError(0, 'No connection.', 'offline');
    }
    const answer = await response.json().catch(() => ({}));
    const code = response.headers.get('Overture-Code') ?? '';
    // The word for what a dialog says, kept where no value of the wire can be meant.
    if (response.ok && !answer.error) return answer._text && code ? { ...answer, code } : answer;
    const sentence = answer.message ?? answer.error ?? `The server answered ${response.status}.`;
    const word = code || (answer.message || answer.error ? '' : 'broken');
    throw new GmsError(response.ok ? 415 : response.status, String(sentence), word);
  }
}
