// @ts-check
/**
 * The GMS window: starts what its address says by itself, shows the dialogs of GMS, and carries
 * the conversation. Everything from the network is put on the page as text, never as HTML.
 *
 * What is sent to GMS, and when, is in `gms-settings.js`, for a copy to replace.
 */
import { Gms, GmsError } from "./gms.js";
import * as dialogs from "./gms-dialogs.js";
import { reason, says, settle, word } from "./window-words.js";
import { isBack, memory, tellPage } from "./web-media.js";

/** Pause between refreshes in ms: quick while somebody speaks, slower in silence. */
const QUICK = 1_000;
const CALM = [
  { after: 120_000, pause: 4_000 },
  { after: 30_000, pause: 2_000 },
];
const LONGEST_PAUSE = 15_000;
/** How long one word that the visitor writes holds, in ms. */
const TYPING = 3_000;
const SOON = "An agent will be with you soon";
const HERE = "In this chat with you";

const place = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const message = /** @type {HTMLTextAreaElement} */ (place("message"));
const page = /** @type {any} */ (window);
const known = memory("chat");
let gms = new Gms("/genesys/1/service", "Visitor");

/** What was asked of GMS: nothing yet, or a scenario at a service. */
const wish = { scenario: "", service: "", number: "" };
/** @type {{id: string, position: number, over: boolean, failures: number, spoken: number}} */
const chat = { id: "", position: 0, over: true, failures: 0, spoken: 0 };
let timer = 0;
let unread = 0;
let typed = 0;
/** A text on its way, and what the visitor wants to send after it. */
let sending = "";
let next = "";

/** What the documented widget calls GMS by; its callers may be code of others. */
const gmsInterface = {
  /**
   * Asks GMS for what a scenario says. A window has one conversation: while there is one, a
   * second wish is not heard. A reloaded window goes on with the chat that it had.
   * @param {string} scenario @param {string} url @param {string} service
   * @param {Record<string, unknown>} params @param {Record<string, string>} headers
   * @param {(answer: import("./gms.js").Dialog) => void} handler
   */
  async createCallback(scenario, url, service, params, headers, handler) {
    if (wish.scenario) return;
    const number = String(params._customer_number ?? params._phone_number ?? "");
    Object.assign(wish, { scenario, service, number });
    gms = new Gms(url, headers?.gms_user || "Visitor");
    begin();
    const before = known.get();
    if (before && scenario === "CHAT-WAIT") return follow(() => gms.follow(before, "StartChat"));
    if (before && scenario.includes("CHAT")) return resume(before, again);
    const lack = dialogs.lacking(scenario, params);
    if (lack) return question(lack);
    const start = () => gms.start(service, scenario, said(params)).then(handler);
    return attempt(start, again);

    function again() {
      wish.scenario = "";
      gmsInterface.createCallback(scenario, url, service, params, headers, handler);
    }
  },
};

/** What is worth sending, as text. @param {Record<string, unknown>} params */
function said(params) {
  const invitation = { invitation: params.invitation ?? page.getUrlVars("invitation") };
  const known = Object.entries({ ...params, ...invitation }).filter(([, value]) => value != null);
  return Object.fromEntries(known.map(([name, value]) => [name, String(value)]));
}

/**
 * Does it, and says what went wrong: a refusal ends it, a silence is tried again.
 * @param {() => Promise<unknown>} what @param {() => void} again
 */
async function attempt(what, again) {
  try {
    await what();
    chat.failures = 0;
  } catch (error) {
    const refused = error instanceof GmsError && error.status >= 400 && error.status < 500;
    if (refused) return refuse(reason(/** @type {GmsError} */ (error)));
    if (!(error instanceof GmsError)) throw error;
    fail(word("The chat can not be reached. Trying again …"));
    retry(again);
  }
}

/** @param {{number: boolean, time: boolean}} lack */
async function question(lack) {
  const { service } = wish;
  wish.scenario = ""; // the answers are a new wish
  say("");
  document.body.classList.add("over"); // nobody is in a chat here
  place("who").textContent = word("Call back");
  const times = lack.time ? await gms.availability(service).catch(() => []) : [];
  dialogs.ask(lack, times);
}

