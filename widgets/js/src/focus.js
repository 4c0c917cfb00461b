// "One against all": the focused miner against the band of those that work, their median, and one flagged miner.

import { html, svg } from "lit-html";
import { quantile } from "./store.js";
import { FLAGGED, NOT_JUDGED, verdictOf, WORKS } from "./verdict.js";

/** @import { Store } from "./store.js" */

/**
 * Values by drawn round: the tenth and the ninetieth percentile of those that work, their median, and two miners.
 *
 * @typedef {{ high: number[], low: number[], middle: number[], mine: number[], bad: number[] | null }} Series
 */

const WIDTH = 264,
  HEIGHT = 150,
  LABELS = 58,
  FOOT = 18,
  POINTS = 120;

/**
 * @param {Store} store
 * @param {number} round
 * @param {number} focused
 */
export function focusPanel(store, round, focused) {
  if (round < 1) return "";
  const stride = Math.max(1, Math.ceil(round / POINTS));
  const rounds = Array.from({ length: Math.ceil(round / stride) }, (_, i) => Math.min(round, (i + 1) * stride));
  const codes = store.uids.map((_, i) => verdictOf(store.at(round, "verdict", i)));
  const working = store.uids.map((_, i) => i).filter((i) => codes[i] === WORKS || codes[i] === NOT_JUDGED);
  const flagged = codes.findIndex((code, i) => code === FLAGGED && i !== focused);
  /** @param {number} miner */
  const of = (miner) => rounds.map((r) => store.at(r, "loss_removed", miner));
  const band = rounds.map((r) => working.map((i) => store.at(r, "loss_removed", i)));
  const series = {
    high: band.map((v) => quantile(v, 0.9)),
    low: band.map((v) => quantile(v, 0.1)),
    middle: band.map((v) => quantile(v, 0.5)),
    mine: of(focused),
    bad: flagged < 0 ? null : of(flagged),
  };
  return picture(store, series, rounds, focused, flagged);
}

/**
 * @param {Store} store
 * @param {Series} series
 * @param {number[]} rounds
 * @param {number} focused
 * @param {number} flagged
 */
function picture(store, series, rounds, focused, flagged) {
  const top = Math.max(1e-6, ...series.high.filter(Number.isFinite), ...series.mine.filter(Number.isFinite));
  /** @param {number} i */
  const x = (i) => (i / Math.max(1, rounds.length - 1)) * (WIDTH - LABELS);
  /** @param {number} v */
  const y = (v) => HEIGHT - FOOT - 6 - (Math.max(v, -0.06 * top) / top) * (HEIGHT - FOOT - 10);
  /** @param {number[]} values */
  const line = (values) => path(values, x, y);
  const labels = endLabels(store, series, focused, flagged, y);
  const right = x(rounds.length - 1) + 8;
  return html`<svg width=${WIDTH} height=${HEIGHT} role="img"
    aria-label="${store.terms.worth} of uid ${store.uids[focused]} against the fleet">
    <path d="M0 ${y(0)}H${WIDTH - LABELS}" stroke="var(--edge)"/>
    <path d=${area(series.high, series.low, x, y)} fill="var(--band)"/>
    <path d=${line(series.middle)} fill="none" stroke="var(--ink2)" stroke-dasharray="6 4"/>
    ${series.bad ? svg`<path d=${line(series.bad)} fill="none" stroke="var(--flag)" stroke-width="1.8"/>` : ""}
    <path d=${line(series.mine)} fill="none" stroke="var(--work)" stroke-width="2.2"/>
    ${labels.map(
      (l) => svg`<text x=${right} y=${l.y + 4}
      style="fill:${l.colour};font-weight:${l.bold ? 600 : 400}">${l.name}</text>`,
    )}
    <text x="0" y=${HEIGHT - 2}>round ${rounds[0]}</text>
    <text x=${WIDTH - LABELS} y=${HEIGHT - 2} text-anchor="end">${rounds.at(-1)}</text></svg>`;
}

/**
 * @param {Store} store
 * @param {Series} series
 * @param {number} focused
 * @param {number} flagged
 * @param {(v: number) => number} y
 */
function endLabels(store, series, focused, flagged, y) {
  /** @param {number[]} values */
  const last = (values) => values.findLast(Number.isFinite) ?? 0;
  const labels = [
    { y: y(last(series.mine)), name: `uid ${store.uids[focused]}`, colour: "var(--work)", bold: true },
    { y: y(last(series.middle)), name: "median", colour: "var(--ink2)" },
  ];
  if (series.bad)
    labels.push({ y: y(last(series.bad)), name: `uid ${store.uids[flagged]} ◆`, colour: "var(--flagink)" });
  labels.sort((a, b) => a.y - b.y);
  const lowest = labels[labels.length - 1];
  lowest.y = Math.min(lowest.y, y(0) + 5);
  for (let i = labels.length - 2; i >= 0; i--) labels[i].y = Math.min(labels[i].y, labels[i + 1].y - 14);
  const over = Math.max(0, 6 - labels[0].y); // lines at the top have their labels below it
  for (const label of labels) label.y += over;
  return labels;
}

/**
 * @param {number[]} values
 * @param {(i: number) => number} x
 * @param {(v: number) => number} y
 */
function path(values, x, y) {
  let out = "",
    pen = false;
  values.forEach((v, i) => {
    if (!Number.isFinite(v)) {
      pen = false;
      return;
    }
    out += `${pen ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
    pen = true;
  });
  return out;
}

/**
 * @param {number[]} high
 * @param {number[]} low
 * @param {(i: number) => number} x
 * @param {(v: number) => number} y
 */
function area(high, low, x, y) {
  const ok = high.map((v, i) => [i, v, low[i]]).filter(([, h, l]) => Number.isFinite(h) && Number.isFinite(l));
  if (!ok.length) return "";
  const up = ok.map(([i, h]) => `${x(i).toFixed(1)} ${y(h).toFixed(1)}`);
  const down = ok.reverse().map(([i, , l]) => `${x(i).toFixed(1)} ${y(l).toFixed(1)}`);
  return `M${up.join("L")}L${down.join("L")}Z`;
}
