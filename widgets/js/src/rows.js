// The metagraph's rows in the page: kept by uid, sorted, filtered, and cut to what can be seen. No DOM in here.

/** @import { Epoch, MetagraphNews, MetagraphRow } from "./types.js" */

/**
 * @typedef {object} Column
 * @property {string} key
 * @property {string} name
 * @property {1 | -1} first
 * @property {boolean} [words]
 * @property {string} [why]
 */

/** @typedef {{ stake: number, incentive: number, paid: number }} Scale the longest bar of each column */

export const ROW_PX = 29;
export const EPOCHS = 30;
const AROUND = 6; // rows drawn beyond the visible ones, so that scrolling shows no gap

// The columns as the table draws them: which field sorts them, and which way a first click sorts.
/** @type {Column[]} */
export const COLUMNS = [
  { key: "uid", name: "uid", words: true, first: 1 },
  { key: "hotkey", name: "hotkey", words: true, first: 1 },
  { key: "role", name: "seat", words: true, first: 1 },
  {
    key: "stake",
    name: "stake α",
    first: -1,
    why: "What backs the key. Only a validator’s stake gives it a vote.",
  },
  { key: "vtrust", name: "vtrust", first: -1, why: "How closely a validator’s votes match consensus." },
  { key: "incentive", name: "incentive", first: -1, why: "The miner’s share after consensus." },
  { key: "dividends", name: "dividends", first: -1, why: "The validator’s share of pay, for good votes." },
  {
    key: "paid",
    name: "30 tempos",
    first: -1,
    words: true,
    why: "Alpha paid in each of the last thirty tempos, on one scale for all rows.",
  },
  {
    key: "pay",
    name: "α / tempo",
    first: -1,
    why: "Alpha, the subnet’s own token, paid at the end of the last tempo.",
  },
  { key: "ago", name: "blocks ago", first: 1, why: "Since this key last wrote to the chain." },
];

export class MetagraphRows {
  /** @param {string[]} fields */
  constructor(fields) {
    this.fields = fields;
    /** @type {MetagraphRow[]} */
    this.rows = [];
    /** @type {Epoch[]} */
    this.epochs = [];
    this.block = 0;
    this.sort = { key: "uid", way: 1 };
    this.filter = "";
    /** @type {number[]} */
    this.order = [];
  }

  /**
   * Take the kernel's news; true where rows have to be ordered anew.
   *
   * @param {Omit<MetagraphNews, "k" | "seq">} news
   */
  put(news) {
    if (news.fresh) {
      this.rows = [];
      this.epochs = [];
    }
    this.block = news.block;
    this.rows.length = Math.min(this.rows.length, news.seats);
    for (const values of news.rows) {
      const named = Object.fromEntries(this.fields.map((field, i) => [field, values[i]]));
      const row = /** @type {MetagraphRow} */ (/** @type {unknown} */ (named));
      this.rows[row.uid] = row;
    }
    this.epochs = [...this.epochs, ...news.epochs].slice(-EPOCHS);
    return news.fresh || news.epochs.length > 0 || this.order.length !== this.rows.length;
  }

  /**
   * What a seat was paid, epoch by epoch; an epoch before its key took the seat belongs to somebody else.
   *
   * @param {MetagraphRow} row
   */
  history(row) {
    return this.epochs.map(([block, paid]) => (block > row.since ? (paid[row.uid] ?? 0) : null));
  }

  get mostPaid() {
    return Math.max(0, ...this.epochs.flatMap(([, paid]) => paid));
  }

  /** @returns {Scale} */
  get scale() {
    return {
      stake: Math.max(0, ...this.rows.map((row) => row.stake)),
      incentive: Math.max(0, ...this.rows.map((row) => row.incentive)),
      paid: this.mostPaid,
    };
  }

  /**
   * @param {MetagraphRow} row
   * @param {string} key
   * @returns {number | string}
   */
  value(row, key) {
    if (key === "ago") return this.block - row.wrote;
    if (key === "paid") return this.history(row).reduce((/** @type {number} */ sum, paid) => sum + Number(paid), 0);
    return /** @type {number | string} */ (row[/** @type {keyof MetagraphRow} */ (key)]);
  }

  /**
   * A click on a header: the other way round, or this column's own first way.
   *
   * @param {string} key
   */
  turn(key) {
    const column = COLUMNS.find((c) => c.key === key);
    this.sort = { key, way: this.sort.key === key ? -this.sort.way : (column?.first ?? 1) };
    this.arrange();
  }

  // Sort and filter; equal rows stay in the order of their seats.
  arrange() {
    const { key, way } = this.sort;
    const wanted = this.filter.trim().toLowerCase();
    const found = this.rows
      .filter((row) => row && matches(row, wanted))
      .map((row) => ({ uid: row.uid, value: this.value(row, key) }));
    found.sort((a, b) => way * (a.value < b.value ? -1 : a.value > b.value ? 1 : 0) || a.uid - b.uid);
    this.order = found.map(({ uid }) => uid);
  }

  /**
   * Which of the ordered rows a scrolled window shows, and how much empty height is above and below them.
   *
   * @param {number} top
   * @param {number} height
   */
  window(top, height) {
    const from = Math.max(0, Math.floor(top / ROW_PX) - AROUND);
    const to = Math.min(this.order.length, Math.ceil((top + height) / ROW_PX) + AROUND);
    return { from, to, above: from * ROW_PX, below: (this.order.length - to) * ROW_PX };
  }

  /** @param {string} role */
  count(role) {
    return this.rows.filter((row) => row.role === role).length;
  }
}

/**
 * @param {MetagraphRow} row
 * @param {string} wanted
 */
function matches(row, wanted) {
  if (wanted === "") return true;
  return String(row.uid) === wanted || row.hotkey.toLowerCase().includes(wanted) || row.role.includes(wanted);
}
