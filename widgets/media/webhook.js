// @ts-check
/**
 * The window of the medium `webhook`: hands the visitor's wish to whoever answers elsewhere, and
 * says whether they have it. A reload asks again and hands nothing over twice.
 *
 * Reads from its address: `visitId`, `pageId`, `invitation`, `webengagement`, `first_name`,
 * `last_name`, `subject`.
 */
import { Refusal, call, memory, newKey, place, tellPage, wish, write } from "./web-media.js";
import { reason, settle, word } from "./window-words.js";

/** Pause between two questions for the state, in ms. */
const PAUSE = 3_000;

const root = document.documentElement.dataset.webhook ?? "/media/webhook";
const known = memory("webhook");
/** The key of what was handed over, as long as no answer came. */
let wanted = "";
let timer = 0;

/** @type {Record<string, [string, string]>} */
const WORDS = {
  waiting: ["We are passing this on", "You may close this window: it goes on without it."],
  handed: ["Our colleagues know", "They will get in touch with you."],
  failed: ["This could not be passed on", "We are sorry. Please try again, or write to us."],
  cancelled: ["Nothing was passed on", "You can ask again at any time."],
};

/** @param {string} state */
function show(state) {
  const [heading, words] = WORDS[state];
  write("heading", word(heading));
  write("words", word(words));
  place("cancel").hidden = state !== "waiting";
  place("again").hidden = state === "waiting" || state === "handed";
  clearTimeout(timer);
  if (state === "waiting") timer = setTimeout(look, PAUSE);
  else tellPage("ended");
}

/** @param {string} key @param {string} [more] */
function path(key, more = "") {
  return `${root}/${encodeURIComponent(key)}${more}`;
}

/** Hand it over, or look what became of what this window handed over before. */
async function look() {
  clearTimeout(timer);
  try {
    const key = known.get();
    if (key && key !== wanted) return show((await call(path(key))).state);
    wanted ||= newKey();
    known.set(wanted);
    const found = await call(root, { ...wish(), id: wanted });
    wanted = "";
    show(found.state);
    timer = setTimeout(look, 500);
  } catch (error) {
    troubled(error);
  }
}

async function cancel() {
  try {
    show((await call(path(String(known.get()), "/cancel"), {})).state);
    place("heading").focus();
  } catch (error) {
    troubled(error);
  }
}

/** @param {unknown} error */
function troubled(error) {
  if (!(error instanceof Refusal)) throw error;
  if (error.status === 404) known.set(null);
  write("heading", word(error.passes ? "We can not be reached" : WORDS.failed[0]));
  write("words", error.passes ? word("Trying again …") : reason(error));
  place("again").hidden = error.passes;
  if (error.passes) timer = setTimeout(look, PAUSE);
}

place("cancel").addEventListener("click", cancel);
place("again").addEventListener("click", () => {
  known.set(null);
  look();
});
await settle();
look();
