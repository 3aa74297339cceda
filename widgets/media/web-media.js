// @ts-check
/**
 * What our own media speak: JSON with sentences for refusals, and what a window's address says.
 * Knows nothing of the page: another widget can import it and look as it likes.
 */

/** A refusal: `message` is a sentence to show, `code` one word, `status` 0 means nobody answered. */
export class Refusal extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** Whether asking again later can help. */
  get passes() {
    return this.status === 0 || this.status === 408 || this.status >= 500;
  }
}

/**
 * One request; with a body it is a POST. The path is seen from this window, so that a widget works
 * wherever its server is.
 * @param {string} path such as "/media/chat"
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function call(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: body ? "POST" : "GET",
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body ? JSON.stringify(body) : undefined,
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(15_000),
    });
  } catch {
    throw new Refusal(0, "offline", "There is no connection.");
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const sentence = answer.error ?? `The server answered ${response.status}.`;
  throw new Refusal(response.status, String(answer.code ?? "broken"), String(sentence));
}

/**
 * A variable of this window's address, decoded; undefined when it is not there.
 * @param {string} name
 * @returns {string | undefined}
 */
export function urlVariable(name) {
  return new URLSearchParams(location.search).get(name) ?? undefined;
}

/**
 * What every medium is told at its start. Note the spelling: visitId in addresses, visitID here.
 * @returns {Record<string, string>}
 */
export function wish() {
  /** @type {Record<string, string>} */
  const found = {};
  const names = {
    visitID: "visitId",
    pageID: "pageId",
    webengagement: "webengagement",
    invitation: "invitation",
    first_name: "first_name",
    last_name: "last_name",
    email: "email",
    subject: "subject",
  };
  for (const [name, variable] of Object.entries(names)) {
    const value = urlVariable(variable);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** A secret for what is started next: said again with it, when no answer came, it is started once. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Tells the page around, when this is a frame in it because its window was blocked, so that the
 * next page opens it again: `embed` at this address, or `ended`, and it is not opened any more.
 * @param {"embed" | "ended"} type
 */
export function tellPage(type) {
  if (window.parent === window) return;
  const around = document.referrer ? new URL(document.referrer).origin : "*";
  window.parent.postMessage({ overture: "frame", type, url: location.href }, around);
}

/** Whether the page before had this open: go on, and start nothing that nobody asked for. */
export function isBack() {
  return window.name === "overture.again";
}

/**
 * What a window remembers over a reload, and a frame from page to page. A browser that refuses
 * storage to a frame leaves the end of its own address, which the page around keeps.
 * @param {string} medium
 */
export function memory(medium) {
  const name = `overture.${medium}.${urlVariable("visitId") ?? ""}`;
  return {
    get() {
      try {
        return sessionStorage.getItem(name);
      } catch {
        return location.hash.slice(1) || null;
      }
    },
    /** @param {string | null} value null forgets */
    set(value) {
      try {
        if (value === null) sessionStorage.removeItem(name);
        else sessionStorage.setItem(name, value);
      } catch {
        history.replaceState(null, "", `#${value ?? ""}`);
      }
      if (value !== null) tellPage("embed");
    },
  };
}

/** @param {string} id @returns {any} the element, which this page has */
export function place(id) {
  return document.getElementById(id);
}

/** Change a text only when it differs, so that screen readers are not called for nothing. @param {string} id @param {string} text */
export function write(id, text) {
  const element = place(id);
  if (element.textContent !== text) element.textContent = text;
}
