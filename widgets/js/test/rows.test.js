// The page's own part of the metagraph: rows by uid, sorting, filtering, and the window of rows that are drawn.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MetagraphRows, ROW_PX } from "../src/rows.js";

const FIELDS = ["uid", "hotkey", "role", "stake", "pay", "wrote", "since"];
const row = (uid, stake, wrote = 1, role = "miner") => [uid, `5Key${uid}`, role, stake, 0, wrote, 0];

const filled = (...rows) => {
  const table = new MetagraphRows(FIELDS);
  table.put({ block: 10, seats: rows.length, rows, epochs: [], fresh: true });
  table.arrange();
  return table;
};

test("a first click sorts the large ones up, a second one turns it, and equal rows keep their seats' order", () => {
  const table = filled(row(0, 5), row(1, 9), row(2, 5), row(3, 7));
  table.turn("stake");
  assert.deepEqual(table.order, [1, 3, 0, 2]);
  table.turn("stake");
  assert.deepEqual(table.order, [0, 2, 3, 1]);
  table.turn("uid");
  assert.deepEqual(table.order, [0, 1, 2, 3]);
});

test("numbers sort as numbers, and blocks ago follow the block", () => {
  const table = filled(row(0, 10, 9), row(1, 9, 2), row(2, 100, 5));
  table.turn("stake");
  assert.deepEqual(table.order, [2, 0, 1]);
  table.turn("ago");
  assert.deepEqual(table.order, [0, 2, 1]);
  table.put({ block: 20, seats: 3, rows: [row(1, 9, 20)], epochs: [], fresh: false });
  table.arrange();
  assert.deepEqual(table.order, [1, 0, 2]);
});

test("a filter finds a uid whole, a hotkey or a role in part", () => {
  const table = filled(...Array.from({ length: 30 }, (_, i) => row(i, 0, 1, i < 2 ? "validator" : "miner")));
  for (const [wanted, found] of [
    ["2", [2, ...Array.from({ length: 10 }, (_, i) => 20 + i), 12]],
    ["5KEY7", [7]],
    ["valid", [0, 1]],
    ["nobody", []],
  ]) {
    table.filter = wanted;
    table.arrange();
    assert.deepEqual(
      [...table.order].sort((a, b) => a - b),
      [...found].sort((a, b) => a - b),
    );
  }
});

test("of 256 rows only those around the window are drawn, and the empty height keeps the rest's place", () => {
  const table = filled(...Array.from({ length: 256 }, (_, i) => row(i, i)));
  const { from, to, above, below } = table.window(100 * ROW_PX, 11 * ROW_PX);
  assert.ok(from > 80 && from <= 100 && to >= 111 && to < 130);
  assert.equal(above + below + (to - from) * ROW_PX, 256 * ROW_PX);
  assert.deepEqual(table.window(0, 11 * ROW_PX).from, 0);
});

test("pay from before a key took its seat is not its own, and thirty tempos are kept", () => {
  const table = filled([0, "5a", "miner", 0, 0, 1, 16]);
  const epochs = Array.from({ length: 40 }, (_, i) => [8 * (i + 1), [i]]);
  table.put({ block: 320, seats: 1, rows: [], epochs, fresh: false });
  assert.equal(table.epochs.length, 30);
  assert.equal(table.history(table.rows[0])[0], 10);
  table.rows[0].since = 200;
  assert.equal(table.history(table.rows[0])[0], null);
  assert.equal(table.mostPaid, 39);
});

test("fresh news forget what was there, fewer seats drop the others", () => {
  const table = filled(row(0, 1), row(1, 1), row(2, 1));
  table.put({ block: 11, seats: 2, rows: [], epochs: [], fresh: false });
  assert.equal(table.rows.length, 2);
  assert.equal(table.put({ block: 3, seats: 1, rows: [row(0, 4)], epochs: [], fresh: true }), true);
  assert.equal(table.rows[0].stake, 4);
});
