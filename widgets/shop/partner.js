/** A third party's chat, as far as a demo needs one: it answers by itself and tells nobody. */

const ANSWERS = [
  'Parcels that are handed over before six arrive tomorrow.',
  'A return is free within thirty days; the label is in the parcel.',
  'I am only a stand-in, and this is all I know.',
];

const log = /** @type {HTMLElement} */ (document.getElementById('log'));
const text = /** @type {HTMLInputElement} */ (document.getElementById('text'));
/** What was said in this tab: opened again on the next page, the window goes on with it.
 * @type {[string, string][]} */
let lines = [];

/** @param {string} who @param {string} words */
function show(who, words) {
  const line = document.createElement('p');
  line.className = who === 'You' ? 'mine' : 'theirs';
  const name = document.createElement('b');
  name.textContent = `${who}: `;
  line.append(name, words);
  log.append(line);
  log.scrollTop = log.scrollHeight;
}

/** @param {string} who @param {string} words */
function say(who, words) {
  show(who, words);
  lines.push([who, words]);
  try { sessionStorage.setItem('partner', JSON.stringify(lines)); } catch { /* it forgets */ }
}

document.getElementById('form')?.addEventListener('submit', (event) => {
  event.preventDefault();
  say('You', text.value);
  text.value = '';
  const said = lines.filter(([who]) => who === 'You').length;
  say('Swift Parcels', ANSWERS[Math.min(said, ANSWERS.length) - 1]);
});
try { lines = JSON.parse(sessionStorage.getItem('partner') ?? '[]'); } catch { /* it forgot */ }
for (const [who, words] of lines) show(who, words);
if (!lines.length) say('Swift Parcels', 'Hello! What would you like to know about your delivery?');
text.focus();
