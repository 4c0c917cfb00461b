// "Who gets paid?" and "How does work become pay?": the leaderboard and the flow strip, as templates.

import { html, svg } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { explained } from "./glossary.js";
import { FLAGGED, GONE, glyph, NOT_JUDGED, verdictOf, verdictWord } from "./verdict.js";
import { bytes, fixed, percent } from "./words.js";

/** @import { TemplateResult } from "lit-html" */
/** @import { Store } from "./store.js" */
/** @import { Terms } from "./terms.js" */
/** @import { Standing } from "./types.js" */

/** @typedef {{ removed: number, incentive: number, pay: number, tempos: number }} Scale the most of each column */

const FOLD_ABOVE = 12;

/**
 * What is known of every miner at a round.
 *
 * @param {Store} store
 * @param {number} round
 * @param {Record<string, string>} reasons
 * @returns {Standing[]}
 */
export function standings(store, round, reasons) {
  return store.uids.map((uid, i) => {
    const code = verdictOf(store.at(round, "verdict", i));
    const pays = store.measured("pay", i, round);
    const uploads = store.measured("wire_bytes", i, round);
    return {
      i,
      uid,
      code,
      pays,
      sent: sum(uploads),
      paid: sum(pays),
      reason: reasons[uid],
      removed: store.latest(round, "loss_removed", i),
      worth: store.terms.shown(store.latest(round, "loss_removed", i)),
      rating: store.latest(round, "rating", i),
      weight: store.latest(round, "weight", i),
      incentive: store.latest(round, "incentive", i),
      consensus: store.latest(round, "consensus", i),
      bytes: store.latest(round, "wire_bytes", i),
      loss: store.latest(round, "loss", i),
      state: stateOf(store, round, i, code, uploads.length),
    };
  });
}

/** @param {number[]} values */
const sum = (values) => values.reduce((a, b) => a + b, 0);

/**
 * Whether a miner still takes part, as words: since when it is out, or how often it was not there.
 *
 * @param {Store} store
 * @param {number} round
 * @param {number} i
 * @param {number} code
 * @param {number} uploads
 */
function stateOf(store, round, i, code, uploads) {
  if (code === GONE || code === FLAGGED) {
    let since = round;
    while (since > 1 && store.at(since - 1, "verdict", i) === code) since -= 1;
    return `${code === GONE ? "gone" : "shut out"}, round ${since}`;
  }
  if (code === NOT_JUDGED) return "waiting";
  const here = round - before(store, round, i);
  const missed = here - uploads - 1; // the round that goes on has not heard from everybody yet
  return missed > 0 ? `missed ${missed} of ${here}` : "active";
}

/**
 * How many rounds were over when a miner joined; 0 for one that was there from the beginning.
 *
 * @param {Store} store
 * @param {number} round
 * @param {number} i
 */
function before(store, round, i) {
  let absent = 0;
  while (absent < round && Number.isNaN(store.at(absent + 1, "verdict", i))) absent += 1;
  return absent;
}