/** @param {string} id @param {() => void} again a chat from the start */
async function resume(id, again) {
  chat.id = id;
  try {
    take(await gms.enter(id));
    if (!chat.over) open();
  } catch (error) {
    if (error instanceof GmsError && error.status === 404) {
      known.set(null);
      return again();
    }
    fail(word("The chat can not be reached. Trying again …"));
    retry(() => resume(id, again));
  }
}

/** What GMS answers to a scenario. @param {import("./gms.js").Dialog} dialog */
async function onResponseReceived(dialog) {
  const isMenu = dialog._action === "DisplayMenu";
  if (dialog._chat_parameters && !isMenu) isChat(dialog);
  if (dialog._action === "StartChat") return enter(dialog._id);
  if (wish.scenario === "CHAT-WAIT" && !isMenu) return awaitAgent(dialog);
  document.body.classList.add("over"); // nobody is in a chat here
  place("who").textContent = heading(dialog);
  say("");
  const { service, scenario } = wish;
  const cancel = scenario.endsWith("USERTERM") && !isMenu ? () => takeBack(service, dialog._id) : undefined;
  tellPage("ended"); // it is said now: opened again, it would be asked for again
  dialogs.show(told(dialog), { choose: (choice) => follow(() => gms.choose(choice._user_action_url)), cancel });
}

/** What a dialog is about. @param {import("./gms.js").Dialog} dialog */
function heading(dialog) {
  if (dialog._action === "DisplayMenu") return word("Please choose");
  return dialog._tel_url || dialog._access_number ? word("Call us") : word("Call back");
}

/** The dialog in the visitor's language. @param {import("./gms.js").Dialog} dialog */
function told(dialog) {
  if (!dialog._text) return dialog;
  return { ...dialog, _text: says(dialog.code ?? "", dialog._text, { number: wish.number }) };
}

/**
 * Whatever was asked for: a chat begins, or an agent is waited for, as may be chosen in a menu.
 * @param {import("./gms.js").Dialog} dialog
 */
function isChat(dialog) {
  wish.scenario = dialog._action === "StartChat" ? "CHAT-NOW" : "CHAT-WAIT";
  document.body.classList.remove("over");
  if (!chat.id) agent("");
  dialogs.clear();
}

/** What a built-in service answers: a number to call, or a chat. @param {import("./gms.js").Dialog} answer */
async function onBuiltinCallbackResponseReceived(answer) {
  if (answer._access_number) return onResponseReceived(answer);
  return enter(answer._id);
}

/** @param {() => Promise<import("./gms.js").Dialog>} what */
function follow(what) {
  return attempt(() => what().then(onResponseReceived), () => follow(what));
}

/** Asks again and again until an agent is there. @param {import("./gms.js").Dialog} dialog */
function awaitAgent(dialog) {
  known.set(dialog._id);
  say(told(dialog)._text ?? word(SOON));
  chat.failures = 0;
  window.clearTimeout(timer);
  timer = window.setTimeout(() => follow(() => gms.follow(dialog._id, "StartChat")), pause());
}

/** @param {string} service @param {string} id */
function takeBack(service, id) {
  const done = { _id: id, _text: word("We will not call you.") };
  return attempt(
    () => gms.cancel(service, id).then(() => dialogs.show(done, { choose() {} })),
    () => takeBack(service, id),
  );
}

/** @param {string} id */
async function enter(id) {
  chat.id = id;
  known.set(id);
  await attempt(async () => {
    take(await gms.enter(id));
    if (!chat.over) open();
  }, () => enter(id));
}

function begin() {
  Object.assign(chat, { id: "", position: 0, over: false, spoken: Date.now() });
  place("log").replaceChildren();
  dialogs.clear();
  place("over").hidden = true;
  document.body.classList.remove("over");
  agent("");
  say(word("Connecting …"));
}

function open() {
  if (!document.body.classList.contains("answered")) say(word(SOON));
  place("answer").hidden = false;
  place("end").hidden = false;
  place("problem").hidden = true;
  if (!isBack()) message.focus(); // a visitor who reads on is somewhere else
  poll();
}

function finish() {
  chat.over = true;
  wish.scenario = "";
  document.body.classList.add("over");
  window.clearTimeout(timer);
  known.set(null);
  tellPage("ended");
  for (const id of ["answer", "end", "problem"]) place(id).hidden = true;
  place("over").hidden = false;
  say(word("Chat ended"));
  place("again").focus();
}

