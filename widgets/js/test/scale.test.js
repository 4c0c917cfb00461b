// An axis has round numbers, and a loss its figures, whatever the unit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { levelTexts, lossRange, roundTicks } from "../src/scale.js";
import { loss } from "../src/words.js";

test("rounds are numbered in round steps", () => {
  assert.deepEqual(roundTicks(50), [0, 10, 20, 30, 40, 50]);
  assert.deepEqual(roundTicks(30), [0, 10, 20, 30]);
  assert.deepEqual(roundTicks(8), [0, 2, 4, 6, 8]);
  assert.deepEqual(roundTicks(3), [0, 1, 2, 3]);
  assert.deepEqual(roundTicks(1), [0, 1]);
  assert.deepEqual(roundTicks(0), [0]);
  assert.equal(roundTicks(1000).length, 6);
});

test("levels have the digits that tell them apart", () => {
  assert.deepEqual(levelTexts([1.5, 2, 2.5]), ["1.5", "2.0", "2.5"]);
  assert.deepEqual(levelTexts([0, 0.002, 0.004]), ["0.000", "0.002", "0.004"]);
  assert.deepEqual(levelTexts([0, 200, 400]), ["0", "200", "400"]);
  assert.deepEqual(levelTexts([0, 2e5, 4e5]), ["0", "2.0e+5", "4.0e+5"]);
});

test("a small loss fills its axis, and a loss that cannot be negative shows none", () => {
  const [low, high] = lossRange(0.001, 0.011);
  assert.ok(low > 0 && low < 0.001 && high < 0.012);
  assert.equal(lossRange(0, 4)[0], 0);
  assert.ok(lossRange(-3, -1)[0] < -3);
});

test("a loss keeps its figures", () => {
  assert.equal(loss(1.612), "1.61");
  assert.equal(loss(0.0034), "0.0034");
  assert.equal(loss(0.00102), "0.0010");
  assert.equal(loss(0.00001234), "1.2e−5");
  assert.equal(loss(48213.7), "48,214");
  assert.equal(loss(-1.5), "−1.50");
  assert.equal(loss(14026405), "1.40e7");
  assert.equal(loss(NaN), "–");
});
