// The headline states what was measured, of both sides in one round.

import assert from "node:assert/strict";
import { test } from "node:test";
import { headline, lastSeen } from "../src/headline.js";
import { ROUND_FIELDS, Store } from "../src/store.js";

const header = { miners: [{ uid: 3 }, { uid: 4 }], metrics: ["pay"], rounds: 3 };

// Rounds as [the subnet's loss, the loss of one alone].
function said(state, ...rounds) {
  const store = new Store(header);
  const flat = rounds.flatMap(([subnet, alone], i) => [
    i + 1,
    subnet,
    alone,
    ...Array(ROUND_FIELDS.length - 1).fill(NaN),
  ]);
  store.put(new DataView(new Float32Array(flat).buffer));
  return headline(header, store, { state }, rounds.length).text;
}

test("nothing is claimed before a round has closed, though one alone is ahead", () => {
  assert.equal(said("running", [NaN, 5]), "Two strangers are getting ready");
});

test("one alone that has trained on is not compared with an older round of the subnet", () => {
  assert.equal(
    said("running", [4.5, 4.75], [NaN, 3.5]),
    "Two strangers are at 4.50 after 1 round; one alone is at 4.75",
  );
  assert.equal(said("running", [4.5, NaN]), "Two strangers are at 4.50 after 1 round");
});

test("a finished run says what was reached, also where its last round was lost", () => {
  assert.equal(
    said("finished", [4.5, 4.75], [3, 3.5], [NaN, 3.25]),
    "Two strangers reached 3.00; one alone would be at 3.50",
  );
});

test("a page that hears nothing for long says how the run is found again", () => {
  assert.equal(lastSeen({ name: "tiny-lm-1" }, 4.4), "last seen 4 s ago");
  assert.equal(
    lastSeen({ name: "tiny-lm-1" }, 61),
    "last seen 61 s ago; if the kernel was restarted: %sl attach tiny-lm-1",
  );
});
