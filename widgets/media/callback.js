// @ts-check
/**
 * The callback window: a number, as soon as possible or at a time, and what becomes of it.
 * After a reload it shows the callback that this window asked for.
 *
 * Reads from its address: `visitId`, `pageId`, `invitation`, `webengagement`, `first_name`,
 * `last_name`, `subject`, `phone` (or `contact_number`). Times are shown in the visitor's own zone.
 */
import { Refusal, call, isBack, memory, newKey, place, tellPage, urlVariable, wish, write } from "./web-media.js";
import { reason, settle, word } from "./window-words.js";

/** Pause between two questions for the state, in ms. */
const PAUSE = 5_000;

const root = document.documentElement.dataset.callback ?? "/media/callback";
const known = memory("callback");

/**
 * What the page knows: its key, the key of a callback that was asked for as long as no answer came,
 * what it was told last, and whether the visitor changes the time.
 */
const mine = { key: "", wanted: "", /** @type {any} */ shown: null, changing: false };
/** @type {{now: boolean, slots: {start: string, free: number}[]}} */
let offer = { now: false, slots: [] };
let timer = 0;

/** Words for each state; a function of the callback. @type {Record<string, (one: any) => [string, string]>} */
const WORDS = {
  waiting: (one) =>
    one.slot
      ? [word("We call you on {day} at {time}", when(one.slot)), word("On {phone}. You may close this window.", one)]
      : [word("We call you as soon as we can"), word("On {phone}. You may close this window.", one)],
  taken: (one) => [word("We are calling you now"), word("On {phone}.", one)],
  done: () => [word("We have talked"), word("Thank you for your time.")],
  failed: (one) => [word("We could not reach you"), word("We tried {phone}. Shall we try again?", one)],
  cancelled: () => [word("We do not call you"), word("You can ask for a call at any time.")],
};

/** @type {Record<string, string>} */
const STATUS = {
  waiting: "Your call is noted",
  taken: "Your telephone rings soon",
  done: "This call is over",
  failed: "This call is over",
  cancelled: "This call is cancelled",
};

/** @param {string} [more] */
function path(more = "") {
  return `${root}/${encodeURIComponent(mine.key)}${more}`;
}

/** @param {string} iso */
function when(iso) {
  const date = new Date(iso);
  return { day: dayName(date), time: clock(date) };
}

/** @param {Date} date */
function dayName(date) {
  return date.toLocaleDateString(document.documentElement.lang, { weekday: "long", day: "numeric", month: "long" });
}

/** @param {Date} date */
function clock(date) {
  return date.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/* Asking */

async function showForm() {
  clearTimeout(timer);
  offer = await call(`${root}/slots`);
  place("booked").hidden = true;
  place("person").hidden = mine.changing;
  place("keep").hidden = !mine.changing;
  write("book", word(mine.changing ? "Change the time" : "Call me"));
  place("now").disabled = !offer.now;
  place("closed").hidden = offer.now;
  const free = offer.slots.filter((slot) => slot.free > 0);
  place("later").disabled = free.length === 0;
  place(offer.now && !mine.changing ? "now" : "later").checked = true;
  showDays(free);
  showSlots();
  place("ask").hidden = false;
  write("status", word(offer.now ? "We are here for you" : "Choose a time for our call"));
}

/** @param {{start: string}[]} free */
function showDays(free) {
  const chosen = place("day").value;
  const days = new Map(free.map((slot) => [dayName(new Date(slot.start)), slot]));
  place("day").replaceChildren(...[...days.keys()].map((name) => new Option(name, name)));
  if (days.has(chosen)) place("day").value = chosen;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  write("zone", word("Times are in your time zone ({zone}).", { zone }));
  showTimes();
}

/** The free times of the chosen day, as radio buttons. */
function showTimes() {
  const chosen = chosenSlot();
  const chips = offer.slots
    .filter((slot) => slot.free > 0 && dayName(new Date(slot.start)) === place("day").value)
    .map((slot) => chip(slot.start, slot.start === chosen));
  place("chips").replaceChildren(...chips);
}

/** @param {string} start @param {boolean} checked */
function chip(start, checked) {
  const label = document.createElement("label");
  label.className = "chip";
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name: "slot", value: start, checked });
  const text = document.createElement("span");
  text.textContent = clock(new Date(start));
  label.append(input, text);
  return label;
}

function chosenSlot() {
  const input = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=slot]:checked"));
  return input?.value ?? "";
}

function showSlots() {
  place("slots").hidden = !place("later").checked;
}

function isNumber() {
  return /^\s*\+?[0-9][0-9 ()./-]{3,28}\s*$/.test(place("phone").value);
}

