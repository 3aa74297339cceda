// @ts-check
/** The desk's HTTP interface: one function, and the token when the server asks for one. */

const TOKEN = "overture.token";
const SHORT = 15_000;
const LONG = 300_000; // a report over a journal of months is read slowly, so that nobody else waits

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
export async function call(path, how = {}) {
  const response = await request(`/desk/api/${path}`, how);
  return response.status === 204 ? null : response.json();
}

/**
 * One request to any address of this server, with the token; a refusal is thrown.
 * @param {string} address
 * @param {{body?: object, method?: string, keepalive?: boolean}} [how]
 * @returns {Promise<Response>}
 */
export async function request(address, { body, method, keepalive } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(address, {
      method: method ?? (body ? "POST" : "GET"),
      headers,
      body: body ? JSON.stringify(body) : undefined,
      cache: "no-store",
      // With credentials a browser would ask for a name and a password by itself after a 401.
      credentials: "omit",
      keepalive,
      signal: AbortSignal.timeout(address.startsWith("/api/report") ? LONG : SHORT),
    });
  } catch {
    throw new Refusal(0, "The server does not answer.");
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new Refusal(response.status, String(answer.error ?? `The server answered ${response.status}.`));
}
