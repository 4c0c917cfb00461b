// What validators think of a miner, as a code in the stream, a shape, a colour and a word.

import { html, svg } from "lit-html";

export const NOT_JUDGED = 0,
  WORKS = 1,
  FLAGGED = 2,
  GONE = 3,
  MISSED = 4;

/** @param {number} code */
export const verdictOf = (code) => (Number.isNaN(code) ? NOT_JUDGED : code);

/** @type {Record<number, string>} */
const WORDS = {
  [NOT_JUDGED]: "not judged yet",
  [WORKS]: "works",
  [FLAGGED]: "refused",
  [GONE]: "gone",
  [MISSED]: "missed",
};

/** @param {number} code */
export const verdictWord = (code) => WORDS[code];

/**
 * The word, and behind it the validators' own reason where there is one.
 *
 * @param {number} code
 * @param {string} [reason]
 */
export const verdictWithReason = (code, reason) =>
  reason && code >= FLAGGED ? `${WORDS[code]}: ${reason}` : WORDS[code];

/** @param {number} code */
export const glyph = (code) => {
  const shape = {
    [NOT_JUDGED]: svg`<circle cx="5" cy="5" r="3.6" fill="none" stroke="var(--ink2)"
      stroke-width="1.4" stroke-dasharray="2 1.6"/>`,
    [MISSED]: svg`<circle cx="5" cy="5" r="3.6" fill="none" stroke="var(--ink2)" stroke-width="1.4"/>`,
    [WORKS]: svg`<circle cx="5" cy="5" r="4" fill="var(--work)"/>`,
    [FLAGGED]: svg`<path d="M5 0 10 5 5 10 0 5Z" fill="var(--flag)"/>`,
    [GONE]: svg`<path d="M1.5 1.5 8.5 8.5M8.5 1.5 1.5 8.5" stroke="var(--ink2)" stroke-width="1.5"/>`,
  }[code];
  return html`<svg class="glyph" width="10" height="10" role="img" aria-label=${verdictWord(code)}>${shape}</svg>`;
};
