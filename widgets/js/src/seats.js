// The metagraph's rows in the page: kept by uid, sorted, filtered, and cut to what can be seen. No DOM in here.

export const ROW_PX = 29;
export const EPOCHS = 30;
const AROUND = 6; // rows drawn beyond the visible ones, so that scrolling shows no gap

// The columns as the table draws them: which field sorts them, and which way a first click sorts.
export const COLUMNS = [
  { key: "uid", name: "uid", words: true, first: 1 },
  { key: "hotkey", name: "hotkey", words: true, first: 1 },
  { key: "role", name: "seat", words: true, first: 1 },
  { key: "stake", name: "stake α", first: -1, why: "What stands behind the key. Only a validator’s stake gives it a vote." },
  { key: "vtrust", name: "vtrust", first: -1, why: "How closely a validator’s votes match consensus." },
  { key: "incentive", name: "incentive", first: -1, why: "The miner’s share after consensus." },
  { key: "dividends", name: "dividends", first: -1, why: "The validator’s share of pay, for good votes." },
  { key: "paid", name: "30 tempos", first: -1, words: true, why: "Alpha paid in each of the last thirty tempos, on one scale for all rows." },
  { key: "pay", name: "α / tempo", first: -1, why: "Alpha, the subnet’s own token, paid at the end of the last tempo." },
  { key: "ago", name: "blocks ago", first: 1, why: "Since this key last wrote to the chain." },
];

export class Seats {
  constructor(fields) {
    this.fields = fields;
    this.rows = [];
    this.epochs = [];
    this.block = 0;
    this.sort = { key: "uid", way: 1 };
    this.filter = "";
    this.order = [];
  }

  // Take the kernel's news; true where rows have to be ordered anew.
  put(news) {
    if (news.fresh) { this.rows = []; this.epochs = []; }
    this.block = news.block;
    this.rows.length = Math.min(this.rows.length, news.seats);
    for (const values of news.rows) {
      const row = Object.fromEntries(this.fields.map((field, i) => [field, values[i]]));
      this.rows[row.uid] = row;
    }
    this.epochs = [...this.epochs, ...news.epochs].slice(-EPOCHS);
    return news.fresh || news.epochs.length > 0 || this.order.length !== this.rows.length;
  }

  // What a seat was paid, epoch by epoch; an epoch before its key took the seat belongs to somebody else.
  history(row) {
    return this.epochs.map(([block, paid]) => (block > row.since ? paid[row.uid] ?? 0 : null));
  }

  get mostPaid() {
    return Math.max(0, ...this.epochs.flatMap(([, paid]) => paid));
  }

  value(row, key) {
    if (key === "ago") return this.block - row.wrote;
    if (key === "paid") return this.history(row).reduce((sum, paid) => sum + (paid ?? 0), 0);
    return row[key];
  }

  // A click on a header: the other way round, or this column's own first way.
  turn(key) {
    const column = COLUMNS.find((c) => c.key === key);
    this.sort = { key, way: this.sort.key === key ? -this.sort.way : column.first };
    this.arrange();
  }

  // Sort and filter; equal rows stay in the order of their seats.
  arrange() {
    const { key, way } = this.sort;
    const wanted = this.filter.trim().toLowerCase();
    const found = this.rows.filter((row) => row && matches(row, wanted)).map((row) => [this.value(row, key), row]);
    found.sort(([a, x], [b, y]) => way * (a < b ? -1 : a > b ? 1 : 0) || x.uid - y.uid);
    this.order = found.map(([, row]) => row.uid);
  }

  // Which of the ordered rows a scrolled window shows, and how much empty height stands above and below them.
  window(top, height) {
    const from = Math.max(0, Math.floor(top / ROW_PX) - AROUND);
    const to = Math.min(this.order.length, Math.ceil((top + height) / ROW_PX) + AROUND);
    return { from, to, above: from * ROW_PX, below: (this.order.length - to) * ROW_PX };
  }

  count(role) {
    return this.rows.filter((row) => row.role === role).length;
  }
}

function matches(row, wanted) {
  if (wanted === "") return true;
  return String(row.uid) === wanted || row.hotkey.toLowerCase().includes(wanted) || row.role.includes(wanted);
}
