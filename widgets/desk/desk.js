// @ts-check
/** The agent's page: presence, the pulse that asks the server, and what an agent does. */
import { askForToken } from "./access.js";
import { beginAlerts, tellNews } from "./alerts.js";
import { Refusal, call } from "./api.js";
import { beginCallbacks, callbackCall, showCallback } from "./callback.js";
import { make, place, write } from "./elements.js";
import { inOrder, showInbox } from "./inbox.js";
import { visitorPane } from "./journey.js";
import { desk, keepState, unread, waitsHere } from "./state.js";
import { changeTalk, markSeen, showTalk } from "./talk.js";
import { mediumWords } from "./words.js";

const RENEW = 10;
const JOURNEY = 5;
const TYPING = 3_000;

let ticks = 0;
let busy = false;
let asking = false;
let typed = 0;
/** Answers on their way, by chat, and what the agent wants to send after them.
 * @type {Map<string, {text: string, next: string}>} */
const answers = new Map();

/* Presence */

async function renew() {
  const path = `agents/${encodeURIComponent(desk.name)}`;
  showPlaces(await call(path, { method: "PUT", body: { ready: desk.ready, media: desk.media } }));
}

/** @param {{chats: number, capacity: number}} me */
function showPlaces(me) {
  write("places", `${me.chats} of ${me.capacity} chats`);
}

/** @param {boolean} keepalive */
async function leave(keepalive) {
  await call(`agents/${encodeURIComponent(desk.name)}`, { method: "DELETE", keepalive });
}

function showReady() {
  place("ready").setAttribute("aria-checked", String(desk.ready));
  write("ready-word", desk.ready ? "Ready" : "Not ready");
}

/** One box for each medium that the server knows. */
function showMedia() {
  const boxes = desk.known.map((medium) => {
    const box = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox", name: "medium", value: medium }));
    box.checked = desk.media.includes(medium);
    return make("label", {}, box, mediumWords(medium));
  });
  place("media").replaceChildren(make("legend", { class: "unseen" }, "What I answer"), ...boxes);
}

function chooseMedia() {
  const boxes = [...document.querySelectorAll("input[name=medium]:checked")];
  desk.media = boxes.map((box) => /** @type {HTMLInputElement} */ (box).value);
  keepState();
  guarded(renew);
}

/** @param {string} name */
async function rename(name) {
  const wanted = name.trim().replaceAll("/", " ");
  if (!wanted || wanted === desk.name) return void (place("agent").value = desk.name);
  await guarded(() => leave(false));
  desk.name = wanted;
  place("agent").value = wanted;
  keepState();
  await guarded(renew);
  showAll();
}

/* What is on screen */

function showAll() {
  for (const chat of desk.chats) if (!desk.seen.has(chat.id)) desk.seen.set(chat.id, chat.agent === desk.name ? chat.lines : 0);
  showTalk();
  showCallback();
  showInbox();
  tellNews(choose);
}

/** @param {string | null} id */
async function choose(id) {
  if (id === desk.chosen && desk.details) return;
  const before = desk.chosen;
  if (before && typed) tellTyping(before, false);
  typed = 0;
  Object.assign(desk, { chosen: id, details: null });
  document.body.classList.toggle("chosen", id !== null);
  changeTalk(before);
  showAll();
  if (!id) return void document.querySelector(`#inbox [data-chat="${CSS.escape(before ?? "")}"]`)?.focus();
  await guarded(() => loadDetails(true));
  const first = ["take", "accept", "text", "note", "back"].map(place).find((one) => one.offsetParent !== null);
  (first ?? place("transcript")).focus();
}

/** @param {boolean} journey whether to ask for the history of the visit as well */
async function loadDetails(journey) {
  const id = desk.chosen;
  if (!id) return;
  // What was before this visit does not change while the chat is open.
  const less = journey ? (desk.details?.earlier ? "?earlier=no" : "") : "?journey=no";
  const news = await call(`interactions/${encodeURIComponent(id)}${less}`);
  if (desk.chosen !== id) return;
  desk.details = { ...desk.details, ...news };
  showTalk();
  showCallback();
  if (journey && !document.activeElement?.closest("#visitor button, #visitor summary")) {
    place("visitor").replaceChildren(...visitorPane(desk.details));
  }
}

async function loadLists() {
  const [chats, found] = await Promise.all([call("interactions"), call("callbacks")]);
  desk.chats = chats;
  desk.callbacks = found.callbacks;
}

/** Who holds what: whenever this changes, so do the places of agents. */
function holders() {
  return JSON.stringify(desk.chats.filter((one) => one.state === "active").map((one) => [one.id, one.agent]));
}

async function loadAgents() {
  const [agents, media] = await Promise.all([call("agents"), call("media")]);
  desk.agents = agents;
  const me = agents.find((/** @type {any} */ one) => one.name === desk.name);
  if (me) showPlaces(me);
  const known = Object.keys(media).sort();
  if (JSON.stringify(known) === JSON.stringify(desk.known)) return;
  desk.known = known;
  showMedia();
}

/* What the agent does */

/** Do something with what is open and show what came of it. @param {() => Promise<unknown>} what */
async function act(what) {
  place("problem").hidden = true;
  try {
    await what();
    await loadDetails(false);
    await Promise.all([loadLists(), loadAgents(), renew()]);
    showAll();
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401) await asked();
    place("problem").hidden = false;
    place("problem").textContent = error.message;
    return false;
  }
}

