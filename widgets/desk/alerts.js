// @ts-check
/** What tells an agent that something is new: the title, a sentence for screen readers, a sound and
 * the browser's notifications, both off until they are wanted. */
import { place, write } from "./elements.js";
import { desk, unread, waitsHere } from "./state.js";
import { clock } from "./words.js";

const WANTED = "overture.alerts";
const TONES = [660, 880];
/** A callback is news again so many ms before its time. */
const SOON = 300_000;

/** @type {Record<string, boolean>} */
const wanted = read();
/** @type {Map<string, number>} ids with the number of lines that were told of */
const told = new Map();
/** @type {AudioContext | null} */
let audio = null;
let begun = false;

function read() {
  try {
    return { ...JSON.parse(localStorage.getItem(WANTED) ?? "{}") };
  } catch {
    return {};
  }
}

/** Looks at the lists and tells what is new in them. @param {(id: string) => void} choose */
export function tellNews(choose) {
  const calls = desk.callbacks.filter((one) => one.state === "waiting");
  const due = calls.filter((one) => !one.slot || one.slot - Date.now() < SOON);
  const waiting = desk.chats.filter((chat) => chat.medium !== "callback" && waitsHere(chat));
  const mine = desk.chats.filter((chat) => unread(chat) > 0);
  const number = waiting.length + due.length + mine.length;
  document.title = `${number ? `(${number}) ` : ""}Desk · Overture`;
  for (const chat of waiting) news(chat.id, 0, `${chat.nickname} waits for an answer`, choose);
  for (const one of calls) {
    if (due.includes(one)) news(one.id, 1, `${one.nickname} is to be called now`, choose);
    else news(one.id, 0, `${one.nickname} would like to be called at ${clock(one.slot)}`, choose);
  }
  for (const chat of mine) news(chat.id, chat.lines, `${chat.nickname}: ${chat.last_message ?? ""}`, choose);
  begun = true;
}

/** @param {string} id @param {number} lines @param {string} text @param {(id: string) => void} choose */
function news(id, lines, text, choose) {
  if ((told.get(id) ?? -1) >= lines) return;
  told.set(id, lines);
  // What was there when the desk opened is on screen, and no news.
  if (!begun) return;
  write("news", text);
  if (wanted.sound) sound();
  if (wanted.notifications && !document.hasFocus()) notify(id, text, choose);
}

/** @param {string} id @param {string} text @param {(id: string) => void} choose */
function notify(id, text, choose) {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  // One for each conversation: the youngest takes the place of the one before.
  const shown = new Notification("Desk · Overture", { body: text.slice(0, 200), tag: id });
  shown.addEventListener("click", () => {
    window.focus();
    shown.close();
    choose(id);
  });
}

function sound() {
  audio ??= new AudioContext();
  const start = audio.currentTime;
  for (const [number, tone] of TONES.entries()) {
    const oscillator = new OscillatorNode(audio, { frequency: tone });
    const volume = new GainNode(audio, { gain: 0 });
    const at = start + number * 0.14;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.12, at + 0.02);
    volume.gain.linearRampToValueAtTime(0, at + 0.13);
    oscillator.connect(volume).connect(audio.destination);
    oscillator.start(at);
    oscillator.stop(at + 0.14);
  }
}

export function beginAlerts() {
  const allowed = () => "Notification" in window && Notification.permission === "granted";
  place("sound").checked = wanted.sound === true;
  place("notifications").checked = wanted.notifications === true && allowed();
  place("sound").addEventListener("change", () => {
    keep("sound", place("sound").checked);
    if (wanted.sound) sound();
  });
  place("notifications").addEventListener("change", async () => {
    const wish = place("notifications").checked;
    if (wish && "Notification" in window && !allowed()) await Notification.requestPermission();
    place("notifications").checked = wish && allowed();
    write("refused", wish && !allowed() ? "Your browser does not allow them for this page." : "");
    keep("notifications", wish && allowed());
  });
}

/** @param {string} name @param {boolean} value */
function keep(name, value) {
  wanted[name] = value;
  localStorage.setItem(WANTED, JSON.stringify(wanted));
}
