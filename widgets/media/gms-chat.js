// @ts-check
/**
 * The chat window: starts the scenario of its address by itself and carries the conversation.
 * Everything that comes from the network is put on the page as text, never as HTML.
 */
import { Gms, GmsError } from "./gms.js";

/** Pause between refreshes in ms: quick while somebody speaks, slower in silence. */
const QUICK = 1_000;
const CALM = [
  { after: 120_000, pause: 4_000 },
  { after: 30_000, pause: 2_000 },
];
const LONGEST_PAUSE = 15_000;
const SOON = "An agent will be with you soon";

const place = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const message = /** @type {HTMLTextAreaElement} */ (place("message"));
const settings = document.documentElement.dataset;
const gms = new Gms(settings.gms ?? "/genesys/1/service", getUrlVars("user_name") ?? "Visitor");

/** @type {{id: string, position: number, over: boolean, failures: number, spoken: number}} */
const chat = { id: "", position: 0, over: true, failures: 0, spoken: 0 };
let timer = 0;
let unread = 0;

/**
 * A variable of this window's address, decoded; undefined when it is not there.
 * @param {string} name
 * @returns {string | undefined}
 */
function getUrlVars(name) {
  return new URLSearchParams(window.location.search).get(name) ?? undefined;
}

/** Start the scenario that the address names; reloading the window goes on with its chat. */
async function gpeStartScenario() {
  const known = remembered();
  if (!known) return connect();
  begin();
  chat.id = known;
  try {
    take(await gms.enter(known));
    if (!chat.over) open();
  } catch (error) {
    if (error instanceof GmsError && error.status === 404) return connect();
    fail("The chat can not be reached. Trying again …");
    retry(gpeStartScenario);
  }
}

/** Ask GMS for a chat and enter it. */
async function connect() {
  begin();
  const scenario = getUrlVars("gmsScenario") || "CHAT-NOW";
  try {
    chat.id = await gms.createCallback(settings.service ?? "samples_new", scenario, parameters());
    remember(chat.id);
    take(await gms.enter(chat.id));
    if (!chat.over) open();
  } catch (error) {
    const refused = error instanceof GmsError && error.status >= 400 && error.status < 500;
    if (refused) return refuse(/** @type {GmsError} */ (error).message);
    fail("The chat can not be reached. Trying again …");
    retry(chat.id ? gpeStartScenario : connect);
  }
}

/** What goes to GMS beside the scenario. Note the spelling: visitId in addresses, visitID here. */
function parameters() {
  /** @type {Record<string, string>} */
  const params = { _customer_number: getUrlVars("contact_number") ?? "", _provide_code: "false" };
  const names = {
    visitID: "visitId",
    pageID: "pageId",
    invitation: "invitation",
    webengagement: "webengagement",
    first_name: "first_name",
    last_name: "last_name",
  };
  for (const [param, variable] of Object.entries(names)) {
    const value = getUrlVars(variable);
    if (value !== undefined) params[param] = value;
  }
  return params;
}

function begin() {
  Object.assign(chat, { id: "", position: 0, over: false, failures: 0, spoken: Date.now() });
  place("log").replaceChildren();
  place("over").hidden = true;
  document.body.classList.remove("over");
  agent("");
  say("Connecting …");
}

function open() {
  if (!document.body.classList.contains("answered")) say(SOON);
  place("answer").hidden = false;
  place("end").hidden = false;
  place("problem").hidden = true;
  message.focus();
  poll();
}

function finish() {
  chat.over = true;
  document.body.classList.add("over");
  window.clearTimeout(timer);
  forget();
  for (const id of ["answer", "end", "problem"]) place(id).hidden = true;
  place("over").hidden = false;
  say("Chat ended");
  place("again").focus();
}

/** @param {string} sentence */
function refuse(sentence) {
  finish();
  place("over").querySelector("p")?.replaceChildren("The chat did not start.");
  fail(sentence);
  say("Not connected");
}

/** Take what the server shows; lines that are here already are skipped. @param {import("./gms.js").Transcript} news */
function take(news) {
  for (const line of news.lines) {
    if (line.position <= chat.position) continue;
    show(line);
    chat.position = line.position;
    chat.spoken = Date.now();
  }
  chat.failures = 0;
  place("problem").hidden = true;
  if (news.ended) finish();
}

