// @ts-check
/** Who the visitor is: why they were invited, attached data, and the way through the site. */
import { make } from "./elements.js";
import { clock, decisionWords, duration, eventWords, moment, plain, shortUrl } from "./words.js";

/** Events that the time line shows as the frame of a page and not as a line of it. */
const FRAME = new Set(["PageEntered", "PageExited"]);

/** @param {any} chat the details of an interaction @returns {HTMLElement[]} */
export function visitorPane(chat) {
  return [
    invitation(chat),
    values("Attached data", chat.attached, "Nothing was attached."),
    values("What the visitor said", known(chat.customer), ""),
    journey(chat),
  ].filter((part) => part !== null);
}

/** @param {any} chat */
function invitation(chat) {
  const sent = [];
  for (const event of chat.events ?? []) {
    for (const decision of event.decisions ?? []) {
      if (decisionWords(decision).sent) sent.push({ event, decision });
    }
  }
  if (!chat.proactive) return card("plain", "The visitor asked for this chat", null);
  const strategy = chat.invitation?.strategy ?? chat.attached.webengagement;
  const why = sent.filter(({ decision }) => !strategy || decision.strategy === strategy).pop();
  const story = why
    ? `Sent at ${clock(why.event.serverTimestamp ?? why.event.timestamp)}, completed by ` +
      `“${eventWords(why.event.eventName)}” on ${shortUrl(why.event.url) || "a page of the visit"}.`
    : null;
  const title = strategy ? `Invited by “${strategy}”` : "Invited by a strategy";
  return card("proactive", title, story);
}

/** @param {string} kind @param {string} title @param {string | null} story */
function card(kind, title, story) {
  return make(
    "section",
    { class: `card ${kind}` },
    make("h3", {}, title),
    story ? make("p", {}, story) : null,
  );
}

/** @param {Record<string, string>} customer */
function known(customer) {
  return Object.fromEntries(Object.entries(customer ?? {}).filter(([, value]) => value !== ""));
}

/** @param {string} title @param {Record<string, unknown>} found @param {string} otherwise */
function values(title, found, otherwise) {
  const entries = Object.entries(found ?? {});
  if (!entries.length && !otherwise) return null;
  const rows = entries.map(([name, value]) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, plain(value) || "(empty)")),
  );
  return make(
    "section",
    {},
    make("h3", {}, title),
    rows.length ? make("table", {}, make("tbody", {}, ...rows)) : make("p", { class: "soft" }, otherwise),
  );
}

/** @param {any} chat */
function journey(chat) {
  const events = chat.events ?? [];
  const stops = (chat.pages ?? []).map((/** @type {any} */ page) => stop(page, events, chat.pageID));
  const loose = events.filter((/** @type {any} */ event) => !pageOf(event));
  if (loose.length) stops.unshift(make("li", {}, ...loose.flatMap(happening), began(loose[0])));
  const empty = chat.problem ?? (chat.visitID ? "Nothing is known of this visit yet." : "This chat came without a visit.");
  return make(
    "section",
    {},
    make("h3", {}, "Journey"),
    stops.length ? make("ol", { class: "journey" }, ...stops) : make("p", { class: "soft" }, empty),
  );
}

/** @param {any} event */
function began(event) {
  return make("p", { class: "soft" }, clock(event.serverTimestamp ?? event.timestamp));
}

/** @param {any} event */
function pageOf(event) {
  return event.browserPageID ?? event.pageID;
}

/** One page with the time spent on it and what happened there. @param {any} page @param {any[]} events @param {string} here */
function stop(page, events, here) {
  const own = events.filter((event) => pageOf(event) === page.pageID);
  const spent = page.exited
    ? duration(moment(page.exited) - moment(page.entered))
    : `open for ${duration(Date.now() - moment(page.entered))}`;
  return make(
    "li",
    page.exited ? {} : { class: "open" },
    make(
      "p",
      { class: "page" },
      make("strong", {}, page.title || shortUrl(page.url) || page.pageID),
      page.pageID === here ? make("span", { class: "badge" }, "chat started here") : null,
    ),
    make("p", { class: "soft" }, `${clock(page.entered)} · ${spent}`, page.title ? ` · ${shortUrl(page.url)}` : ""),
    ...own.flatMap(happening),
  );
}

/** An event's line (frames of a page have none) and its decisions. @param {any} event @returns {HTMLElement[]} */
function happening(event) {
  const lines = [];
  if (!FRAME.has(event.eventName)) {
    const data = Object.entries(event.data ?? {}).map(([name, value]) => `${name}: ${plain(value)}`);
    const detail = data.length ? make("span", { class: "soft" }, ` ${data.join(", ")}`) : null;
    lines.push(make("p", { class: "event" }, eventWords(event.eventName), detail));
  }
  for (const decision of event.decisions ?? []) {
    const { sent, text } = decisionWords(decision);
    lines.push(make("p", { class: sent ? "decision sent" : "decision" }, text));
  }
  return lines;
}
