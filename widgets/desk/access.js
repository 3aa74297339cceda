// @ts-check
/** The dialog that asks for the server's API token; pages that need one have it in their markup. */
import { keepToken } from "./api.js";
import { place } from "./elements.js";

/** @type {Promise<void> | null} */
let asking = null;

/** Asks, and is done when something was given; asked twice, it is one dialog. @returns {Promise<void>} */
export function askForToken() {
  asking ??= new Promise((given) => {
    const dialog = place("access");
    dialog.addEventListener(
      "close",
      () => {
        keepToken(place("token").value.trim());
        place("token").value = "";
        asking = null;
        given();
      },
      { once: true },
    );
    dialog.showModal();
  });
  return asking;
}
