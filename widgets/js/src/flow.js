// From stake to pay in one picture: each validator's stake as a block, bands to the miners, what was cut hatched away.

import { html, svg } from "lit-html";
import { fixed, percent } from "./words.js";

/** @import { YumaState } from "./types.js" */

const HIGH = 230; // at least
const EACH = 17; // pixels of one seat, at least, so that its words fit
const GAP = 10;
const MANY = 12; // more seats than this stand below each other at their words' distance
const LEFT = 150;
const RIGHT = 560;
const NODE = 12;
const WIDE = 900;
const PAY = 130; // the longest bar of pay

/**
 * @typedef {object} Band
 * @property {number} v
 * @property {number} m
 * @property {number} from
 * @property {number} to
 * @property {number} thick
 */

/**
 * Where blocks and bands lie, in pixels; heights are shares of all stake, so both sides have one scale.
 *
 * @param {YumaState} state
 */
export function layout({ flow }) {
  const most = Math.max(flow.stake.length, flow.paid.length, 1);
  const scale = HIGH - GAP * (Math.min(most, MANY) - 1);
  const left = column(flow.stake.map((share) => share * scale));
  const right = column(flow.paid.map((_, m) => flow.counted.reduce((sum, row) => sum + row[m], 0) * scale));
  const reached = right.map((node) => node.y);
  /** @type {Band[]} */
  const bands = [];
  flow.counted.forEach((row, v) => {
    let from = left[v].y;
    row.forEach((share, m) => {
      const thick = share * scale;
      if (thick > 0.2) bands.push({ v, m, from, to: reached[m], thick });
      from += thick;
      reached[m] += thick;
    });
  });
  const cut = flow.cut.map((row, v) => {
    const high = row.reduce((sum, share) => sum + share, 0) * scale;
    return { y: left[v].y + left[v].high - high, high };
  });
  const high = Math.max(HIGH, ...[left, right].map((nodes) => (nodes.at(-1)?.y ?? 0) + (nodes.at(-1)?.high ?? 0)));
  return { left, right, bands, cut, high };
}

/**
 * Blocks below each other, far enough apart for a line of words each.
 *
 * @param {number[]} heights
 */
function column(heights) {
  let y = 0;
  return heights.map((high) => {
    const at = y;
    y += Math.max(high + GAP, EACH);
    return { y: at, high };
  });
}

/**
 * The seats' numbers, and how many others are together in the last block.
 *
 * @param {number[]} uids
 * @param {number} others
 */
const named = (uids, others) => [...uids, ...(others ? [`${others} other${others > 1 ? "s" : ""}`] : [])];

/**
 * @param {YumaState} state
 * @param {number | null} row the validator whose bands are strong
 */
export function flowPicture(state, row) {
  const { flow } = state;
  if (!state.validators.length) return html``;
  const validators = named(state.validators, state.hidden[0]);
  const miners = named(state.miners, state.hidden[1]);
  const { left, right, bands, cut, high } = layout(state);
  const most = Math.max(1e-9, ...flow.paid.slice(0, state.miners.length)); // what others got together has no bar
  const bar = (/** @type {number} */ m) => (m < state.miners.length ? (flow.paid[m] / most) * PAY : 0);
  const label = miners.map((uid, m) => `uid ${uid} ${percent(flow.incentive[m])}, ${fixed(flow.paid[m], 3)} alpha`);
  const said = `From stake to pay: ${label.join("; ")}`;
  return html`<svg class="flow" viewBox="0 -26 ${WIDE} ${high + 34}" width="100%" role="img" aria-label=${said}>
    <text x=${LEFT} y="-14" text-anchor="end">stake</text><text x=${(LEFT + RIGHT) / 2} y="-14"
      text-anchor="middle">weight that counted</text>
    <text x=${RIGHT + NODE} y="-14">incentive</text><text x=${RIGHT + 140} y="-14">paid by this epoch</text>
    ${bands.map((band) => svg`<path class="band ${row === band.v ? "strong" : ""}" d=${curve(band)}/>`)}
    ${left.map(
      (node, v) => svg`<rect class="block" x=${LEFT} y=${node.y} width=${NODE} height=${node.high}/>
        <rect class="cut" x=${LEFT} y=${cut[v].y} width=${NODE} height=${cut[v].high}/>
        <text x=${LEFT - 8} y=${node.y + node.high / 2 + 4} text-anchor="end">${validators[v]}
          \u2002${percent(flow.stake[v])}</text>`,
    )}
    ${right.map(
      (node, m) => svg`<rect class="block" x=${RIGHT} y=${node.y} width=${NODE} height=${node.high}/>
        <text x=${RIGHT + NODE + 8} y=${node.y + node.high / 2 + 4}>${miners[m]}
          \u2002${percent(flow.incentive[m])}</text>
        <rect class="pay" x=${RIGHT + 140} y=${node.y + node.high / 2 - 4}
          width=${bar(m)} height="8"/>
        <text x=${RIGHT + 146 + bar(m)}
          y=${node.y + node.high / 2 + 4}>${fixed(flow.paid[m], 3)} α</text>`,
    )}</svg>`;
}

/** @param {Band} band */
function curve({ from, to, thick }) {
  const x0 = LEFT + NODE;
  const half = (x0 + RIGHT) / 2;
  const top = `M${x0} ${from}C${half} ${from} ${half} ${to} ${RIGHT} ${to}`;
  return `${top}v${thick}C${half} ${to + thick} ${half} ${from + thick} ${x0} ${from + thick}Z`;
}
