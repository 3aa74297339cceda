// @ts-check
/** The lists: conversations, callbacks, and who else is at a desk. */
import { make, place, write } from "./elements.js";
import { desk, isAbandoned, isMine, rank, unread, waitsHere } from "./state.js";
import { clock, mediumWords } from "./words.js";

const GROUPS = ["Waiting", "Yours", "With others"];
const OPEN = new Set(["waiting", "taken", "active"]);
const CALLS = { waiting: "Waiting", taken: "Taken", done: "Called", failed: "Not reached", cancelled: "Cancelled" };
let drawn = "";

export function showInbox() {
  const chats = desk.chats.filter((chat) => chat.medium !== "callback");
  const waiting = chats.filter(waitsHere).length;
  const calls = desk.callbacks.filter((one) => one.state === "waiting").length;
  write("count", waiting ? `${waiting} waiting` : "");
  write("calls-count", calls ? `${calls} waiting` : "");
  const over = [...chats, ...desk.callbacks].filter((one) => !OPEN.has(one.state));
  place("nothing").hidden = chats.length > 0;
  place("no-calls").hidden = desk.callbacks.some((one) => OPEN.has(one.state));
  place("past").hidden = over.length === 0;
  const wanted = JSON.stringify([chats, desk.callbacks, desk.agents, desk.chosen, desk.name, chats.map(unread)]);
  if (wanted === drawn) return;
  drawn = wanted;
  const focused = document.activeElement?.getAttribute("data-chat");
  place("list").replaceChildren(...groups(chats));
  place("calls").replaceChildren(...desk.callbacks.filter((one) => OPEN.has(one.state)).map(call));
  over.sort((one, other) => other.ended - one.ended);
  place("over").replaceChildren(...over.map((one) => ("phone" in one ? call(one) : entry(one))));
  place("agents").replaceChildren(...desk.agents.map(agent));
  if (focused) document.querySelector(`#inbox [data-chat="${CSS.escape(focused)}"]`)?.focus();
}

/** In the order of the list, for the keyboard. @returns {import("./state.js").Chat[]} */
export function inOrder() {
  const chats = desk.chats.filter((chat) => chat.medium !== "callback");
  return chats.map((chat, place) => ({ chat, place })).sort((a, b) => rank(a.chat) - rank(b.chat) || a.place - b.place).map((one) => one.chat);
}

/** @param {import("./state.js").Chat[]} chats */
function groups(chats) {
  return GROUPS.flatMap((name, number) => {
    const own = chats.filter((chat) => rank(chat) === number);
    return own.length ? [make("section", { "aria-label": name }, make("h3", {}, name), ...own.map(entry))] : [];
  });
}

/** @param {import("./state.js").Chat} chat */
function entry(chat) {
  const fresh = unread(chat);
  const state = chat.state === "active" ? (isAbandoned(chat) ? `${chat.agent}, away` : chat.agent) : chat.state === "waiting" ? "Waiting" : "Ended";
  return line(
    chat,
    chat.last_message ?? "No message yet",
    make("span", { class: `tag ${chat.state}` }, state),
    isMine(chat) && fresh ? make("span", { class: "tag fresh" }, `${fresh} new`) : null,
    chat.medium === "chat" ? null : make("span", { class: "tag" }, mediumWords(chat.medium)),
    chat.proactive ? make("span", { class: "tag proactive" }, "Proactive") : null,
  );
}

/** @param {any} found */
function call(found) {
  const when = found.slot ? `at ${clock(found.slot)}` : "as soon as possible";
  return line(
    { ...found, state: found.state === "taken" ? "active" : found.state === "waiting" ? "waiting" : "ended" },
    `${found.phone} · ${when}`,
    make("span", { class: `tag ${found.state === "taken" ? "active" : found.state}` }, CALLS[/** @type {keyof typeof CALLS} */ (found.state)]),
    found.agent ? make("span", { class: "tag" }, found.agent) : null,
    found.proactive ? make("span", { class: "tag proactive" }, "Proactive") : null,
  );
}

/** @param {any} one @param {string} last @param {...(Node | null)} tags */
function line(one, last, ...tags) {
  const attributes = { type: "button", class: `entry ${one.state}`, "data-chat": one.id };
  // What a visit says of itself is a claim: no widget asked for this name.
  const source = one.named_by_visit ? make("span", { class: "source" }, "from the visit") : null;
  const current = one.id === desk.chosen ? { "aria-current": "true" } : {};
  return make(
    "button",
    { ...attributes, ...current },
    make("span", { class: "top" }, make("strong", {}, one.nickname), source, make("time", {}, clock(one.created))),
    make("span", { class: "last" }, last),
    make("span", { class: "tags" }, ...tags),
  );
}

/** @param {any} one */
function agent(one) {
  const state = one.ready ? "ready" : one.present ? "not ready" : "away";
  const you = one.name === desk.name ? " (you)" : "";
  const media = one.ready && one.media.length ? ` for ${one.media.join(", ")}` : "";
  return make(
    "li",
    { class: one.ready ? "ready" : "" },
    make("strong", {}, `${one.name}${you}`),
    make("span", { class: "soft" }, ` ${state}${media} · ${one.chats} of ${one.capacity}`),
  );
}
