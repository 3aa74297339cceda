// @ts-check
/** Everything that the desk knows, and what several parts of it ask about it. */

const NAME = "overture.agent";
const MEDIA = "overture.media";

/** @typedef {{id: string, medium: string, state: "waiting" | "active" | "ended", created: number,
 *   ended: number | null, visitID: string | null, pageID: string | null, agent: string | null,
 *   nickname: string, named_by_visit: boolean, last_message: string | null, lines: number, proactive: boolean, elsewhere: boolean}} Chat */

/** What stood in the browser's own storage is whatever somebody wrote there. @returns {string[]} */
function storedMedia() {
  try {
    const found = JSON.parse(localStorage.getItem(MEDIA) ?? "");
    if (Array.isArray(found)) return found.filter((one) => typeof one === "string");
  } catch {
    // Nothing is stored yet.
  }
  return ["chat", "callback"];
}

/** `chosen` is the id of the conversation on screen, `seen` how many lines of each were read. */
export const desk = {
  name: localStorage.getItem(NAME) || `Agent ${100 + Math.floor(Math.random() * 900)}`,
  ready: true,
  media: storedMedia(),
  /** @type {string[]} */ known: ["callback", "chat"],
  /** @type {Chat[]} */ chats: [],
  /** @type {any[]} */ callbacks: [],
  /** @type {any[]} */ agents: [],
  /** @type {string | null} */ chosen: null,
  /** @type {any} */ details: null,
  /** @type {Map<string, string>} */ drafts: new Map(),
  /** @type {Map<string, number>} */ seen: new Map(),
};

export function keepState() {
  localStorage.setItem(NAME, desk.name);
  localStorage.setItem(MEDIA, JSON.stringify(desk.media));
}

/** @param {Chat} chat */
export function isMine(chat) {
  return chat.state === "active" && chat.agent === desk.name;
}

/** A chat whose agent's desk is gone may be taken over. @param {Chat} chat */
export function isAbandoned(chat) {
  if (chat.state !== "active" || isMine(chat) || chat.elsewhere) return false;
  return !desk.agents.some((one) => one.name === chat.agent && one.present);
}

/** Lines of a chat of mine that I have not read. @param {Chat} chat */
export function unread(chat) {
  return isMine(chat) ? Math.max(0, chat.lines - (desk.seen.get(chat.id) ?? chat.lines)) : 0;
}

/** What waits for an agent of this desk, and not of another system. @param {Chat} one */
export function waitsHere(one) {
  return one.state === "waiting" && !one.elsewhere;
}

/** What a list shows first: who waits, my own, those of others, what is over. @param {Chat} chat */
export function rank(chat) {
  if (chat.state === "waiting" && !chat.elsewhere) return 0;
  if (isMine(chat)) return 1;
  return chat.state === "ended" ? 3 : 2;
}
