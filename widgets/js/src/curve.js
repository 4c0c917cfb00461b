// "Does it learn?": held-out loss of the subnet against one miner alone and, where it was measured, DDP; or mean scores.
// uPlot draws the lines; the labels at their ends are HTML, so that they follow the theme and can be read aloud.

import { html, render } from "lit-html";
import uPlot from "uplot";
import { levelTexts, lossRange, roundTicks } from "./scale.js";
import { loss } from "./words.js";

/** @import { Store } from "./store.js" */
/** @import { Colours, Level } from "./types.js" */

const LINES = [
  { field: "alone", name: "one alone", token: "ink2", width: 1.4, dash: [6, 4] },
  { field: "ddp", name: "DDP", token: "ink2", width: 1.4, dash: [2, 3] },
  { field: "subnet", name: "the subnet", token: "work", width: 2.6, dash: [] },
];
const LABEL_ROOM = 148,
  HEIGHT = 286,
  LABEL_GAP = 31,
  LABEL_FOOT = 12, // from a label's middle to below its letters
  EARLY = 12; // rounds after which the axis is cropped to what matters

export class Curve {
  /**
   * @param {HTMLElement} root
   * @param {Colours} colours
   */
  constructor(root, colours) {
    this.root = root;
    this.holder = root.appendChild(document.createElement("div"));
    this.holder.className = "curve";
    this.holder.setAttribute("role", "img");
    this.labels = this.holder.appendChild(document.createElement("div"));
    this.labels.className = "curve-labels";
    this.colours = colours;
    this.plot = null;
    this.rounds = 0;
    this.shown = 0;
    /** @type {Level[]} baselines of more steps than the subnet's, by their ends */
    this.levels = [];
  }

