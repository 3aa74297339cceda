// @ts-check
/**
 * The dialogs of GMS on the page: a sentence, a number to dial, a menu, and the questions that a
 * scenario needs answered before it starts. Everything from the network is put there as text.
 */

import { word } from './window-words.js';

/** @typedef {import('./gms.js').Dialog} Dialog @typedef {import('./gms.js').Choice} Choice */

const place = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const field = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (place(id));

const NUMBER = /^\+?[0-9][0-9 ()./-]{3,28}$/;

/**
 * What a scenario still has to ask; undefined when it can start.
 * @param {string} scenario @param {Record<string, unknown>} params
 * @returns {{number: boolean, time: boolean} | undefined}
 */
export function lacking(scenario, params) {
  const called = scenario.endsWith('USERTERM') || scenario === 'REQUEST-INTERACTION';
  const number = called && !(params._customer_number || params._phone_number);
  const time = scenario === 'VOICE-SCHEDULED-USERTERM' && !params._desired_time;
  return number || time ? { number: called, time } : undefined;
}

/**
 * Asks what is lacking; the page goes on when the form is sent.
 * @param {{number: boolean, time: boolean}} what
 * @param {[string, number][]} times that are offered, with their free places
 */
export function ask(what, times) {
  const form = place('settings');
  place('time').hidden = !what.time;
  if (what.time) offer(times.filter(([, free]) => free > 0).map(([moment]) => moment));
  form.hidden = false;
  field('contact_number').focus();
}

/** @param {string[]} moments in ISO 8601 */
function offer(moments) {
  const select = /** @type {HTMLSelectElement} */ (/** @type {unknown} */ (place('available_time_slots')));
  const words = new Intl.DateTimeFormat(document.documentElement.lang, {
    weekday: 'long', day: 'numeric', month: 'long', hour: 'numeric', minute: '2-digit',
  });
  select.replaceChildren(...moments.map((moment) => new Option(words.format(new Date(moment)), moment)));
  if (!moments.length) complain(word('No time is free at present. Please try again later.'));
}

/** Whether the form can be sent; what is wrong is said beside the field. @returns {boolean} */
export function isAnswered() {
  const number = field('contact_number');
  const good = NUMBER.test(number.value.trim());
  number.setAttribute('aria-invalid', String(!good));
  if (!good) {
    complain(word('Please write your telephone number like +49 30 123456.'));
    number.focus();
  }
  return good && (place('time').hidden || field('available_time_slots').value !== '');
}

/** @param {string} sentence */
export function complain(sentence) {
  place('lacking').textContent = sentence;
}

/**
 * Shows a dialog in place of the form.
 * @param {Dialog} dialog
 * @param {{choose: (choice: Choice) => void, cancel?: () => void}} on
 */
export function show(dialog, on) {
  place('settings').hidden = true;
  const box = place('dialog');
  box.replaceChildren(...parts(dialog, on));
  box.hidden = false;
  box.focus();
}

/** Takes the dialog and the form away: a conversation begins. */
export function clear() {
  place('settings').hidden = true;
  place('dialog').hidden = true;
  complain('');
}

/** @param {Dialog} dialog @param {{choose: (choice: Choice) => void, cancel?: () => void}} on */
function parts(dialog, on) {
  /** @type {HTMLElement[]} */
  const found = [];
  const words = dialog._text ?? dialog._label;
  if (words) found.push(text('p', words));
  const number = dialog._access_number ?? dialog._tel_url?.replace(/^tel:/, '');
  if (number) {
    if (!words) found.push(text('p', word('We are ready to take your call.')));
    found.push(dial(number));
  }
  if (dialog._expiration_time) found.push(text('p', word('Please call before {time}.', { time: until(dialog._expiration_time) })));
  for (const group of dialog._content ?? []) {
    found.push(text('h2', group._group_name));
    for (const choice of group._group_content) {
      found.push(press(choice._label, () => on.choose(choice)));
    }
  }
  if (on.cancel) found.push(press(word('Do not call me'), on.cancel, 'plain'));
  return found;
}

/** @param {string} number */
function dial(number) {
  const link = /** @type {HTMLAnchorElement} */ (text('a', number));
  link.className = 'dial';
  link.href = `tel:${number.replace(/[^+0-9*#,;]/g, '')}`;
  return link;
}

/** @param {string} moment */
function until(moment) {
  const found = new Date(moment);
  if (Number.isNaN(found.getTime())) return moment;
  return found.toLocaleTimeString(document.documentElement.lang, { hour: 'numeric', minute: '2-digit' });
}

/** @param {string} tag @param {string} words */
function text(tag, words) {
  const element = document.createElement(tag);
  element.textContent = words;
  return element;
}

/** @param {string} words @param {() => void} then @param {string} [look] */
function press(words, then, look = '') {
  const button = /** @type {HTMLButtonElement} */ (text('button', words));
  button.type = 'button';
  button.className = look;
  button.addEventListener('click', then);
  return button;
}
