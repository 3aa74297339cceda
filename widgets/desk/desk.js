// @ts-check
/** The agent's page: presence, the list of chats, and the chat that is open. */
import { Refusal, call, keepToken } from "./api.js";
import { make, place, write } from "./elements.js";
import { visitorPane } from "./journey.js";
import { clock } from "./words.js";

const RENEW = 10;
const JOURNEY = 5;
const NAME = "overture.agent";

/** Everything that the page knows; `chosen` is the id of the chat on screen. */
const desk = {
  name: localStorage.getItem(NAME) || `Agent ${100 + Math.floor(Math.random() * 900)}`,
  ready: true,
  /** @type {any[]} */ chats: [],
  /** @type {Map<string, boolean>} */ present: new Map(),
  /** @type {string | null} */ chosen: null,
  /** @type {any} */ details: null,
  shown: 0,
  ticks: 0,
  busy: false,
  asking: false,
};

/* Presence */

async function renew() {
  const path = `agents/${encodeURIComponent(desk.name)}`;
  const me = await call(path, { method: "PUT", body: { ready: desk.ready, media: ["chat"] } });
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

/** @param {string} name */
async function rename(name) {
  const wanted = name.trim().replaceAll("/", " ");
  if (!wanted || wanted === desk.name) return void (place("agent").value = desk.name);
  await guarded(() => leave(false));
  desk.name = wanted;
  place("agent").value = wanted;
  localStorage.setItem(NAME, wanted);
  await guarded(renew);
  showChat();
}

/* The list */

function showList() {
  const waiting = desk.chats.filter((chat) => chat.state === "waiting").length;
  document.title = `${waiting ? `(${waiting}) ` : ""}Desk · Overture`;
  write("count", waiting ? `${waiting} waiting` : "");
  place("nothing").hidden = desk.chats.length > 0;
  const list = place("list");
  const focused = document.activeElement?.getAttribute("data-chat");
  list.replaceChildren(...desk.chats.map(entry));
  if (focused) list.querySelector(`[data-chat="${CSS.escape(focused)}"]`)?.focus();
}

/** @param {any} chat */
function entry(chat) {
  const state = { waiting: "Waiting", active: chat.agent, ended: "Ended" }[
    /** @type {"waiting" | "active" | "ended"} */ (chat.state)
  ];
  const attributes = { type: "button", class: `entry ${chat.state}`, "data-chat": chat.id };
  const current = chat.id === desk.chosen ? { "aria-current": "true" } : {};
  return make(
    "button",
    { ...attributes, ...current },
    make("span", { class: "top" }, make("strong", {}, chat.nickname), make("time", {}, clock(chat.created))),
    make("span", { class: "last" }, chat.last_message ?? "No message yet"),
    make(
      "span",
      { class: "tags" },
      make("span", { class: `tag ${chat.state}` }, state),
      chat.proactive ? make("span", { class: "tag proactive" }, "Proactive") : null,
    ),
  );
}

/** @param {string | null} id */
async function choose(id) {
  Object.assign(desk, { chosen: id, details: null, shown: 0 });
  document.body.classList.toggle("chosen", id !== null);
  place("transcript").replaceChildren();
  place("problem").hidden = true;
  place("text").value = "";
  showList();
  showChat();
  if (id) {
    await guarded(() => loadDetails(true));
    (place("accept").hidden ? place("text") : place("accept")).focus();
  }
}

/* The chat */

/** @param {boolean} journey whether to ask for the history of the visit as well */
async function loadDetails(journey) {
  const id = desk.chosen;
  if (!id) return;
  const news = await call(`interactions/${encodeURIComponent(id)}${journey ? "" : "?journey=no"}`);
  if (desk.chosen !== id) return;
  desk.details = { ...desk.details, ...news };
  showChat();
  if (journey) place("visitor").replaceChildren(...visitorPane(desk.details));
}

function showChat() {
  const chat = desk.details;
  place("welcome").hidden = chat !== null;
  for (const id of ["chat", "visitor"]) place(id).hidden = chat === null;
  if (!chat) return;
  const mine = chat.state === "active" && chat.agent === desk.name;
  const abandoned = chat.state === "active" && !mine && !desk.present.get(chat.agent);
  write("name", chat.nickname);
  write("state", stateWords(chat, mine, abandoned));
  place("accept").hidden = !(chat.state === "waiting" || abandoned);
  write("accept", abandoned ? "Take over" : "Accept");
  place("end").hidden = !(mine || abandoned || chat.state === "waiting");
  place("answer").hidden = !mine;
  for (const line of chat.transcript) if (line.position > desk.shown) showLine(line);
}

/** @param {any} chat @param {boolean} mine @param {boolean} abandoned */
function stateWords(chat, mine, abandoned) {
  if (chat.state === "waiting") return `Waiting since ${clock(chat.created)}`;
  if (chat.state === "ended") return `Ended at ${clock(chat.ended)}`;
  if (mine) return "You are in this chat";
  return abandoned ? `${chat.agent} is away` : `${chat.agent} is in this chat`;
}

/** @param {any} line */
function showLine(line) {
  desk.shown = line.position;
  const box = place("transcript");
  const following = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  if (line.type === "Message.Text") {
    const about = `${line.nickname} · ${clock(line.time)}`;
    box.append(
      make("div", { class: `line ${line.party}` }, make("span", { class: "about" }, about), make("p", {}, line.text)),
    );
  } else {
    const verb = line.type === "Notice.Joined" ? "joined" : "left";
    const text = line.party === "system" ? "The visitor's window fell silent" : `${line.nickname} ${verb}`;
    box.append(make("p", { class: "notice" }, `${text} · ${clock(line.time)}`));
  }
  if (following || line.party === "agent") box.scrollTop = box.scrollHeight;
}

/** Do something with the open chat and show what came of it. @param {string} action @param {object} [more] */
async function act(action, more = {}) {
  place("problem").hidden = true;
  try {
    const path = `interactions/${encodeURIComponent(String(desk.chosen))}/${action}`;
    await call(path, { body: { agent: desk.name, ...more } });
    await loadDetails(false);
    await Promise.all([loadList(), renew()]);
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401) askForToken();
    place("problem").hidden = false;
    place("problem").textContent = error.message;
    return false;
  }
}

