// @ts-check
/** Who the visitor is: why they were invited, attached data, and the way through the site. */
import { make } from "./elements.js";
import { clock, counted, decisionWords, duration, eventWords, moment, plain, shortUrl } from "./words.js";

/** Events that the time line shows as the frame of a page and not as a line of it. */
const FRAME = new Set(["PageEntered", "PageExited"]);

/** So many strategies that held back are shown without asking. */
const FEW = 2;
const PERSON = new Set(["SignIn", "SignOut", "UserInfo"]);

/** @param {any} chat the details of an interaction @returns {HTMLElement[]} */
export function visitorPane(chat) {
  return [
    invitation(chat),
    identity(chat),
    now(chat),
    values("Attached data", chat.attached, "Nothing was attached."),
    values("What the visitor said", known(chat.customer), ""),
    journey(chat),
    earlier(chat),
  ].filter((part) => part !== null);
}

/** @param {any} event */
function timeOf(event) {
  return event.serverTimestamp ?? event.timestamp;
}

/** Why there was an invitation: when, by which strategy, and what had to hold for it. @param {any} chat */
function invitation(chat) {
  if (!chat.proactive) return card("plain", "The visitor asked for this", []);
  const sent = [];
  for (const event of chat.events ?? []) {
    for (const decision of event.decisions ?? []) {
      if (decisionWords(decision).sent) sent.push({ event, decision });
    }
  }
  const id = chat.invitation?.id;
  const strategy = chat.invitation?.strategy;
  const given = chat.attached.webengagement;
  // A page may attach what it likes: only an offer that this server made is told as one.
  if (!id && given) return card("plain", `The page says: “${given}”`, [make("p", {}, "No invitation from here is known of.")]);
  const why =
    sent.find(({ decision }) => id && decision.sends.includes(id)) ??
    sent.filter(({ decision }) => !strategy || decision.strategy === strategy).pop();
  const title = strategy ? `Invited by “${strategy}”` : "Invited by a strategy";
  if (!why) return card("proactive", title, []);
  const { event, decision } = why;
  const where = shortUrl(event.url) || "a page of the visit";
  const story = `Sent at ${clock(decision.time ?? timeOf(event))}, completed by “${eventWords(event.eventName)}” on ${where}.`;
  return card("proactive", title, [make("p", {}, story), ...reasons(decision.because)]);
}

/** @param {any} because */
function reasons(because) {
  if (!because) return [];
  return [
    because.description ? make("p", { class: "why" }, because.description) : null,
    ...list("What happened", because.steps),
    ...list("What else held", because.conditions),
    ...list("What did not hold", because.exceptions),
  ].filter((part) => part !== null);
}

/** @param {string} title @param {string[]} sentences */
function list(title, sentences) {
  if (!sentences?.length) return [];
  return [make("h4", {}, title), make("ul", {}, ...sentences.map((one) => make("li", {}, one)))];
}

/** @param {string} kind @param {string} title @param {HTMLElement[]} story */
function card(kind, title, story) {
  return make("section", { class: `card ${kind}` }, make("h3", {}, title), ...story);
}

/** Who it is, as far as the site said so. @param {any} chat */
function identity(chat) {
  /** @type {Record<string, unknown>} */
  let person = {};
  let state = "Not signed in";
  for (const event of chat.events ?? []) {
    if (!PERSON.has(event.eventName)) continue;
    if (event.eventName === "SignOut") state = "Signed out";
    else person = { ...person, ...event.data };
    if (event.eventName === "SignIn") state = "Signed in";
    if (event.eventName === "UserInfo" && state === "Not signed in") state = "Recognised";
  }
  const visitor = (chat.events ?? []).find((/** @type {any} */ event) => event.globalVisitID)?.globalVisitID;
  const visits = chat.earlier?.length ?? 0;
  const found = {
    state,
    ...person,
    ...(chat.visitID ? { "visits before": visits ? String(visits) : "none that is known" } : {}),
    ...(visitor ? { globalVisitID: visitor } : {}),
  };
  return values("Who it is", found, "");
}

/** Where the visitor is at this moment. @param {any} chat */
function now(chat) {
  if (!chat.visitID) return null;
  const page = (chat.pages ?? []).filter((/** @type {any} */ one) => !one.exited).pop();
  const text = page
    ? [make("strong", {}, page.title || shortUrl(page.url) || page.pageID), make("span", { class: "soft" }, ` ${shortUrl(page.url)}`)]
    : [make("span", { class: "soft" }, "No page of the site is open.")];
  return make("section", { class: "now" }, make("h3", {}, "Now on"), make("p", {}, ...text));
}

/** Visits before this one, and what was talked about in them. @param {any} chat */
function earlier(chat) {
  if (!chat.earlier?.length) return null;
  return make("section", {}, make("h3", {}, "Earlier visits"), make("ul", { class: "visits" }, ...chat.earlier.map(visit)));
}

/** @param {any} one */
function visit(one) {
  const spent = duration(one.lastEvent - one.started);
  const invited = one.invitations ? ` · ${counted(one.invitations, "invitation")}` : "";
  const talks = one.conversations.map((/** @type {any} */ talk) =>
    make(
      "button",
      { type: "button", class: "quiet small", "data-chat": talk.id },
      `${talk.medium} of ${clock(talk.created)}${talk.agent ? ` with ${talk.agent}` : ""}`,
    ),
  );
  return make(
    "li",
    {},
    make("strong", {}, clock(one.started)),
    make("p", { class: "soft" }, `${counted(one.pages, "page")} in ${spent}${invited}${one.url ? ` · last ${shortUrl(one.url)}` : ""}`),
    ...talks,
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
      page.pageID === here ? make("span", { class: "badge" }, "started here") : null,
    ),
    make("p", { class: "soft" }, `${clock(page.entered)} · ${spent}`, page.title ? ` · ${shortUrl(page.url)}` : ""),
    ...own.flatMap(happening),
  );
}

/** An event's line (frames of a page have none) and its decisions. @param {any} event @returns {HTMLElement[]} */
function happening(event) {
  const lines = [];
  if (!FRAME.has(event.eventName)) {
    const data = Object.entries(told(event)).map(([name, value]) => `${name}: ${plain(value)}`);
    const detail = data.length ? make("span", { class: "soft" }, ` ${data.join(", ")}`) : null;
    const time = make("time", { class: "soft" }, `${clock(timeOf(event))} `);
    lines.push(make("p", { class: "event" }, time, eventWords(event.eventName), detail));
  }
  const refused = [];
  for (const decision of event.decisions ?? []) {
    const { sent, text } = decisionWords(decision);
    if (sent) lines.push(make("p", { class: "decision sent" }, `${text} · ${clock(decision.time ?? timeOf(event))}`));
    else refused.push(make("p", { class: "decision" }, text));
  }
  return [...lines, ...folded(refused)];
}

/** The data of an event that say something to an agent: of our own engagement, the medium alone. @param {any} event */
function told(event) {
  const data = event.data ?? {};
  if (!/^(Invitation|Interaction)[A-Z]/.test(event.eventName)) return data;
  return data.medium ? { medium: data.medium } : {};
}

/** Many strategies may hold back at one event: more than a few are one line that opens. @param {HTMLElement[]} refused */
function folded(refused) {
  if (refused.length <= FEW) return refused;
  return [make("details", { class: "held" }, make("summary", {}, `${refused.length} strategies held back`), ...refused)];
}
