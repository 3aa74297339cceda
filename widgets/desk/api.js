// @ts-check
/** The desk's HTTP interface: one function, and the token when the server asks for one. */

const TOKEN = "overture.token";

/** A refusal: `message` is the server's sentence, `status` 0 means that nobody answered. */
export class Refusal extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {string} token */
export function keepToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

/**
 * One request under `/desk/api/`; a body makes it a POST unless `method` says otherwise.
 * @param {string} path
 * @param {{body?: object, method?: string, keepalive?: boolean}} [how]
 * @returns {Promise<any>}
 */
export async function call(path, { body, method, keepalive } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`/desk/api/${path}`, {
      method: method ?? (body ? "POST" : "GET"),
      headers,
      body: body ? JSON.stringify(body) : undefined,
      cache: "no-store",
      keepalive,
      signal: AbortSignal.timeout(15_000),
    });
  } catch {
    throw new Refusal(0, "The server does not answer.");
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Refusal(response.status, String(answer.error ?? `The server answered ${response.status}.`));
}