async function accept() {
  if (await act("accept")) place("text").focus();
}

async function send() {
  const text = place("text").value.trim();
  if (!text || place("send").disabled) return;
  place("send").disabled = true;
  try {
    if ((await act("messages", { text })) && place("text").value.trim() === text) place("text").value = "";
  } finally {
    place("send").disabled = false;
  }
}

/* The pulse */

async function loadList() {
  const before = JSON.stringify(desk.chats);
  desk.chats = await call("interactions");
  if (JSON.stringify(desk.chats) !== before) showList();
}

async function loadAgents() {
  const agents = await call("agents");
  desk.present = new Map(agents.map((/** @type {any} */ agent) => [agent.name, agent.present]));
}

async function tick() {
  // A slow server gets no second question before it answered the first.
  if (desk.busy || desk.asking) return;
  desk.busy = true;
  const now = desk.ticks++;
  await guarded(async () => {
    if (now % RENEW === 0) await renew();
    if (now % JOURNEY === 0) await loadAgents();
    await loadList();
    await loadDetails(now % JOURNEY === 0);
  });
  desk.busy = false;
}

/** Run a request; its refusal becomes the line in the header. @param {() => Promise<unknown>} what */
async function guarded(what) {
  try {
    await what();
    write("connection", "");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401) return askForToken();
    write("connection", error.message);
    // Renew with the next answer, not up to ten seconds later.
    desk.ticks = 0;
  }
}

function askForToken() {
  if (desk.asking) return;
  desk.asking = true;
  desk.ticks = 0;
  place("access").showModal();
}

function begin() {
  localStorage.setItem(NAME, desk.name);
  place("agent").value = desk.name;
  showReady();
  place("ready").addEventListener("click", () => {
    desk.ready = !desk.ready;
    showReady();
    guarded(renew);
  });
  place("agent").addEventListener("change", () => rename(place("agent").value));
  place("list").addEventListener("click", (/** @type {any} */ event) => {
    const chosen = event.target.closest("[data-chat]");
    if (chosen) choose(chosen.dataset.chat);
  });
  place("back").addEventListener("click", () => choose(null));
  place("accept").addEventListener("click", accept);
  place("end").addEventListener("click", () => act("end"));
  place("answer").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    send();
  });
  place("text").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.code !== "KeyN") return;
    event.preventDefault();
    const next = desk.chats.findLast((chat) => chat.state === "waiting" && chat.id !== desk.chosen);
    if (next) choose(next.id);
  });
  place("access").addEventListener("close", () => {
    keepToken(place("token").value.trim());
    place("token").value = "";
    desk.asking = false;
    tick();
  });
  window.addEventListener("pagehide", () => void leave(true).catch(() => {}));
  window.addEventListener("pageshow", (event) => event.persisted && guarded(renew));
  new Worker("heartbeat.js").addEventListener("message", tick);
  tick();
}

begin();
