// The password of a key that is locked: typed here, sent once, and gone from the page the moment it is sent.
// The element is not a form, so that no browser offers to keep what is typed in it.

import { html, nothing } from "lit-html";

/** @import { Asks, Model } from "./types.js" */

/**
 * @param {Model} model
 * @param {string} id of the question
 * @param {HTMLInputElement | null} field
 * @param {boolean} leave whether the person would rather not
 */
function answer(model, id, field, leave) {
  if (!field || (!leave && !field.value)) return;
  model.send({ k: "password", id, text: leave ? "" : field.value });
  field.value = "";
}

/** @param {Event} event @returns {HTMLInputElement | null} */
const fieldOf = (event) =>
  /** @type {HTMLElement} */ (event.currentTarget).closest(".secret")?.querySelector("input") ?? null;

/**
 * @param {Asks | null | undefined} asks what the kernel wants to open; nothing is drawn without it
 * @param {Model} model
 * @param {boolean} alive
 */
export function secretField(asks, model, alive) {
  if (!asks) return nothing;
  if (asks.busy)
    return html`<div class="secret"><p class="note" role="status">Opening ${asks.key}, a few seconds</p></div>`;
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (event.key === "Enter" && alive) answer(model, asks.id, fieldOf(event), false);
  };
  return html`<div class="secret">
    <label>Password of ${asks.key}<input type="password" class="field" autocomplete="off" spellcheck="false"
      aria-invalid=${asks.note ? "true" : "false"} ?disabled=${!alive} @keydown=${key}></label>
    <p class="note ${asks.note ? "bad" : ""}" role="status">${asks.note || "It goes to the kernel's memory and is kept nowhere"}</p>
    <div class="actions">
      <button type="button" class="leave" ?disabled=${!alive}
        @click=${(/** @type {Event} */ event) => answer(model, asks.id, fieldOf(event), true)}>Leave it locked</button>
      <button type="button" class="unlock" ?disabled=${!alive}
        @click=${(/** @type {Event} */ event) => answer(model, asks.id, fieldOf(event), false)}>Unlock</button>
    </div>
  </div>`;
}
