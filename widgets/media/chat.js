// @ts-check
/**
 * Our own chat window: starts by itself, goes on after a reload, and carries the conversation.
 * Everything that comes from the network is put on the page as text, never as HTML.
 *
 * Reads from its address: `visitId`, `pageId`, `invitation`, `webengagement`, `first_name`,
 * `last_name`, `subject`. A page around may call `startChatInThisWindow()` and `restoreChat()`.
 */
import { Refusal, call, isBack, memory, newKey, place, tellPage, urlVariable, wish, write } from "./web-media.js";
import { reason, settle, word } from "./window-words.js";

/** Pause between two questions in ms: quick while somebody speaks, slower in silence. */
const QUICK = 1_000;
const CALM = [
  { after: 120_000, pause: 4_000 },
  { after: 30_000, pause: 2_000 },
];
const LONGEST_PAUSE = 15_000;
/** So often at most the server hears that the visitor is writing, in ms. */
const TYPING = 3_000;
const PAGE = 200;

const root = document.documentElement.dataset.chat ?? "/media/chat";
const known = memory("chat");
/** @type {HTMLTextAreaElement} */
const message = place("message");

/** `wanted`: the key of a chat that was asked for, as long as no answer came; `unsure`: a text that was sent and not answered, so that nobody knows whether it arrived; `sending`: a text on its way, `next`: what the visitor wants to send after it. */
const chat = { key: "", wanted: "", position: 0, over: true, failures: 0, spoken: 0, typed: 0, unsure: "", sending: "", next: "" };
let timer = 0;
let unread = 0;

/** @param {string} [more] */
function path(more = "") {
  return `${root}/${encodeURIComponent(chat.key)}${more}`;
}

/** Start a chat in this window, or go on with the one that it has. */
async function startChatInThisWindow() {
  if (await restoreChat()) return;
  begin();
  try {
    chat.wanted ||= newKey();
    known.set(chat.wanted); // whoever leaves before the answer finds it on the next page
    const news = await call(root, { ...wish(), id: chat.wanted });
    chat.key = news.id;
    chat.wanted = "";
    take(news);
    open();
  } catch (error) {
    troubled(error, startChatInThisWindow);
  }
}

/** Go on with the chat of this window; false when it has none. */
async function restoreChat() {
  const key = known.get();
  if (!key) return false;
  begin();
  chat.key = key;
  try {
    const news = await call(path());
    // An ended chat is shown again on reload alone: another invitation is another chat.
    if (news.state === "ended" && !isReload() && !isBack()) {
      known.set(null);
      return false;
    }
    take(news);
    if (!chat.over) open();
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) {
      known.set(null);
      if (isBack()) chat.wanted = key; // it was on its way when the page before was left
      return false;
    }
    troubled(error, startChatInThisWindow);
  }
  return true;
}

function isReload() {
  const [entry] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  return entry?.type === "reload";
}

function begin() {
  Object.assign(chat, { key: "", position: 0, over: false, spoken: Date.now(), typed: 0, unsure: "" });
  place("log").replaceChildren();
  place("over").hidden = true;
  document.body.classList.remove("over");
  showAgent(null);
  write("status", word("Connecting …"));
}

function open() {
  place("answer").hidden = false;
  place("end").hidden = false;
  if (!isBack()) message.focus(); // a visitor who reads on is somewhere else
  ask();
}

/** @param {string} words */
function finish(words) {
  chat.over = true;
  tellPage("ended");
  clearTimeout(timer);
  document.body.classList.add("over");
  for (const id of ["answer", "end", "problem"]) place(id).hidden = true;
  write("typing", "");
  write("over-words", words);
  write("status", word("Chat ended"));
  place("keep").hidden = !chat.key;
  if (chat.key) place("keep").href = path("/transcript");
  place("over").hidden = false;
  place("again").focus();
}

/** What can pass is tried again; anything else ends the attempt. @param {unknown} error @param {() => void} again */
function troubled(error, again) {
  if (!(error instanceof Refusal)) throw error;
  if (!error.passes) {
    chat.wanted = "";
    known.set(null);
    finish(word("The chat did not start."));
    return fail(reason(error));
  }
  fail(word("The chat can not be reached. Trying again …"));
  later(again);
}

/** @param {() => void} what */
function later(what) {
  clearTimeout(timer);
  chat.failures += 1;
  timer = setTimeout(what, pause());
}

/** Show what is new; lines that are here already are skipped. @param {any} news */
function take(news) {
  for (const line of news.lines) {
    if (line.position <= chat.position) continue;
    chat.position = line.position;
    chat.spoken = Date.now();
    show(line);
  }
  chat.failures = 0;
  showAgent(news.agent);
  write("typing", news.typing && news.agent ? word("{name} is typing …", { name: news.agent }) : "");
  if (news.state === "ended") finish(word("This chat has ended."));
}