/** Marks what is missing and goes to the first of it. */
function isComplete() {
  const lacksPhone = !mine.changing && !isNumber();
  const lacksSlot = place("later").checked && !chosenSlot();
  place("phone").setAttribute("aria-invalid", String(lacksPhone));
  place("phone-problem").hidden = !lacksPhone;
  place("slot-problem").hidden = !lacksSlot;
  if (lacksPhone) place("phone").focus();
  else if (lacksSlot) /** @type {HTMLElement | null} */ (document.querySelector("input[name=slot], #day"))?.focus();
  return !lacksPhone && !lacksSlot;
}

async function book() {
  place("problem").hidden = true;
  if (!isComplete() || place("book").disabled) return;
  place("book").disabled = true;
  const slot = place("later").checked ? chosenSlot() : "";
  try {
    if (mine.changing) show(await call(path("/reschedule"), { slot }), true);
    else {
      const names = place("name").value.trim() ? { first_name: place("name").value.trim(), last_name: "" } : {};
      const asked = { ...wish(), ...names, phone: place("phone").value.trim(), slot };
      mine.wanted ||= newKey();
      known.set(mine.wanted); // whoever leaves before the answer finds it on the next page
      const found = await call(root, { ...asked, id: mine.wanted });
      Object.assign(mine, { key: found.id, wanted: "" });
      show(found, true);
    }
  } catch (error) {
    await refused(error);
  } finally {
    place("book").disabled = false;
  }
}

/** A time may have gone meanwhile: the refusal is said, and what is left is offered. @param {unknown} error */
async function refused(error) {
  if (!(error instanceof Refusal)) throw error;
  fail(reason(error));
  if (!error.passes && mine.wanted) {
    mine.wanted = "";
    known.set(null);
  }
  if (["slot", "slot-full", "closed"].includes(error.code)) await showForm().catch(() => {});
  else if (["over", "taken"].includes(error.code)) await look();
}

/* What becomes of it */

/** @param {any} found @param {boolean} [focus] whether the visitor just did something */
function show(found, focus = false) {
  mine.shown = found;
  mine.changing = false;
  const [heading, words] = WORDS[found.state](found);
  const open = found.state === "waiting" || found.state === "taken";
  place("ask").hidden = true;
  place("booked").hidden = false;
  write("booked-heading", heading);
  write("booked-words", words);
  write("status", word(STATUS[found.state]));
  place("change").hidden = place("cancel").hidden = found.state !== "waiting";
  place("again").hidden = open;
  if (focus) place("booked-heading").focus();
  clearTimeout(timer);
  if (open) timer = setTimeout(look, PAUSE);
  else tellPage("ended");
}

async function look() {
  clearTimeout(timer);
  try {
    const found = await call(path());
    if (!mine.changing) show(found);
    place("problem").hidden = true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 404) return startAnew();
    fail(word("The connection is lost. Trying again …"));
    timer = setTimeout(look, PAUSE);
  }
}

async function cancel() {
  try {
    show(await call(path("/cancel"), {}), true);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    fail(reason(error));
  }
}

async function startAnew() {
  Object.assign(mine, { key: "", shown: null, changing: false });
  known.set(null);
  await begin();
}

/** @param {string} sentence */
function fail(sentence) {
  place("problem").hidden = false;
  write("problem", sentence);
}

async function begin() {
  mine.key = known.get() ?? "";
  try {
    if (mine.key) return await look();
    await showForm();
    place("problem").hidden = true;
    if (!isBack()) place(place("phone").value ? "book" : "phone").focus();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    fail(error.passes ? word("We can not be reached. Trying again …") : reason(error));
    if (error.passes) timer = setTimeout(begin, PAUSE);
  }
}

place("ask").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  book();
});
for (const id of ["now", "later"]) place(id).addEventListener("change", showSlots);
place("day").addEventListener("change", showTimes);
// What was marked is unmarked as soon as it is right.
place("phone").addEventListener("input", () => {
  if (!isNumber()) return;
  place("phone").removeAttribute("aria-invalid");
  place("phone-problem").hidden = true;
});
place("chips").addEventListener("change", () => (place("slot-problem").hidden = true));
place("cancel").addEventListener("click", cancel);
place("again").addEventListener("click", startAnew);
place("change").addEventListener("click", () => {
  mine.changing = true;
  showForm().then(() => place("day").focus(), refused);
});
place("keep").addEventListener("click", () => show(mine.shown, true));

place("phone").value = urlVariable("phone") ?? urlVariable("contact_number") ?? "";
place("name").value = [urlVariable("first_name"), urlVariable("last_name")].filter(Boolean).join(" ");
await settle();
begin();
