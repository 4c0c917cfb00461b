// What a form shows of its state: the steps, the vote, the line that remains.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folded, progress, shares, stepsTaken, took, voteBar } from "../src/money.js";
import { markup } from "./markup.js";

test("four steps, one after the other, and the one that failed stays", () => {
  const at = (step, stage = null) => progress({ step, stage });
  assert.deepEqual(at("editing"), { reached: 0, next: "" });
  assert.deepEqual(at("previewed"), { reached: 1, next: "" });
  assert.deepEqual(at("sending"), { reached: 1, next: "current" });
  assert.deepEqual(at("sending", "signed"), { reached: 2, next: "current" });
  assert.deepEqual(at("sending", "in a block"), { reached: 3, next: "current" });
  assert.deepEqual(at("finalised", "in a block"), { reached: 4, next: "" });
  assert.deepEqual(at("unknown", "signed"), { reached: 2, next: "failed" });
  assert.equal(stepsTaken({ step: "unknown", stage: "signed" })[2].said, "In a block: unknown");
  assert.equal(stepsTaken({ step: "failed", stage: null })[1].said, "Signed: failed");
});

test("a vote is whole per cent where that shows the change", () => {
  assert.deepEqual(shares({ before: 31.2, after: 38.4 }), ["31", "38"]);
  assert.deepEqual(shares({ before: 4.1, after: 4.3 }), ["4.1", "4.3"]);
  assert.deepEqual(shares({ before: 31.1, after: 31.4 }), ["31.1", "31.4"]);
  assert.deepEqual(shares({ before: 100, after: 100 }), ["100", "100"]);
  assert.match(markup(voteBar({ before: 31, after: 38 })), /aria-label="Voting weight 31 to 38 per cent"/);
});

test("what comes from outside is a value of the folded line, never its markup, and whose money it was is said", () => {
  const preview = { vote: null, done: "<b>10</b> staked" };
  const state = { preview, receipt: { tx: '0x"', block: 7, took_s: 0.004 } };
  const line = folded(state, { real: true, network: "finney" });
  assert.ok(line.values.includes("<b>10</b> staked") && line.values.includes('0x"'));
  assert.match(markup(line), /REAL TAO, finney/);
  assert.match(markup(line), /block 7, 4 ms/);
  assert.equal(took(12.04), "12.0 s");
});
