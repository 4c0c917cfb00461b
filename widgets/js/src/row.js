// One row of the metagraph: a key, what it is used for, the stake behind it, and what it was paid.

import { html, nothing, svg } from "lit-html";
import { EPOCHS } from "./rows.js";
import { fixed, percent } from "./words.js";

/** @import { MetagraphRow } from "./types.js" */
/** @import { MetagraphRows, Scale } from "./rows.js" */

const BAR_PX = 60;
const SPARK_PX = 104;
const SPARK_HIGH = 20;
const UNPAID = "Paid nothing in the last two tempos, while others were";

/**
 * @param {MetagraphRows} rows
 * @param {MetagraphRow} row
 * @param {Scale} scale
 * @param {number} place
 */
export function rowOf(rows, row, scale, place) {
  const validator = row.role === "validator";
  const bad = row.unpaid;
  const quiet = html`<span class="muted">–</span>`;
  const key = `${row.hotkey.slice(0, 4)}…${row.hotkey.slice(-4)}`;
  const incentive = html`${bar(row.incentive, scale.incentive, bad ? "flag" : "pay")}${number(percent(row.incentive))}`;
  return html`<tr class=${bad ? "bad" : ""} aria-rowindex=${place + 2}>
    <td>${glyph(row)}${row.uid}</td><td class="text key" title=${row.hotkey}>${key}</td>
    <td class="text" title=${bad ? UNPAID : nothing}>${row.role}</td>
    <td>${bar(row.stake, scale.stake, "stake")}${number(fixed(row.stake, 1))}</td>
    <td>${validator ? fixed(row.vtrust, 3) : quiet}</td><td>${validator ? quiet : incentive}</td>
    <td>${validator ? percent(row.dividends) : quiet}</td>
    <td class="text spaced">${spark(rows.history(row), scale.paid, bad)}</td>
    <td>${fixed(row.pay, 3)}</td><td>${Math.max(0, rows.block - row.wrote)}</td></tr>`;
}

/** @param {string} text */
const number = (text) => html`<span class="number" style="min-width:44px">${text}</span>`;

/** @param {MetagraphRow} row */
function glyph(row) {
  return html`<svg class="glyph" width="10" height="10" aria-hidden="true">${shapeOf(row)}</svg>`;
}

/** @param {MetagraphRow} row */
function shapeOf(row) {
  if (row.role === "validator") return svg`<rect x="1" y="1" width="8" height="8" class="validator"/>`;
  if (row.unpaid) return svg`<path d="M5 0 10 5 5 10 0 5Z" class="unpaid"/>`;
  if (row.incentive > 0) return svg`<circle cx="5" cy="5" r="4" class="earning"/>`;
  return svg`<circle cx="5" cy="5" r="3.6" class="waiting"/>`;
}

/**
 * @param {number} value
 * @param {number} most
 * @param {"stake" | "pay" | "flag"} look
 */
function bar(value, most, look) {
  const wide = most > 0 ? Math.max(0, (value / most) * (BAR_PX - 1)) : 0;
  return html`<svg class="bar ${look}" width=${BAR_PX} height="10" aria-hidden="true">
    <path d="M.5 0V10"/><rect x="1" y="1.5" width=${wide.toFixed(1)} height="7"/></svg>`;
}

/**
 * A step line over a fill from zero, one scale for all rows; an epoch before the key took its seat stays empty.
 *
 * @param {(number | null)[]} paid
 * @param {number} most
 * @param {boolean} bad
 */
function spark(paid, most, bad) {
  const step = SPARK_PX / EPOCHS;
  const first = EPOCHS - paid.length;
  const floor = SPARK_HIGH - 1;
  let line = "";
  let start = 0;
  paid.forEach((value, i) => {
    if (value === null) return;
    const x = (first + i) * step;
    const y = most > 0 ? floor - (value / most) * (SPARK_HIGH - 3) : floor;
    if (!line) start = x;
    line += line ? `V${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}`;
    line += `H${(x + step).toFixed(1)}`;
  });
  const known = paid.filter((value) => value !== null);
  const ends = `from ${fixed(known[0] ?? 0, 3)} to ${fixed(known.at(-1) ?? 0, 3)} alpha`;
  const said = known.length ? `${known.length} tempos, ${ends}` : "not paid yet";
  const area = `${line}V${SPARK_HIGH}H${start.toFixed(1)}Z`;
  return html`<svg class="spark ${bad ? "flag" : ""}" width=${SPARK_PX} height=${SPARK_HIGH} role="img"
    aria-label=${said}>
    <path class="zero" d="M0 ${SPARK_HIGH - 0.5}H${SPARK_PX}"/>
    ${line ? svg`<path class="area" d=${area}/><path class="line" d=${line}/>` : nothing}</svg>`;
}
