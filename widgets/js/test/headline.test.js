// The headline states what was measured, of both sides in one round.

import assert from "node:assert/strict";
import { test } from "node:test";
import { beside, headline, lastSeen, statusLine } from "../src/headline.js";
import { ROUND_FIELDS, Store } from "../src/store.js";
import { markup } from "./markup.js";

const header = { miners: [{ uid: 3 }, { uid: 4 }], metrics: ["pay"], rounds: 3 };

// Rounds as [the subnet's loss, the loss of one alone]; looked at in `at`, the newest unless given.
function said(sentence, rounds, at = rounds.length) {
  const store = new Store(header);
  const flat = rounds.flatMap(([subnet, alone], i) => [
    i + 1,
    subnet,
    alone,
    ...Array(ROUND_FIELDS.length - 1).fill(NaN),
  ]);
  store.put(new DataView(new Float32Array(flat).buffer));
  return headline(header, store, { state: "running", headline: sentence }, at).text;
}

test("nothing is claimed before a round has closed, though one alone is ahead", () => {
  assert.equal(said("", [[NaN, 5]]), "No round has closed yet");
});

test("the newest round is said as the status says it", () => {
  assert.equal(
    said("Two strangers are at 3.00", [
      [4.5, 4.75],
      [3, 3.5],
    ]),
    "Two strangers are at 3.00",
  );
});

test("an earlier round is stated with both losses of it, and one alone that has trained on is not compared", () => {
  assert.equal(
    said(
      "Two strangers are at 3.00",
      [
        [4.5, 4.75],
        [3, 3.5],
      ],
      1,
    ),
    "Round 1 of 3: the subnet at 4.50, one alone at 4.75",
  );
  assert.equal(
    said("", [
      [4.5, 4.75],
      [NaN, 3.5],
    ]),
    "Round 1 of 3: the subnet at 4.50, one alone at 4.75",
  );
});

test("a page that hears nothing for long says how the run is found again", () => {
  assert.equal(lastSeen({ name: "tiny-lm-1" }, 4.4), "last seen 4 s ago");
  assert.equal(
    lastSeen({ name: "tiny-lm-1" }, 61),
    "last seen 61 s ago; if the kernel was restarted: %sl attach tiny-lm-1",
  );
});

test("a page whose run was being set up when the kernel went away does not start for ever", () => {
  const setup = { name: "tiny-lm", run_id: "", network: "devnet", rounds: 3 };
  const status = { state: "starting", waiting: "seating 11 processes", samples: [], reasons: {} };
  assert.match(markup(statusLine(setup, status, 0, 5)), /starting/);
  const silent = { ...setup, waiting: "building the model" };
  assert.match(markup(statusLine(silent, { ...status, waiting: "" }, 0, 1)), /building the model/);
  const lost = markup(statusLine(setup, status, 0, 61));
  assert.match(lost, /reconnecting/);
  assert.match(lost, /no run had begun; run the cell again/);
});

test("where nothing is written, the panel beside the curve says how good the model is", () => {
  const measured = { round: 4, values: { accuracy: 0.93 } };
  assert.deepEqual(beside({ samples: [], measured }), ["How good is it?", "On the held-out data after round 4"]);
  assert.equal(beside({ samples: [{ prompt: "def ", round: 1, text: "" }], measured })[0], "What it writes");
});
