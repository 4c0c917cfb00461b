// A run of answers is told in scores: nothing of it speaks of a loss.

import assert from "node:assert/strict";
import { test } from "node:test";
import { board, flow, standings } from "../src/board.js";
import { beside, headline } from "../src/headline.js";
import { ROUND_FIELDS, Store } from "../src/store.js";
import { tableTwin } from "../src/table.js";
import { WORKS } from "../src/verdict.js";
import { markup } from "./markup.js";

const header = { rounds: 5, miners: [{ uid: 3 }], metrics: ["verdict", "loss_removed", "wire_bytes"] };

// One round, whose mean score is 0.75 and whose miner scored 0.5.
function stored(trains) {
  const store = new Store({ ...header, trains });
  const row = [1, 0.75, ...Array(ROUND_FIELDS.length - 2).fill(NaN), WORKS, 0.5, 900];
  store.put(new DataView(new Float32Array(row).buffer));
  return store;
}

const page = (store) => {
  const rows = standings(store, 1, {});
  const steps = store.trains ? 15 : 0;
  return [board(rows, 0, store.terms), flow(rows, 0, steps, store.terms), tableTwin(store, rows, 1)]
    .map(markup)
    .join("");
};

test("a run of answers speaks of scores, in the board, the flow and the table twin", () => {
  const said = page(stored(false));
  assert.doesNotMatch(said, /loss removed|−50|15 steps|the subnet<|optimizer/);
  assert.match(said, />0\.50</);
  assert.match(said, /Mean score, newest round first/);
  assert.match(said, /judges gave/);
  assert.equal(headline(header, stored(false), {}, 1).text, "Round 1 of 5: mean score at 0.75");
  assert.equal(beside({ measured: { round: 1 } }, false)[0], "What came of it");
});

test("a run that trains speaks of the loss, as before", () => {
  const said = page(stored(undefined));
  assert.match(said, /loss removed/);
  assert.match(said, /−50\.00/);
  assert.match(said, /15 steps, 900 B/);
  assert.match(said, /Loss, newest round first/);
});
