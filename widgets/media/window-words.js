// @ts-check
/**
 * The language and the theme of a window: those of the invitation that opened it.
 *
 * Reads `languageCode` and `theme` from the address. The words are in the files of the invitations,
 * `languages/<code>.json`; the key of a window's sentence is the sentence in English, which is also
 * what stands there when no file says better. What the server says has a code beside its English
 * sentence: the files have it as `refused.<code>` and `says.<code>`.
 */

/** How long a slow network may keep the window back, in ms. */
const PATIENCE = 1_500;
/** Seen from the top of the server: copies of the GMS window lie in another folder. */
const RESOURCES = "/frontend/resources";
const root = document.documentElement;

/** @type {Record<string, string>} */
let words = {};

/**
 * A sentence in the visitor's language, with `{name}` replaced by the value of that name.
 * @param {string} english @param {Record<string, string | number>} [values]
 */
export function word(english, values = {}) {
  return (words[english] ?? english).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * Why something was refused, in the visitor's language: by its code, else as the server says it.
 * @param {{code: string, message: string}} refusal
 */
export function reason({ code, message }) {
  return words[`refused.${code}`] ?? word(message);
}

/**
 * What the server says, in the visitor's language: by its code, else as it stands.
 * @param {string} code @param {string} english @param {Record<string, string>} values each is needed
 */
export function says(code, english, values) {
  const key = `says.${code}`;
  const lacks = (words[key] ?? "").match(/\w+(?=\})/g)?.some((name) => !values[name]);
  return words[key] && !lacks ? word(key, values) : english;
}

/** Dress and translate the page; it is shown when both are done. Never fails. */
export async function settle() {
  const address = new URLSearchParams(location.search);
  const code = (address.get("languageCode") || navigator.language || "en").toLowerCase().split(/[-_]/)[0];
  root.hidden = true;
  await Promise.all([dress(address.get("theme") ?? ""), learn(code).catch(() => {})]);
  root.hidden = false;
}

/** @param {string} code */
async function learn(code) {
  if (code === "en" || !/^[a-z]{2,3}$/.test(code)) return;
  const answer = await fetch(`${RESOURCES}/languages/${code}.json`, { signal: AbortSignal.timeout(PATIENCE) });
  if (!answer.ok) return;
  words = await answer.json();
  root.lang = code;
  root.dir = words.direction === "rtl" ? "rtl" : "ltr";
  document.title = word(document.title);
  translate();
}

/** Every text and label of the page, as text and never as markup. */
function translate() {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let one = texts.nextNode(); one; one = texts.nextNode()) {
    const english = one.nodeValue?.trim();
    if (english && words[english]) one.nodeValue = String(one.nodeValue).replace(english, () => words[english]);
  }
  for (const name of ["aria-label", "placeholder"]) {
    for (const one of document.querySelectorAll(`[${name}]`)) one.setAttribute(name, word(one.getAttribute(name) ?? ""));
  }
}

/** @param {string} theme @returns {Promise<unknown> | undefined} */
function dress(theme) {
  if (!/^[a-z0-9-]{1,40}$/.test(theme)) return undefined;
  return new Promise((done) => {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = `${RESOURCES}/themes/${theme}.css`;
    sheet.onload = sheet.onerror = done;
    setTimeout(done, PATIENCE);
    document.head.append(sheet);
  });
}