const COUNTS = ["no miner", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** @param {Standing[]} rows */
export function boardSentence(rows) {
  const caught = rows.filter((r) => r.code === FLAGGED);
  if (!caught.length) return "No miner is refused: most rounds of each were accepted, or it was not judged yet";
  const many = caught.length > 1,
    unpaid = caught.every((r) => r.pays.length && !r.pays.at(-1)),
    pay = unpaid ? `, and ${many ? "their" : "its"} last pay was nothing` : "";
  return `From outside all miners look alike; validators refused most updates of ${COUNTS[caught.length] ?? caught.length}${pay}`;
}

/**
 * @param {Standing[]} rows
 * @param {number} focused
 * @param {Terms} terms
 */
export function board(rows, focused, terms) {
  const order = [...rows].sort((a, b) => b.paid - a.paid || Number(a.uid) - Number(b.uid));
  const scale = {
    removed: Math.max(1e-9, ...rows.map((r) => r.removed || 0)),
    incentive: Math.max(1e-9, ...rows.map((r) => r.incentive || 0)),
    pay: rows.reduce((most, r) => r.pays.reduce((a, b) => Math.max(a, b), most), 1e-9),
    tempos: Math.max(1, ...rows.map((r) => r.pays.length)),
  };
  /** @param {Standing} r */
  const row = (r) => boardRow(r, scale, focused);
  const removed = explained(terms.worth, terms.why);
  return html`<table><thead><tr><th>uid</th><th class="text">verdict</th><th>${removed}</th>
    <th class="wide-only">${explained("rating")}</th><th class="wide-only">${explained("weight")}</th>
      <th>${explained("incentive")}</th><th class="text spaced roomy-only">${explained("pay")} per tempo</th>
    <th>α paid ▾</th><th class="wide-only">MB sent</th><th class="text spaced">state</th></tr></thead>
      <tbody>${folded(order, focused, row)}</tbody></table>`;
}

/**
 * @param {Standing[]} order
 * @param {number} focused
 * @param {(r: Standing) => TemplateResult} row
 */
function folded(order, focused, row) {
  if (order.length <= FOLD_ABOVE) return rowsOf(order, row);
  const top = order.slice(0, 5);
  const tail = order.filter((r) => !top.includes(r) && (r.code === FLAGGED || r.code === GONE)).slice(0, 8);
  const mine = order.filter((r) => r.i === focused);
  const middle = order.filter((r) => !top.includes(r) && !tail.includes(r) && !mine.includes(r));
  const shown = mine.filter((r) => !top.includes(r) && !tail.includes(r));
  const fold = middle.length
    ? html`<tr class="fold"><td
      colspan="10">${middle.length} more miners,
      paid ${fixed(middle[middle.length - 1].paid)} to ${fixed(middle[0].paid)} α each</td></tr>`
    : "";
  return [rowsOf([...top, ...shown], row), fold, rowsOf(tail, row)];
}

/**
 * A miner keeps its row when the order changes, so that its reader keeps the focus.
 *
 * @param {Standing[]} rows
 * @param {(r: Standing) => TemplateResult} row
 */
const rowsOf = (rows, row) => repeat(rows, (r) => r.uid, row);

/**
 * @param {Standing} r
 * @param {Scale} scale
 * @param {number} focused
 */
function boardRow(r, scale, focused) {
  const bad = r.code === FLAGGED;
  /**
   * @param {string} text
   * @param {number} width
   */
  const number = (text, width) => html`<span class="number" style="min-width:${width}px">${text}</span>`;
  return html`<tr data-i=${r.i} tabindex="0" class="${r.i === focused ? "selected" : ""} ${bad ? "bad" : ""}">
    <td>${glyph(r.code)}${r.uid}</td>
    <td class="text">${judged(r)}</td><td>${bar(r.removed, scale.removed, bad)}${number(r.worth, 52)}</td>
    <td class="wide-only">${fixed(r.rating, 3)}</td><td class="wide-only">${percent(r.weight)}</td>
      <td>${bar(r.incentive, scale.incentive, false)}${number(percent(r.incentive), 44)}</td>
    <td class="text spaced roomy-only">${steps(r.pays, scale, bad)}</td><td><b>${fixed(r.paid)}</b></td>
      <td class="wide-only">${fixed(r.sent / 1e6)}</td><td class="text spaced">${r.state}</td></tr>`;
}

/** @param {Standing} r */
function judged(r) {
  const word = verdictWord(r.code);
  return r.reason && r.code >= FLAGGED ? explained(word, r.reason) : word;
}

/**
 * @param {number} value
 * @param {number} most
 * @param {boolean} bad
 */
function bar(value, most, bad) {
  const width = Math.max(0, Math.min(1, (value || 0) / most)) * 43;
  return html`<svg class="bar" width="44" height="10" aria-hidden="true"><path d="M.5 0V10" stroke="var(--edge)"/><rect
    x="1" y="1.5" width=${width.toFixed(1)} height="7" fill=${bad ? "var(--flag)" : "var(--work2)"}/></svg>`;
}

/**
 * Pay as a step line over a fill from zero: only then a collapse looks like a collapse.
 *
 * @param {number[]} pays
 * @param {Scale} scale
 * @param {boolean} bad
 */
function steps(pays, scale, bad) {
  const w = 104,
    h = 22,
    k = w / scale.tempos,
    together = Math.ceil(scale.tempos / w);
  let d = `M0 ${h}`;
  for (let i = 0; i < pays.length; i += together) {
    // more steps than pixels would only be slow
    const some = pays.slice(i, i + together),
      v = some.reduce((a, b) => a + b) / some.length;
    d += `V${(h - 1 - (v / scale.pay) * (h - 3)).toFixed(1)}H${(Math.min(pays.length, i + together) * k).toFixed(1)}`;
  }
  const colour = bad ? "flag" : "work";
  const drawn = svg`<path d="${d}V${h}Z" fill="var(--${colour}3)"/>
    <path d=${d.replace(/^M0 [\d.]+V/, "M0 ")} fill="none" stroke="var(--${colour})" stroke-width="1.4"/>`;
  return html`<svg width=${w} height=${h} aria-hidden="true"><path d="M0 ${h - 0.5}H${w}"
    stroke="var(--hair)"/>${pays.length ? drawn : ""}</svg>`;
}

/**
 * @param {Standing[]} rows
 * @param {number} focused
 * @param {number} innerSteps none of a run that trains nothing
 * @param {Terms} terms
 * @param {number} [tempo]
 */
export function flow(rows, focused, innerSteps, terms, tempo) {
  const heads = ["work", "score", "weight", "consensus", "incentive", "pay"];
  const strip = heads.map(
    (head, i) =>
      html`<div class="stage">${explained(head, terms.means[head])}${i < 5 ? html`<i aria-hidden="true">→</i>` : ""}</div>`,
  );
  const caught = rows.find((r) => r.code === FLAGGED && r.i !== focused);
  /** @param {Standing} r */
  const line = (r) => {
    const c = r.code === FLAGGED ? "flagged" : "";
    const work =
      r.code === GONE
        ? "nothing sent"
        : Number.isNaN(r.bytes)
          ? "–"
          : `${innerSteps ? `${innerSteps} steps, ` : ""}${bytes(r.bytes)}`;
    const cells = [work, r.worth, percent(r.weight), percent(r.consensus), percent(r.incentive)];
    return html`<div class="${c} strong">${glyph(r.code)}uid ${r.uid}</div>${cells.map(
      (cell) => html`<div
      class=${c}>${cell}</div>`,
    )}<div class="${c} strong">${fixed(r.pays.at(-1) ?? NaN, 3)} α</div>`;
  };
  return html`<div class="flow"><div></div><div class="who">the miner</div><div class="who"
    style="grid-column:3/5">each validator</div><div class="who"
    style="grid-column:5/8">the chain, every ${tempo ? `${tempo} blocks` : "tempo"}</div>
    <div></div>${strip}${line(rows[focused])}${caught ? line(caught) : ""}</div>`;
}
