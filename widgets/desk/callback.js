// @ts-check
/** A callback on screen: the number, when, and what came of it. */
import { call } from "./api.js";
import { make, place, write } from "./elements.js";
import { desk } from "./state.js";
import { clock } from "./words.js";

let slotsOf = "";

/** @returns {any} the callback that is chosen */
function chosen() {
  return desk.callbacks.find((one) => one.id === desk.chosen) ?? null;
}

export function showCallback() {
  const found = chosen();
  place("callback").hidden = found === null;
  if (!found) return;
  const open = found.state === "waiting" || found.state === "taken";
  const mine = found.state === "taken" && found.agent === desk.name;
  place("phone").textContent = found.phone;
  place("phone").setAttribute("href", `tel:${found.phone.replace(/[^0-9+]/g, "")}`);
  write("when", found.slot ? `Wants to be called at ${clock(found.slot)}` : "Wants to be called as soon as possible");
  place("take").hidden = !open || mine;
  place("outcome").hidden = !mine;
  place("move").hidden = !open;
  place("said").hidden = open || !found.note;
  write("said", found.note ? `Note: ${found.note}` : "");
  if (slotsOf !== found.id) {
    slotsOf = found.id;
    place("note").value = found.note ?? "";
    loadSlots().catch(() => place("slot").replaceChildren());
  }
}

/** Slots are what the visitor's widget is offered, too. */
async function loadSlots() {
  const response = await fetch("/media/callback/slots", { cache: "no-store", credentials: "omit" });
  const { slots } = await response.json();
  const free = slots.filter((/** @type {any} */ one) => one.free > 0);
  place("slot").replaceChildren(
    make("option", { value: "" }, "As soon as possible"),
    ...free.map((/** @type {any} */ one) => make("option", { value: one.start }, clock(one.start))),
  );
}

/**
 * @param {(action: string, body: object) => Promise<boolean>} act does it and shows what came of it
 */
export function beginCallbacks(act) {
  place("take").addEventListener("click", async () => {
    if (await act("take", {})) place("note").focus();
  });
  for (const outcome of ["done", "failed", "cancelled"]) {
    place(outcome).addEventListener("click", () => act("finish", { outcome, note: place("note").value.trim() }));
  }
  place("move").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    act("reschedule", { slot: place("slot").value });
  });
}

/** @param {string} action @param {object} body */
export function callbackCall(action, body) {
  const id = encodeURIComponent(String(desk.chosen));
  return call(`callbacks/${id}/${action}`, { body: { agent: desk.name, ...body } });
}
