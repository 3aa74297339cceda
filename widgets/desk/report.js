// @ts-check
/** The report's page: the figures of `overture report`, asked for and shown. */
import { askForToken } from "./access.js";
import { Refusal, request } from "./api.js";
import { make, place, write } from "./elements.js";
import { reasonWords } from "./words.js";

const DAYS = 7;
const STAGES = {
  qualified: "Qualified",
  offered: "Offered",
  shown: "Shown",
  accepted: "Accepted",
  started: "Started",
  answered: "Answered",
};
const COLUMNS = {
  qualified: "Qualified",
  refused: "Refused",
  offered: "Offered",
  shown: "Shown",
  accepted: "Accepted",
  rejected: "Rejected",
  timedOut: "Timed out",
  unanswered: "No answer",
  started: "Started",
  answered: "Answered",
};
const ABOUT = { strategy: "Strategy", medium: "Medium", day: "Day", arm: "Audience arm" };
const ARMS = { audience: "In the audience", control: "Control", everyone: "Everyone" };

/** What is asked for, as the query of the two addresses. */
function query() {
  const found = new URLSearchParams();
  for (const name of ["from", "to"]) if (place(name).value) found.set(name, place(name).value);
  const by = [...document.querySelectorAll("input[name=by]:checked")].map((one) => /** @type {any} */ (one).value);
  if (by.length) found.set("by", by.join(","));
  return found;
}

/** @param {() => Promise<void>} what */
async function guarded(what) {
  place("problem").hidden = true;
  place("show").disabled = true;
  write("connection", "Reading …");
  try {
    await what();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401) return void askForToken().then(() => guarded(what));
    place("problem").hidden = false;
    place("problem").textContent = error.message;
  } finally {
    place("show").disabled = false;
    write("connection", "");
  }
}

async function show() {
  const found = await (await request(`/api/report?${query()}`)).json();
  const since = found.oldest === null ? "" : ` The journal goes back to ${new Date(found.oldest).toLocaleString()}.`;
  write("about", `Days of ${found.zone}.${since}`);
  place("funnel").replaceChildren(...bars(found.total));
  place("rows").replaceChildren(...table("Figures", found.by, found.rows, COLUMNS, found.total));
  place("refused").replaceChildren(...refusals(found));
  place("talks").replaceChildren(...conversations(found));
}

/** @param {any} total */
function bars(total) {
  return Object.entries(STAGES).map(([stage, word]) => {
    const fill = make("span");
    fill.style.width = `${total.qualified ? (100 * total[stage]) / total.qualified : 0}%`;
    const share = stage !== "qualified" && total.offered ? ` · ${percent(total[stage], total.offered)} of offered` : "";
    const number = `${total[stage].toLocaleString()}${["qualified", "offered"].includes(stage) ? "" : share}`;
    return make(
      "li",
      {},
      make("span", {}, word),
      make("span", { class: "bar", "aria-hidden": "true" }, fill),
      make("span", { class: "number" }, number),
    );
  });
}

/** @param {number} part @param {number} whole */
function percent(part, whole) {
  const found = (100 * part) / whole;
  return `${found >= 10 || found === 0 ? Math.round(found) : found.toFixed(1)} %`;
}

/** @param {any} found */
function refusals(found) {
  const reasons = Object.keys(found.total.refusedBy);
  const columns = Object.fromEntries(reasons.map((reason) => [reason, reasonWords(reason)]));
  const rows = found.rows
    .filter((/** @type {any} */ row) => row.refused > 0)
    .map((/** @type {any} */ row) => ({ ...row, ...row.refusedBy }));
  return table("Refusals by reason", found.by, rows, columns, found.total.refusedBy);
}

/** @param {any} found */
function conversations(found) {
  const columns = {
    proactive: "Proactive",
    proactiveAnswered: "of these answered",
    reactive: "Reactive",
    reactiveAnswered: "of these answered",
  };
  const rows = found.conversations.map((/** @type {any} */ part) => ({
    ...part,
    proactive: part.proactive.started,
    proactiveAnswered: part.proactive.answered,
    reactive: part.reactive.started,
    reactiveAnswered: part.reactive.answered,
  }));
  const by = found.by.filter((/** @type {string} */ name) => name === "medium" || name === "day");
  return table("Conversations", by, rows, columns, null);
}

/**
 * One table that a narrow page scrolls sideways, also with the keyboard.
 * @param {string} name @param {string[]} by @param {any[]} rows
 * @param {Record<string, string>} columns @param {any} total the last row, when there are several
 */
function table(name, by, rows, columns, total) {
  if (!rows.length) return [make("p", { class: "soft" }, "Nothing in this time.")];
  const figures = Object.keys(columns);
  const head = make(
    "tr",
    {},
    ...by.map((one) => make("th", { scope: "col" }, ABOUT[/** @type {keyof typeof ABOUT} */ (one)])),
    ...figures.map((one) => make("th", { scope: "col", class: "figure" }, columns[one])),
  );
  const lines = rows.map((row) =>
    make("tr", {}, ...by.map((one, place) => about(one, row[one], place)), ...figures.map((one) => figure(row[one]))),
  );
  const sum =
    total && rows.length > 1
      ? make(
          "tfoot",
          {},
          make(
            "tr",
            {},
            by.length ? make("th", { scope: "row", colspan: String(by.length) }, "All") : null,
            ...figures.map((one) => figure(total[one])),
          ),
        )
      : null;
  const whole = make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines), sum);
  return [make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": name }, whole)];
}

/** @param {string} dimension @param {string | null} value @param {number} place */
function about(dimension, value, place) {
  const word = dimension === "arm" ? ARMS[/** @type {keyof typeof ARMS} */ (value)] : value;
  return make(place === 0 ? "th" : "td", place === 0 ? { scope: "row" } : {}, word ?? "—");
}

/** @param {number | undefined} value */
function figure(value) {
  return make("td", { class: value ? "figure" : "figure none" }, (value ?? 0).toLocaleString());
}

/** @param {string} of */
async function save(of) {
  const asked = query();
  asked.set("of", of);
  const file = await (await request(`/api/report.csv?${asked}`)).blob();
  const link = /** @type {HTMLAnchorElement} */ (make("a", { download: `${of}.csv` }));
  link.href = URL.createObjectURL(file);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @param {number} ago days */
function day(ago) {
  const date = new Date();
  date.setDate(date.getDate() - ago);
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}

function begin() {
  place("from").value = day(DAYS - 1);
  place("to").value = day(0);
  place("asked").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    guarded(show);
  });
  for (const of of ["funnel", "talks"]) {
    place(`${of}-csv`).addEventListener("click", () => guarded(() => save(of === "talks" ? "conversations" : of)));
  }
  guarded(show);
}

begin();