/** @param {any} line */
function show(line) {
  const entry = document.createElement("div");
  const mine = line.party === "visitor";
  if (line.type === "Message.Text") {
    entry.className = `gwc-chat-message ${mine ? "gwc-chat-clientMessage" : "gwc-chat-agentMessage"}`;
    const name = document.createElement("span");
    name.className = mine ? "unseen" : "gwc-chat-name";
    name.textContent = mine ? `${word("You:")} ` : line.nickname;
    const text = document.createElement("p");
    text.dir = "auto";
    text.textContent = line.text;
    entry.append(name, text);
    if (!mine) ring();
    else if (line.text === chat.unsure) arrived();
  } else {
    entry.className = "gwc-chat-systemMessage";
    entry.textContent = notice(line);
  }
  const log = place("log");
  const following = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.append(entry);
  if (following || mine) log.scrollTop = log.scrollHeight;
}

/** @param {any} line */
function notice(line) {
  const joined = line.type === "Notice.Joined";
  if (line.party === "visitor") return joined ? word("You joined the chat") : word("You left the chat");
  const name = line.nickname;
  if (line.party === "agent") return joined ? word("{name} joined the chat", { name }) : word("{name} left the chat", { name });
  return word("The chat was closed because this window was silent");
}

/** @param {string | null} name of the agent who has the chat */
function showAgent(name) {
  if (chat.over && name === null) return;
  write("who", name ?? word("Chat"));
  write("avatar", name ? [...name][0].toUpperCase() : "");
  document.body.classList.toggle("answered", name !== null);
  write("status", name ? word("In this chat with you") : word("An agent will be with you soon"));
}

/** @param {string} sentence */
function fail(sentence) {
  place("problem").hidden = false;
  write("problem", sentence);
}

function pause() {
  if (chat.failures > 0) return Math.min(QUICK * 2 ** chat.failures, LONGEST_PAUSE);
  const silence = Date.now() - chat.spoken;
  return CALM.find((step) => silence > step.after)?.pause ?? QUICK;
}

/** Ask for news, again and again. */
async function ask() {
  clearTimeout(timer);
  const key = chat.key;
  try {
    const troubledBefore = chat.failures > 0;
    const news = await call(path(`?after=${chat.position}`));
    if (chat.over || chat.key !== key) return;
    take(news);
    if (troubledBefore) place("problem").hidden = true;
    if (news.lines.length >= PAGE && !chat.over) return void ask();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (chat.over || chat.key !== key) return;
    if (error.status === 404) return finish(word("This chat has ended."));
    fail(word("The connection is lost. Trying again …"));
    return later(ask);
  }
  clearTimeout(timer);
  if (!chat.over) timer = setTimeout(ask, pause());
}

/** What was sent is in the transcript now. */
function arrived() {
  if (message.value.trim() === chat.unsure) message.value = "";
  chat.unsure = "";
  place("problem").hidden = true;
  grow();
}

/** One at a time, so that they keep their order; what is sent meanwhile on a slow network goes next. */
async function send() {
  const text = message.value.trim();
  if (!text) return;
  if (chat.sending) {
    chat.next = text === chat.sending ? "" : text; // impatience says nothing twice
    return;
  }
  chat.sending = text;
  try {
    // It may have arrived although no answer came: look first, so that nothing is said twice.
    if (chat.unsure === text) take(await call(path(`?after=${chat.position}`)));
    if (message.value.trim() === text) {
      chat.unsure = text;
      take(await call(path("/messages"), { text, after: chat.position }));
    }
    chat.typed = 0;
    // Whoever just wrote expects an answer: quick again at once, not after a calm pause.
    if (!chat.over) ask();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (!error.passes) chat.unsure = "";
    chat.next = "";
    fail([word("Your message was not sent."), reason(error), error.passes ? word("Please try again.") : ""].join(" ").trim());
  } finally {
    chat.sending = "";
  }
  sendNext();
}

function sendNext() {
  const wanted = chat.next;
  chat.next = "";
  if (wanted && !chat.over && message.value.trim() === wanted) send();
}

async function end() {
  try {
    take(await call(path("/end"), { after: chat.position }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // The server ends a silent chat by itself.
    finish(word("This chat has ended."));
  }
}

/** Tell the agent that the visitor is writing; nothing depends on whether it arrives. */
function tellTyping() {
  const typing = message.value.trim() !== "";
  const now = Date.now();
  if (chat.over || (typing ? now - chat.typed < TYPING : chat.typed === 0)) return;
  chat.typed = typing ? now : 0;
  call(path("/typing"), { typing }).catch(() => {});
}

/** Say why, in the server's words; the file itself stays where it is. @param {Event} event */
async function refuseFiles(event) {
  const carried = /** @type {DragEvent & ClipboardEvent} */ (event);
  const data = carried.dataTransfer ?? carried.clipboardData;
  if (!data?.types.includes("Files")) return;
  event.preventDefault();
  if (event.type === "dragover" || chat.over) return;
  await call(path("/files"), {}).catch((error) => fail(reason(error)));
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

place("answer").addEventListener("submit", (/** @type {Event} */ event) => {
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
for (const kind of ["paste", "dragover", "drop"]) document.addEventListener(kind, refuseFiles);
place("end").addEventListener("click", end);
place("again").addEventListener("click", () => {
  place("problem").hidden = true;
  known.set(null);
  startChatInThisWindow();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  unread = 0;
  document.title = word("Chat");
  if (!chat.over && chat.key) ask();
});

// The names of the documented widget, so that a page written after it finds them.
Object.assign(window, { startChat: startChatInThisWindow, startChatInThisWindow, restoreChat });
await settle();
if (urlVariable("wait") !== "true") startChatInThisWindow();
