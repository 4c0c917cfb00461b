// The run as the page holds it: one Float32 row per round, laid out as the header says.
//
// row = [round, subnet, alone, block, compute, compress, store, wait, chain, ddp] then, miner by miner,
// the header's metrics. A row may arrive again, fuller; NaN means "not measured". Nothing here draws.

import { termsOf } from "./terms.js";

/** @import { RunHeader } from "./types.js" */

export const ROUND_FIELDS = [
  "round",
  "subnet",
  "alone",
  "block",
  "compute",
  "compress",
  "store",
  "wait",
  "chain",
  "ddp",
];
const FIRST = ROUND_FIELDS.length;

export class Store {
  /** @param {RunHeader} header */
  constructor(header) {
    this.uids = header.miners.map((m) => m.uid);
    this.metrics = header.metrics;
    this.trains = header.trains !== false;
    this.terms = termsOf(header);
    this.width = FIRST + this.uids.length * this.metrics.length;
    this.rows = new Float32Array(0);
    this.last = 0; // highest round present; rounds count from 1
    this.seen = new Uint8Array(1);
  }

  /**
   * Take the rows of one binary message; returns how many there were.
   *
   * @param {DataView} view
   */
  put(view) {
    const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
    const incoming = new Float32Array(bytes);
    const count = Math.floor(incoming.length / this.width);
    for (let i = 0; i < count; i++) {
      const row = incoming.subarray(i * this.width, (i + 1) * this.width);
      const round = row[0];
      this.#grow(round);
      this.rows.set(row, (round - 1) * this.width);
      this.seen[round] = 1;
      if (round > this.last) this.last = round;
    }
    return count;
  }

  /** @param {number} round */
  #grow(round) {
    const needed = round * this.width;
    if (needed <= this.rows.length) return;
    const size = Math.max(needed, this.rows.length * 2, 64 * this.width);
    const rows = new Float32Array(size).fill(NaN);
    rows.set(this.rows);
    const seen = new Uint8Array(Math.ceil(size / this.width) + 1);
    seen.set(this.seen);
    this.rows = rows;
    this.seen = seen;
  }

  /**
   * A round-level number, NaN where not measured.
   *
   * @param {number} round
   * @param {string} field
   */
  of(round, field) {
    return round < 1 || round > this.last ? NaN : this.rows[(round - 1) * this.width + ROUND_FIELDS.indexOf(field)];
  }

  /**
   * A miner's number in a round.
   *
   * @param {number} round
   * @param {string} metric
   * @param {number} miner
   */
  at(round, metric, miner) {
    if (round < 1 || round > this.last) return NaN;
    return this.rows[(round - 1) * this.width + FIRST + miner * this.metrics.length + this.metrics.indexOf(metric)];
  }

  /**
   * What was measured of one miner up to a round, oldest first. A plain array: the memory behind typed ones lies
   * outside the script's heap, and the browser lets hundreds of megabytes of it pile up.
   *
   * @param {string} metric
   * @param {number} miner
   * @param {number} round
   */
  measured(metric, miner, round) {
    const out = [];
    const offset = FIRST + miner * this.metrics.length + this.metrics.indexOf(metric);
    for (let r = 0; r < round; r++) {
      const value = this.rows[r * this.width + offset];
      if (!Number.isNaN(value)) out.push(value);
    }
    return out;
  }

  /**
   * At most so many points of it, evenly spread, the first and the last among them: what a small chart can show.
   *
   * @param {string} metric
   * @param {number} miner
   * @param {number} round
   * @param {number} points
   * @returns {number[]}
   */
  sampled(metric, miner, round, points) {
    const stride = Math.max(1, Math.ceil(round / points));
    const offset = FIRST + miner * this.metrics.length + this.metrics.indexOf(metric);
    const out = new Array(round < 1 ? 0 : Math.ceil((round - 1) / stride) + 1);
    for (let i = 0; i < out.length; i++) out[i] = this.rows[Math.min(round - 1, i * stride) * this.width + offset];
    return out;
  }

  /**
   * The newest number at or before a round: what is known then.
   *
   * @param {number} round
   * @param {string} metric
   * @param {number} miner
   */
  latest(round, metric, miner) {
    for (let r = round; r >= 1; r--) {
      const value = this.at(r, metric, miner);
      if (!Number.isNaN(value)) return value;
    }
    return NaN;
  }

  /**
   * The newest round at or before this one that has a round-level number; 0 for none.
   *
   * @param {number} round
   * @param {string} field
   */
  lastWith(round, field) {
    let r = Math.min(round, this.last);
    while (r > 0 && Number.isNaN(this.of(r, field))) r -= 1;
    return r;
  }

  /**
   * The newest round-level number at or before a round.
   *
   * @param {number} round
   * @param {string} field
   */
  latestOf(round, field) {
    return this.of(this.lastWith(round, field), field);
  }
}

/**
 * Middle value of the finite ones; NaN for none.
 *
 * @param {Iterable<number>} values
 */
export function median(values) {
  const finite = Array.from(values)
    .filter((v) => !Number.isNaN(v))
    .sort((a, b) => a - b);
  return finite.length ? finite[finite.length >> 1] : NaN;
}

/**
 * The value below which the share q of the finite ones lies.
 *
 * @param {Iterable<number>} values
 * @param {number} q
 */
export function quantile(values, q) {
  const finite = Array.from(values)
    .filter((v) => !Number.isNaN(v))
    .sort((a, b) => a - b);
  return finite.length ? finite[Math.floor(q * (finite.length - 1))] : NaN;
}