  /**
   * @param {Colours} colours
   * @param {number} width
   * @param {number} rounds
   */
  build(colours, width, rounds) {
    this.colours = colours;
    this.rounds = rounds;
    this.plot?.destroy();
    const axis = {
      stroke: colours.ink2,
      font: "11px sans-serif",
      grid: { stroke: colours.grid, width: 1 },
      ticks: { show: false },
      gap: 4,
    };
    this.plot = new uPlot(
      {
        width,
        height: HEIGHT,
        padding: [6, LABEL_ROOM, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        pxAlign: false,
        hooks: {
          draw: [
            (plot) => {
              this.#levels(plot);
              this.#ends(plot);
              this.ends?.();
            },
          ],
        }, // scales are settled only when uPlot draws
        scales: {
          x: { time: false, range: () => [0, Math.max(this.rounds, 1)] },
          y: { range: (_, low, high) => this.#range(low, high) },
        },
        axes: [
          {
            ...axis,
            size: 24,
            grid: { show: false },
            splits: () => roundTicks(this.rounds),
            values: (_, at) => at.map((r) => r || "round"),
          },
          {
            ...axis,
            size: 40,
            space: 60,
            values: (_, at) => levelTexts(at),
          },
        ],
        series: [
          {},
          ...LINES.map((l) => ({
            stroke: colours[l.token],
            width: l.width,
            dash: l.dash,
            points: { show: false },
            spanGaps: true,
          })),
        ],
      },
      [[], ...LINES.map(() => [])],
      this.holder,
    );
  }

  // The loss axis is cropped to what matters and changes scale once, at round 12.
  /**
   * @param {number | null} low
   * @param {number | null} high
   * @returns {[number, number]}
   */
  #range(low, high) {
    if (low == null || high == null) return [0, 6];
    const lowest = Math.min(low, ...this.levels.map((l) => l.loss));
    const top = this.shown < EARLY ? high : Math.min(high, this.cropped ?? high);
    return lossRange(lowest, top);
  }

  /**
   * The end of each longer baseline, as a dotted line across the plot.
   *
   * @param {uPlot} plot
   */
  #levels(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = this.colours.ink2;
    ctx.lineWidth = 1.2 * (window.devicePixelRatio || 1);
    ctx.setLineDash([1, 5]);
    for (const level of this.levels) {
      const y = plot.valToPos(level.loss, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  /**
   * A dot at the subnet's newest loss.
   *
   * @param {uPlot} plot
   */
  #ends(plot) {
    if (!this.last) return;
    const { round, subnet } = this.last;
    const pixel = window.devicePixelRatio || 1,
      ctx = plot.ctx;
    /** @param {number} value */
    const at = (value) => plot.valToPos(value, "y", true),
      x = plot.valToPos(round, "x", true);
    ctx.fillStyle = this.colours.work;
    ctx.beginPath();
    ctx.arc(x, at(subnet), 3.6 * pixel, 0, 2 * Math.PI);
    ctx.fill();
  }

  /**
   * @param {Store} store
   * @param {number} round
   * @param {Level[]} levels
   */
  draw(store, round, levels) {
    if (!this.plot) return;
    this.shown = round;
    this.levels = levels;
    this.cropped = store.trains ? cropOf(store, round) : undefined; // scores rise: the end is what matters
    const closed = store.lastWith(round, "subnet"); // the others may be a round ahead
    this.last = closed ? { round: closed, subnet: store.of(closed, "subnet") } : null;
    this.ends = () => this.#label(store, round);
    const { at, ys } = thinned(store, round);
    this.plot.setData([at, ...ys]);
  }

  /**
   * @param {Store} store
   * @param {number} round
   */
  #label(store, round) {
    const { plot } = this;
    if (!plot) return;
    const ends = [
      ...LINES.map((l) => ({
        field: l.field,
        name: l.field === "subnet" ? store.terms.line : l.name,
        y: 0,
        value: store.latestOf(round, l.field),
      })),
      ...this.levels.map((l) => ({ field: "level", name: l.name, y: 0, value: l.loss })),
    ].filter((l) => !Number.isNaN(l.value));
    const x = plot.valToPos(round, "x") + plot.over.offsetLeft + 20;
    for (const end of ends) end.y = plot.valToPos(end.value, "y") + plot.over.offsetTop;
    ends.sort((a, b) => a.y - b.y);
    for (let i = 1; i < ends.length; i++) ends[i].y = Math.max(ends[i].y, ends[i - 1].y + LABEL_GAP);
    // Below the plot the numbers of the rounds are written.
    const lowest = plot.over.offsetTop + plot.over.clientHeight - LABEL_FOOT;
    for (let i = 0; i < ends.length; i++) ends[i].y = Math.min(ends[i].y, lowest - LABEL_GAP * (ends.length - 1 - i));
    render(
      ends.map(
        (e) =>
          html`<div class=${e.field}
            style="left:${x}px;top:${e.y - 9}px"><b>${loss(e.value)}</b> ${e.name}</div>`,
      ),
      this.labels,
    );
    const losses = ends.map((e) => `${e.name} ${loss(e.value)}`).join(", ");
    const spoken = `${store.terms.measure} after round ${round}: ${losses || "nothing measured yet"}`;
    if (spoken !== this.holder.ariaLabel) this.holder.ariaLabel = spoken;
  }

  destroy() {
    this.plot?.destroy();
  }
}

/**
 * The top of the axis once a run is past its beginning: a quarter of what is left above the loss of one alone (or of
 * the subnet) after the first rounds.
 *
 * @param {Store} store
 * @param {number} round
 */
function cropOf(store, round) {
  const at = Math.min(EARLY, round);
  const then = Number.isNaN(store.of(at, "alone")) ? store.of(at, "subnet") : store.of(at, "alone");
  const now = store.latestOf(round, "subnet");
  return Number.isNaN(then) || Number.isNaN(now) ? undefined : Math.max(then, now) + Math.abs(then - now) / 4;
}

/**
 * At most 600 points a line: more than the pixels can show is only slow.
 *
 * @param {Store} store
 * @param {number} round
 */
function thinned(store, round) {
  const stride = Math.max(1, Math.ceil(round / 600));
  /** @type {number[]} */
  const at = [];
  for (let r = 1; r <= round; r += stride) at.push(r);
  if (at.at(-1) !== round && round > 0) at.push(round);
  const ys = LINES.map((l) =>
    at.map((r) => {
      const value = store.of(r, l.field);
      return Number.isNaN(value) ? null : value;
    }),
  );
  return { at, ys };
}
