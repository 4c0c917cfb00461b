// What the views that follow a chain have in common: the state of the connection, and counts in words.

import { html, nothing } from "lit-html";

/**
 * The mark at the head of a view that follows a chain; nothing while all is well.
 *
 * @param {{ alive: boolean, state: string, reason: string }} view
 * @param {boolean} begun whether anything was read yet
 */
export function mark({ alive, state, reason }, begun) {
  const half = html`<span class="dot half"></span>`;
  if (!alive) return html`<span>${half}<b>kernel gone</b></span><span>as of this block; run the cell again</span>`;
  if (state === "gone") {
    return html`<span title=${reason}><span class="dot hollow"></span><b>node gone</b></span>
      <span>this is the last that was seen</span>`;
  }
  if (state === "reconnecting") return html`<span>${half}<b>reconnecting</b></span>`;
  return begun ? nothing : html`<span>${half}<b>starting</b></span><span>reading the chain</span>`;
}

/**
 * @param {number} n
 * @param {string} word
 */
export const counted = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
