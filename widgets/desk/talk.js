// @ts-check
/** The conversation that is open: its bar, its transcript, the answer, handing it over. */
import { make, place, write } from "./elements.js";
import { desk, isAbandoned, isMine } from "./state.js";
import { clock, mediumWords } from "./words.js";

let shown = 0;

/** Another conversation comes on screen: what was being written waits for its own. @param {string | null} before */
export function changeTalk(before) {
  if (before) desk.drafts.set(before, place("text").value);
  shown = 0;
  place("transcript").replaceChildren();
  place("problem").hidden = true;
  place("text").value = (desk.chosen && desk.drafts.get(desk.chosen)) ?? "";
}

export function showTalk() {
  const chat = desk.details;
  place("welcome").hidden = chat !== null;
  for (const id of ["chat", "visitor"]) place(id).hidden = chat === null;
  if (!chat) return;
  const call = chat.medium === "callback";
  const mine = isMine(chat);
  const abandoned = isAbandoned(chat);
  write("name", chat.nickname);
  place("source").hidden = !chat.named_by_visit;
  write("state", stateWords(chat, mine, abandoned));
  const elsewhere = chat.elsewhere;
  place("accept").hidden = call || elsewhere || !(chat.state === "waiting" || abandoned);
  write("accept", abandoned ? "Take over" : "Accept");
  place("end").hidden = call || elsewhere || !(mine || abandoned || chat.state === "waiting");
  place("answer").hidden = call || !mine;
  place("transcript").hidden = call;
  place("elsewhere").hidden = !elsewhere;
  write("elsewhere", `${mediumWords(chat.medium)} carries this conversation: it is answered there.`);
  place("typing").hidden = !(chat.typing && chat.state === "active");
  write("typing", `${chat.nickname} is writing …`);
  showOthers(mine && !call);
  if (call) return;
  for (const line of chat.transcript) if (line.position > shown) showLine(line);
  if (document.hasFocus()) markSeen();
}

/** What is on screen of a window that has the focus is read. */
export function markSeen() {
  const chat = desk.details;
  if (chat && desk.chosen === chat.id) desk.seen.set(chat.id, chat.transcript.length);
}

/** @param {any} chat @param {boolean} mine @param {boolean} abandoned */
function stateWords(chat, mine, abandoned) {
  const what = chat.medium === "callback" ? "callback" : "chat";
  if (chat.state === "waiting") return `Waiting since ${clock(chat.created)}`;
  if (chat.state === "ended") return `Ended at ${clock(chat.ended)}`;
  if (mine) return what === "chat" ? "You are in this chat" : "You took this callback";
  return abandoned ? `${chat.agent} is away` : `${chat.agent} is in this ${what}`;
}

/** Who could take it: ready, with a free place. @param {boolean} mine */
function showOthers(mine) {
  const others = desk.agents.filter((one) => one.name !== desk.name && one.ready && one.chats < one.capacity);
  place("hand-over").hidden = !mine || !others.length;
  const names = others.map((one) => one.name);
  const select = place("to");
  const listed = [...select.options].map((option) => option.value);
  if (JSON.stringify(listed) === JSON.stringify(["", ...names])) return;
  const chosen = select.value;
  select.replaceChildren(make("option", { value: "" }, "Hand over to …"), ...names.map((name) => make("option", { value: name }, name)));
  select.value = names.includes(chosen) ? chosen : "";
}

/** @param {any} line */
function showLine(line) {
  shown = line.position;
  const box = place("transcript");
  const following = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  if (line.type === "Message.Text") {
    const about = `${line.nickname} · ${clock(line.time)}`;
    box.append(
      make("div", { class: `line ${line.party}` }, make("span", { class: "about" }, about), make("p", {}, line.text)),
    );
  } else {
    const verb = line.type === "Notice.Joined" ? "joined" : "left";
    const text = line.party === "system" ? "The visitor's window fell silent" : `${line.nickname} ${verb}`;
    box.append(make("p", { class: "notice" }, `${text} · ${clock(line.time)}`));
  }
  if (following || line.party === "agent") box.scrollTop = box.scrollHeight;
}
