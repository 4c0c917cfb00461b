// What the leaderboard says of a miner's part in the run comes from the rounds alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { boardSentence, standings } from "../src/board.js";
import { ROUND_FIELDS, Store } from "../src/store.js";
import { FLAGGED, GONE, NOT_JUDGED, WORKS } from "../src/verdict.js";

const header = { miners: [{ uid: 3 }], metrics: ["verdict", "wire_bytes", "pay"] };

// One miner's rounds as [verdict, bytes sent, pay].
function after(...rounds) {
  const store = new Store(header);
  const flat = rounds.flatMap(([verdict, bytes, pay], i) => [
    i + 1,
    ...Array(ROUND_FIELDS.length - 1).fill(NaN),
    verdict,
    bytes,
    pay ?? NaN,
  ]);
  store.put(new DataView(new Float32Array(flat).buffer));
  return standings(store, rounds.length, {})[0];
}

test("a miner that joined has missed none of the rounds before it", () => {
  assert.equal(after([NaN, NaN], [NaN, NaN], [WORKS, 5], [WORKS, 5]).state, "active");
  assert.equal(after([NaN, NaN], [WORKS, NaN], [WORKS, NaN], [WORKS, 5]).state, "missed 1 of 3");
});

test("before anybody judged it, a miner waits", () => {
  assert.equal(after([NOT_JUDGED, 5]).state, "waiting");
});

test("a miner that sends every round is active, though the round that goes on is still open", () => {
  assert.equal(after([WORKS, 5], [WORKS, 5], [WORKS, NaN]).state, "active");
});

test("rounds without an update are counted", () => {
  assert.equal(after([WORKS, 5], [WORKS, NaN], [WORKS, NaN], [WORKS, NaN]).state, "missed 2 of 4");
});

test("a miner is out since the round its verdict last changed", () => {
  assert.equal(after([FLAGGED, 5], [WORKS, 5], [FLAGGED, 5], [FLAGGED, 5]).state, "shut out, round 3");
  assert.equal(after([WORKS, 5], [GONE, NaN], [GONE, NaN]).state, "gone, round 2");
});

test("pay and bytes are summed over the rounds that have them", () => {
  const row = after([WORKS, 5, 1.5], [WORKS, NaN], [WORKS, 7, 2]);
  assert.equal(row.paid, 3.5);
  assert.equal(row.sent, 12);
});

test("the sentence over the board counts whom validators refused, and says whether that still pays", () => {
  const refused = after([FLAGGED, 5, 0]),
    paid = after([FLAGGED, 5, 1]);
  assert.match(boardSentence([after([WORKS, 5, 1])]), /^No miner is refused/);
  assert.match(boardSentence([refused]), /refused most updates of one, and its last pay was nothing$/);
  assert.match(boardSentence([refused, refused]), /refused most updates of two, and their last pay was nothing$/);
  assert.match(boardSentence([paid, refused]), /refused most updates of two$/);
});