/** @param {string} sentence */
function refuse(sentence) {
  const lack = dialogs.lacking(wish.scenario, {});
  if (lack && !chat.id) {
    dialogs.complain(sentence);
    return question(lack);
  }
  finish();
  place("over").querySelector("p")?.replaceChildren(word("The chat did not start."));
  fail(sentence);
  say(word("Not connected"));
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
  if (news.ended) return finish();
  if (document.body.classList.contains("answered")) {
    say(news.typing ? word("{name} is typing …", { name: news.typing }) : word(HERE));
  }
}

/** Tells that the visitor writes: now and then, not at each letter. */
function tellTyping() {
  const now = Date.now();
  if (chat.over || !message.value.trim() || now - typed < TYPING) return;
  typed = now;
  // That it does not arrive is no loss: nothing is taken from the answer.
  gms.typing(chat.id, chat.position, true).catch(() => {});
}

/** @param {import("./gms.js").Line} line */
function show(line) {
  const entry = document.createElement("div");
  if (line.type === "Message.Text") {
    entry.className = line.party === "CLIENT" ? "line mine" : "line theirs";
    const name = document.createElement("span");
    name.className = line.party === "CLIENT" ? "unseen" : "name";
    name.textContent = line.party === "CLIENT" ? `${word("You:")} ` : line.nick;
    const text = document.createElement("p");
    text.dir = "auto";
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
  if (line.party === "CLIENT") return joined ? word("You joined the chat") : word("You left the chat");
  const name = line.nick;
  if (line.party === "AGENT") return joined ? word("{name} joined the chat", { name }) : word("{name} left the chat", { name });
  return word("The chat was closed because this window was silent");
}

/** @param {string} name of the agent who is there, or nothing */
function agent(name) {
  place("who").textContent = name || word("Chat");
  place("avatar").textContent = name ? [...name][0].toUpperCase() : "";
  document.body.classList.toggle("answered", name !== "");
  say(word(name ? HERE : SOON));
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
    fail(word("The connection is lost. Trying again …"));
  }
  if (!chat.over) timer = window.setTimeout(poll, pause());
}

/** One at a time, so that they keep their order; what is sent meanwhile on a slow network goes next. */
async function send() {
  const text = message.value.trim();
  if (!text) return;
  if (sending) {
    next = text === sending ? "" : text; // impatience says nothing twice
    return;
  }
  sending = text;
  try {
    const news = await gms.send(chat.id, chat.position, text);
    if (message.value.trim() === text) message.value = "";
    grow();
    take(news);
    // Whoever just wrote expects an answer: quick again at once, not after a calm pause.
    if (!chat.over) poll();
  } catch (error) {
    next = "";
    const why = error instanceof GmsError && error.status ? reason(error) : "";
    fail([word("Your message was not sent."), why, word("Please try again.")].filter(Boolean).join(" "));
  } finally {
    sending = "";
  }
  sendNext();
}

function sendNext() {
  const wanted = next;
  next = "";
  if (wanted && !chat.over && message.value.trim() === wanted) send();
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
  document.title = word("({count}) New message", { count: unread });
}

place("answer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
message.addEventListener("input", () => {
  grow();
  tellTyping();
});
message.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
place("end").addEventListener("click", end);
place("again").addEventListener("click", () => {
  place("over").querySelector("p")?.replaceChildren(word("This chat has ended."));
  place("problem").hidden = true;
  page.connect();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  unread = 0;
  document.title = word("Chat");
  if (!chat.over && chat.id) poll();
});

place("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  if (dialogs.isAnswered()) page.connect();
});

for (const name of ["user_name", "first_name", "last_name", "contact_number"]) {
  const value = page.getUrlVars(name);
  if (value !== undefined) page.$(`#${name}`).val(value);
}

// The names of the documented example, so that code written after it finds them.
Object.assign(page, { gmsInterface, onResponseReceived, onBuiltinCallbackResponseReceived });
// When scripts of a copy have run, too.
addEventListener("DOMContentLoaded", () => settle().then(() => page.gpeStartScenario()), { once: true });
