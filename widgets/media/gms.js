// @ts-check
/**
 * The GMS protocol as a widget speaks it: scenarios, callback service, chat v1.
 * Knows nothing of the page: another widget can import it and look as it likes.
 */

/** What a scenario's name stands for; the name itself never goes on the wire. */
export const SCENARIOS = Object.freeze({
  "CHAT-NOW": Object.freeze({
    _call_direction: "USERORIGINATED",
    _wait_for_agent: "false",
    _wait_for_user_confirm: "false",
    _media_type: "chat",
  }),
});

/** A refusal of the server: `message` is its sentence; `status` 0 means that nobody answered. */
export class GmsError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * @typedef {{position: number, type: string, nick: string, text: string, party: string}} Line
 * @typedef {{position: number, lines: Line[], ended: boolean}} Transcript
 */

/** One server, one user name for its header. */
export class Gms {
  /** @param {string} base such as "/genesys/1/service" @param {string} user for the header gms_user */
  constructor(base, user) {
    this.base = base.replace(/\/+$/, "");
    this.user = user;
  }

  /**
   * Start a scenario of a service; the answer is the id that opens the chat.
   * @param {string} service @param {string} scenario @param {Record<string, string>} params
   * @returns {Promise<string>}
   */
  async createCallback(service, scenario, params) {
    const expanded = SCENARIOS[/** @type {keyof typeof SCENARIOS} */ (scenario)];
    if (!expanded) throw new GmsError(415, `The scenario ${scenario} is not available here.`);
    const path = `callback/${encodeURIComponent(service)}`;
    const answer = await this.#post(path, { ...expanded, ...params });
    return String(answer._id);
  }

  /** Enter the chat: its whole transcript. Entering again is harmless. @param {string} id */
  enter(id) {
    return this.#chat(id, "", { transcriptPosition: "0" });
  }

  /** @param {string} id @param {number} position @param {string} message */
  send(id, position, message) {
    return this.#chat(id, "/send", { transcriptPosition: String(position), message });
  }

  /** @param {string} id @param {number} position the last position that is already here */
  refresh(id, position) {
    return this.#chat(id, "/refresh", { transcriptPosition: String(position) });
  }

  /** @param {string} id @param {number} position */
  disconnect(id, position) {
    return this.#chat(id, "/disconnect", { transcriptPosition: String(position) });
  }

  /**
   * @param {string} id @param {string} action @param {Record<string, string>} params
   * @returns {Promise<Transcript>}
   */
  async #chat(id, action, params) {
    const answer = await this.#post(`${encodeURIComponent(id)}/ixn/chat${action}`, params);
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
    return { position, lines, ended: answer.chatIxnState === "DISCONNECTED" };
  }

  /** @param {string} path @param {Record<string, string>} params */
  async #post(path, params) {
    let response;
    try {
      response = await fetch(`${this.base}/${path}`, {
        method: "POST",
        headers: { gms_user: encodeURIComponent(this.user) },
        body: new URLSearchParams(params),
        credentials: "omit",
        cache: "no-store",
        signal: AbortSignal.timeout(15_000),
      });
    } catch {
      throw new GmsError(0, "No connection.");
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const sentence = answer.message ?? answer.error ?? `The server answered ${response.status}.`;
    throw new GmsError(response.status, String(sentence));
  }
}