/** @param {string} action @param {object} [more] */
function actOnChat(action, more = {}) {
  const path = `interactions/${encodeURIComponent(String(desk.chosen))}/${action}`;
  return act(() => call(path, { body: { agent: desk.name, ...more } }));
}

async function accept() {
  if (await actOnChat("accept")) place("text").focus();
}

/** What stands in the field of a chat, whether it is on screen or not. @param {string} id */
function draft(id) {
  return (desk.chosen === id ? place("text").value : desk.drafts.get(id) ?? "").trim();
}

/** In each chat one answer at a time, so that they keep their order; what is sent meanwhile on a
 * slow network goes next, while another chat waits for none of it. */
async function send() {
  const id = desk.chosen;
  const text = place("text").value.trim();
  if (!id || !text) return;
  const before = answers.get(id);
  if (before) before.next = text === before.text ? "" : text; // impatience says nothing twice
  else await say(id, text);
}

/** @param {string} id @param {string} text */
async function say(id, text) {
  const answer = { text, next: "" };
  answers.set(id, answer);
  try {
    const path = `interactions/${encodeURIComponent(id)}/messages`;
    if (!(await act(() => call(path, { body: { agent: desk.name, text } })))) answer.next = "";
    else sent(id, text);
  } finally {
    answers.delete(id);
  }
  if (answer.next && draft(id) === answer.next) await say(id, answer.next);
}

/** What was sent is no draft any more. @param {string} id @param {string} text */
function sent(id, text) {
  typed = 0;
  if (draft(id) !== text) return;
  desk.drafts.delete(id);
  if (desk.chosen === id) place("text").value = "";
}

async function handOver() {
  const to = place("to").value;
  if (!to) return place("to").focus();
  if (await actOnChat("transfer", { to })) place("back").offsetParent ? place("back").focus() : place("transcript").focus();
}

function writing() {
  const typing = place("text").value !== "";
  if (typing && Date.now() - typed < TYPING) return;
  typed = typing ? Date.now() : 0;
  tellTyping(String(desk.chosen), typing);
}

/** The visitor sees that somebody writes; nothing depends on it, so a failure is no news.
 * @param {string} id @param {boolean} typing */
function tellTyping(id, typing) {
  call(`interactions/${encodeURIComponent(id)}/typing`, { body: { agent: desk.name, typing } }).catch(() => {});
}

/* The pulse */

async function tick() {
  // A slow server gets no second question before it answered the first.
  if (busy || asking) return;
  busy = true;
  const now = ticks++;
  await guarded(async () => {
    if (now % RENEW === 0) await renew();
    const held = holders();
    await loadLists();
    // A chat that somebody handed to me takes a place of mine at once.
    if (now % JOURNEY === 0 || holders() !== held) await loadAgents();
    await loadDetails(now % JOURNEY === 0);
    showAll();
  });
  busy = false;
}

/** Run a request; its refusal becomes the line in the header. @param {() => Promise<unknown>} what */
async function guarded(what) {
  try {
    await what();
    write("connection", "");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // Renew with the next answer, not up to ten seconds later.
    ticks = 0;
    if (error.status === 401) return void asked().then(tick);
    write("connection", error.message);
  }
}

async function asked() {
  asking = true;
  await askForToken();
  asking = false;
}

/* The keyboard */

/** @param {KeyboardEvent} event */
function shortcut(event) {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  const chats = inOrder();
  const here = chats.findIndex((chat) => chat.id === desk.chosen);
  /** @type {Record<string, () => string | undefined>} */
  const goals = {
    KeyN: () => chats.filter((chat) => waitsHere(chat) && chat.id !== desk.chosen).pop()?.id,
    KeyU: () => chats.find((chat) => unread(chat) > 0 && chat.id !== desk.chosen)?.id,
    ArrowDown: () => chats[here + 1]?.id,
    ArrowUp: () => chats[here - 1]?.id,
  };
  const goal = goals[event.code];
  if (!goal || event.target === place("to") || event.target === place("slot")) return;
  event.preventDefault();
  const id = goal();
  if (id) choose(id);
}

function listen() {
  place("ready").addEventListener("click", () => {
    desk.ready = !desk.ready;
    showReady();
    guarded(renew);
  });
  place("media").addEventListener("change", chooseMedia);
  place("agent").addEventListener("change", () => rename(place("agent").value));
  for (const id of ["inbox", "visitor"]) {
    place(id).addEventListener("click", (/** @type {any} */ event) => {
      const chosen = event.target.closest("[data-chat]");
      if (chosen) choose(chosen.dataset.chat);
    });
  }
  place("back").addEventListener("click", () => choose(null));
  place("accept").addEventListener("click", accept);
  place("end").addEventListener("click", () => actOnChat("end"));
  place("hand-over").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    handOver();
  });
  place("answer").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    send();
  });
  place("text").addEventListener("input", writing);
  place("text").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  document.addEventListener("keydown", shortcut);
  window.addEventListener("focus", () => {
    markSeen();
    showAll();
  });
  window.addEventListener("pagehide", () => void leave(true).catch(() => {}));
  window.addEventListener("pageshow", (event) => event.persisted && guarded(renew));
}

function begin() {
  keepState();
  place("agent").value = desk.name;
  showReady();
  showMedia();
  listen();
  beginAlerts();
  beginCallbacks((action, body) => act(() => callbackCall(action, body)));
  new Worker("heartbeat.js").addEventListener("message", tick);
  tick();
}

begin();