/** @param {import("./gms.js").Line} line */
function show(line) {
  const entry = document.createElement("div");
  if (line.type === "Message.Text") {
    entry.className = line.party === "CLIENT" ? "line mine" : "line theirs";
    const name = document.createElement("span");
    name.className = line.party === "CLIENT" ? "unseen" : "name";
    name.textContent = line.party === "CLIENT" ? "You: " : line.nick;
    const text = document.createElement("p");
    text.textContent = line.text;
    entry.append(name, text);
    if (line.party !== "CLIENT") ring();
  } else {
    entry.className = "notice";
    entry.textContent = notice(line);
    if (line.party === "AGENT") agent(line.type === "Notice.Joined" ? line.nick : "");
  }
  const log = place("log");
  const following = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.append(entry);
  if (following || line.party === "CLIENT") log.scrollTop = log.scrollHeight;
}

/** @param {import("./gms.js").Line} line */
function notice(line) {
  const joined = line.type === "Notice.Joined";
  if (line.party === "CLIENT") return joined ? "You joined the chat" : "You left the chat";
  if (line.party === "AGENT") return `${line.nick} ${joined ? "joined" : "left"} the chat`;
  return "The chat was closed because this window was silent";
}

/** @param {string} name of the agent who is there, or nothing */
function agent(name) {
  place("who").textContent = name || "Chat";
  place("avatar").textContent = name ? [...name][0].toUpperCase() : "";
  document.body.classList.toggle("answered", name !== "");
  say(name ? "In this chat with you" : SOON);
}

/** @param {string} text */
function say(text) {
  const status = place("status");
  if (status.textContent !== text) status.textContent = text;
}

/** @param {string} sentence */
function fail(sentence) {
  const problem = place("problem");
  problem.hidden = false;
  if (problem.textContent !== sentence) problem.textContent = sentence;
}

function pause() {
  if (chat.failures > 0) return Math.min(QUICK * 2 ** chat.failures, LONGEST_PAUSE);
  const silence = Date.now() - chat.spoken;
  return CALM.find((step) => silence > step.after)?.pause ?? QUICK;
}

/** @param {() => void} what */
function retry(what) {
  chat.failures += 1;
  window.clearTimeout(timer);
  timer = window.setTimeout(what, pause());
}

async function poll() {
  window.clearTimeout(timer);
  const id = chat.id;
  try {
    const news = await gms.refresh(id, chat.position);
    if (chat.over || chat.id !== id) return;
    take(news);
    // A full page of lines: there is more.
    if (news.lines.length >= 200 && !chat.over) return void poll();
  } catch (error) {
    if (chat.over || chat.id !== id) return;
    if (error instanceof GmsError && error.status === 404) return finish();
    chat.failures += 1;
    fail("The connection is lost. Trying again …");
  }
  if (!chat.over) timer = window.setTimeout(poll, pause());
}

async function send() {
  const text = message.value.trim();
  const button = /** @type {HTMLButtonElement} */ (place("send"));
  if (!text || button.disabled) return;
  button.disabled = true;
  try {
    const news = await gms.send(chat.id, chat.position, text);
    if (message.value.trim() === text) message.value = "";
    grow();
    take(news);
    // Whoever just wrote expects an answer: quick again at once, not after a calm pause.
    if (!chat.over) poll();
  } catch (error) {
    const sentence = error instanceof GmsError && error.status ? ` ${error.message}` : "";
    fail(`Your message was not sent.${sentence} Please try again.`);
  } finally {
    button.disabled = false;
  }
}

async function end() {
  try {
    take(await gms.disconnect(chat.id, chat.position));
  } catch {
    // The server ends a silent chat by itself.
    finish();
  }
}

function grow() {
  message.style.height = "auto";
  message.style.height = `${Math.min(message.scrollHeight + 2, 132)}px`;
}

function ring() {
  if (document.visibilityState === "visible") return;
  unread += 1;
  document.title = `(${unread}) New message`;
}

/** One chat for a visit and window; a window without storage only loses it on reload. */
function storageKey() {
  return `overture.chat.${getUrlVars("visitId") ?? ""}`;
}

function remembered() {
  try {
    return sessionStorage.getItem(storageKey());
  } catch {
    return null;
  }
}

/** @param {string} id */
function remember(id) {
  try {
    sessionStorage.setItem(storageKey(), id);
  } catch {
    // A sandboxed frame has no storage.
  }
}

function forget() {
  try {
    sessionStorage.removeItem(storageKey());
  } catch {
    // As above.
  }
}

place("answer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
message.addEventListener("input", grow);
message.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
place("end").addEventListener("click", end);
place("again").addEventListener("click", () => {
  place("over").querySelector("p")?.replaceChildren("This chat has ended.");
  place("problem").hidden = true;
  connect();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  unread = 0;
  document.title = "Chat";
  if (!chat.over && chat.id) poll();
});

// The names of the documented example, so that a page written after it finds them.
Object.assign(window, { getUrlVars, gpeStartScenario, connect });
/** @type {any} */ (window).gpeStartScenario();
