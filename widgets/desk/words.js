// @ts-check
/** Times, durations and reasons as an agent reads them. */

/** Why a strategy did not invite; the words of the engine, as sentences. */
const REASONS = {
  when: "its conditions did not hold",
  unless: "one of its exceptions held",
  inactive: "it is switched off",
  hours: "it was outside its hours",
  audience: "this visitor is not in its audience",
  "page-gone": "the visitor had left the page",
  "one-at-a-time": "another invitation was still open",
  limit: "the limit was reached",
  "lower-priority": "another strategy was more important",
  guarantee: "a guarantee forbids it",
  expired: "it came too late",
};

/** What the engine calls its own events, for people. */
const EVENTS = {
  VisitStarted: "Visit began",
  PageEntered: "Page opened",
  PageExited: "Page left",
  SignIn: "Signed in",
  SignOut: "Signed out",
  UserInfo: "Recognised",
  InvitationShown: "Invitation shown",
  InvitationAccepted: "Invitation accepted",
  InvitationRejected: "Invitation declined",
  InvitationTimedOut: "Invitation not answered",
  InteractionStarted: "Conversation started",
  InteractionEnded: "Conversation ended",
};

/** @param {string} medium the word of the engine */
export function mediumWords(medium) {
  if (medium === "gms") return "GMS";
  if (medium === "gms_callback") return "GMS callback";
  return medium.charAt(0).toUpperCase() + medium.slice(1);
}

/** @param {string} name */
export function eventWords(name) {
  return EVENTS[/** @type {keyof typeof EVENTS} */ (name)] ?? name;
}

/** @param {string} reason */
export function reasonWords(reason) {
  return REASONS[/** @type {keyof typeof REASONS} */ (reason)] ?? reason;
}

/**
 * One decision of the engine as a sentence, and whether it invited.
 * @param {{strategy?: string, reason?: string | null, sends?: unknown[],
 *   because?: {exceptions?: string[]} | null}} decision
 */
export function decisionWords(decision) {
  const name = `“${decision.strategy ?? "A strategy"}”`;
  const sent = !decision.reason && (decision.sends?.length ?? 0) > 0;
  if (sent) return { sent, text: `${name} sent its message` };
  const reason = String(decision.reason ?? "");
  const held = reason === "unless" ? (decision.because?.exceptions ?? []) : [];
  const which = held.length ? `, one of: ${held.join("; ")}` : "";
  return { sent, text: `${name} held back: ${reasonWords(reason) || "nothing to send"}${which}` };
}

/** Milliseconds of a time that is a number or ISO text. @param {unknown} time */
export function moment(time) {
  return typeof time === "number" ? time : new Date(String(time)).getTime();
}

/** @param {unknown} time */
export function clock(time) {
  const date = new Date(moment(time));
  if (Number.isNaN(date.getTime())) return "";
  const hour = { hour: "2-digit", minute: "2-digit" };
  const today = date.toDateString() === new Date().toDateString();
  const day = today ? {} : { day: "numeric", month: "short" };
  return date.toLocaleString([], /** @type {Intl.DateTimeFormatOptions} */ ({ ...day, ...hour }));
}

/** @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** @param {number} number @param {string} word */
export function counted(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

/** A value of attached data or of an event as one line. @param {unknown} value */
export function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Path and query of an address: its host says nothing new to an agent. @param {unknown} url */
export function shortUrl(url) {
  const text = String(url ?? "");
  if (!text) return "";
  try {
    const { pathname, search } = new URL(text, location.origin);
    return pathname + search;
  } catch {
    return text;
  }
}
