// What a form shows of its state: the steps, the vote, the line that remains.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folded, progress, shares, steps, took, voteBar } from "../src/money.js";

test("four steps, one after the other, and the one that failed stays", () => {
  const at = (step, stage = null) => progress({ step, stage });
  assert.deepEqual(at("editing"), { reached: 0, next: "" });
  assert.deepEqual(at("previewed"), { reached: 1, next: "" });
  assert.deepEqual(at("sending"), { reached: 1, next: "go" });
  assert.deepEqual(at("sending", "signed"), { reached: 2, next: "go" });
  assert.deepEqual(at("sending", "in a block"), { reached: 3, next: "go" });
  assert.deepEqual(at("finalised", "in a block"), { reached: 4, next: "" });
  assert.deepEqual(at("unknown", "signed"), { reached: 2, next: "no" });
  assert.match(steps({ step: "unknown", stage: "signed" }), /In a block: unknown/);
  assert.match(steps({ step: "failed", stage: null }), /Signed: failed/);
});

test("a vote is whole per cent where that shows the change", () => {
  assert.deepEqual(shares({ before: 31.2, after: 38.4 }), ["31", "38"]);
  assert.deepEqual(shares({ before: 4.1, after: 4.3 }), ["4.1", "4.3"]);
  assert.deepEqual(shares({ before: 31.1, after: 31.4 }), ["31.1", "31.4"]);
  assert.deepEqual(shares({ before: 100, after: 100 }), ["100", "100"]);
  assert.match(voteBar({ before: 31, after: 38 }), /aria-label="Voting weight 31 to 38 per cent"/);
});

test("the folded line escapes what comes from outside and says whose money it was", () => {
  const state = { preview: { vote: null, done: "<b>10</b> staked" }, receipt: { tx: '0x"', block: 7, took_s: 0.004 } };
  const html = folded(state, { real: true, network: "finney" });
  assert.ok(html.includes("&lt;b&gt;10&lt;/b&gt; staked") && html.includes("REAL TAO, finney") && html.includes("block 7, 4 ms"));
  assert.equal(took(12.04), "12.0 s");
});
