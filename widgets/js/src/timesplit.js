// "Where does a round go?": one bar of seconds, training first, with the numbers below it.

import { html, nothing, svg } from "lit-html";
import { fixed } from "./words.js";

/** @import { Store } from "./store.js" */

const HATCH = "hatch"; // drawn by a pattern
const PARTS = [
  ["compute", "compute", "var(--work)"],
  ["compress", "compress", "var(--ink2)"],
  ["store", "store", "var(--mark)"],
  ["wait", "wait for the slowest", HATCH],
  ["chain", "chain", "var(--ink)"],
];

/**
 * `id` names the pattern, once in the page: another dashboard may be hidden, and what is hidden paints nothing.
 *
 * @param {Store} store
 * @param {number} round
 * @param {number} width
 * @param {string} id
 */
export function timeSplit(store, round, width, id) {
  const parts = PARTS.map(([field, name, fill]) => ({
    name,
    fill: fill === HATCH ? `url(#${id})` : fill,
    seconds: store.latestOf(round, field) || 0,
  }));
  const total = parts.reduce((sum, p) => sum + p.seconds, 0);
  if (total <= 0) return { sentence: "Nothing measured yet", drawn: nothing };
  let x = 0;
  const bars = parts.map((p) => {
    const w = (p.seconds / total) * width;
    const rect = svg`<rect x=${x.toFixed(1)} width=${Math.max(0, w - 1.5).toFixed(1)} height="8" fill=${p.fill}/>`;
    x += w;
    return rect;
  });
  const hatch = svg`<defs><pattern id=${id} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
    <rect width="5" height="5" fill="var(--fill)"/>
    <path d="M0 0V5" stroke="var(--ink2)" stroke-width="1.6"/></pattern></defs>`;
  const key = parts.map(
    (p) =>
      html`<span><svg width="9" height="9" aria-hidden="true"><rect width="9" height="9"
        fill=${p.fill}/></svg>${p.name} <b>${fixed(p.seconds)} s</b></span>`,
  );
  const share = Math.round((parts[0].seconds / total) * 100);
  return {
    sentence: `Round ${round} took ${fixed(total)} s, ${share} % of it ${store.trains ? "training" : "answering"}`,
    drawn: html`<svg width=${width} height="8" role="img"
      aria-label="Time split of round ${round}">${hatch}${bars}</svg><div class="legend">${key}</div>`,
  };
}
