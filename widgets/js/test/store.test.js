// The page's store reads the kernel's bytes as the kernel wrote them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { median, quantile, ROUND_FIELDS, Store } from "../src/store.js";
import { fixed, lossChange, percent } from "../src/words.js";

const header = { miners: [{ uid: 3 }, { uid: 4 }], metrics: ["loss", "pay"] };

const bytesOf = (...rows) => {
  const flat = new Float32Array(rows.flat());
  return new DataView(flat.buffer);
};
const row = (round, subnet, ...miners) => [round, subnet, ...Array(ROUND_FIELDS.length - 2).fill(NaN), ...miners];

test("rows land at their round, whatever the order, and a newer copy replaces an older one", () => {
  const store = new Store(header);
  store.put(bytesOf(row(3, 2.5, 1, 2, 3, 4)));
  store.put(bytesOf(row(1, 5.5, 9, 9, 9, 9), row(3, 2.25, 1, 2, 3, 8)));
  assert.equal(store.last, 3);
  assert.equal(store.of(3, "subnet"), 2.25);
  assert.equal(store.at(3, "pay", 1), 8);
  assert.ok(Number.isNaN(store.of(2, "subnet")));
});

test("only what was measured counts, in its order", () => {
  const store = new Store(header);
  store.put(bytesOf(row(1, 5, 1, NaN, 3, 4), row(2, 4, 5, 6, 7, 8)));
  assert.deepEqual(store.measured("pay", 0, 2), [6]);
  assert.equal(store.latest(2, "pay", 0), 6);
  assert.ok(Number.isNaN(store.latest(1, "pay", 0)));
});

test("the store grows over thousands of rounds without losing the first", () => {
  const store = new Store(header);
  for (let r = 1; r <= 5000; r++) store.put(bytesOf(row(r, r, r, r, r, r)));
  assert.equal(store.of(1, "subnet"), 1);
  assert.equal(store.of(5000, "subnet"), 5000);
});

test("a view into a larger buffer is read from its own offset", () => {
  const store = new Store(header);
  const flat = new Float32Array([...row(9, 9, 9, 9, 9, 9), ...row(1, 2, 3, 4, 5, 6)]);
  store.put(new DataView(flat.buffer, store.width * 4, store.width * 4));
  assert.equal(store.last, 1);
  assert.equal(store.at(1, "pay", 1), 6);
});

test("a thinned history is evenly spread and keeps its first and its last point", () => {
  const store = new Store(header);
  for (let r = 1; r <= 1000; r++) store.put(bytesOf(row(r, r, 0, r, 0, -r)));
  assert.deepEqual([...store.sampled("pay", 0, 3, 64)], [1, 2, 3]);
  const few = store.sampled("pay", 1, 1000, 64);
  assert.deepEqual([few[0], few[1], few.at(-1)], [-1, -17, -1000]);
  assert.ok(few.length <= 64);
  assert.deepEqual([...store.sampled("pay", 0, 0, 64)], []);
});

test("numbers are written for people", () => {
  assert.equal(lossChange(0.0115), "−1.15\u2009%");
  assert.equal(lossChange(-0.01, 1), "+1.0\u2009%");
  assert.equal(lossChange(0.00001), "0\u2009%");
  assert.equal(percent(0), "0\u2009%");
  assert.equal(fixed(NaN), "–");
  assert.equal(median([NaN, 3, 1, 2]), 2);
  assert.equal(quantile([1, 2, 3, 4, 5], 0.9), 4);
});
