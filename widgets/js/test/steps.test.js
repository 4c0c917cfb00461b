// The page's own part of an epoch's steps: what is said of a movement, and where the flow's blocks lie.

import assert from "node:assert/strict";
import { test } from "node:test";
import { layout } from "../src/flow.js";
import { movements, way } from "../src/steps.js";

const stage = (now, was, more = {}) => ({
  name: "incentive",
  sentence: "",
  unit: "share",
  rows: [],
  columns: [4, 5, 6],
  now,
  was,
  ...more,
});

test("what moved is said with the largest first, and what only rounds differently is not", () => {
  const moved = stage([[0.138, 0.32201, 0.774]], [[0.426, 0.32202, 0.252]]);
  assert.deepEqual(movements(moved, 4), ["uid 6: 25.2\u2009% → 77.4\u2009%", "uid 4: 42.6\u2009% → 13.8\u2009%"]);
  assert.deepEqual(movements(moved, 1).length, 1);
  assert.deepEqual(movements(stage([[0.1, 0.2, 0.7]], [[0.1, 0.2, 0.7]]), 4), []);
  const matrix = stage([[0.5], [0.5]], [[0.5], [0.4]], { rows: [1, 2], columns: [6] });
  assert.deepEqual(movements(matrix, 4), ["2 for 6: 40.0\u2009% → 50.0\u2009%"]);
  const paid = stage([[2]], [[1]], { unit: "α", columns: [6] });
  assert.deepEqual(movements(paid, 4), ["uid 6: 1.000 → 2.000"]);
  assert.equal(way(0.3, 0.30001), 0);
  assert.equal(way(0.2, 0.3), -1);
});

test("bands leave a validator's block and fill a miner's, and what was cut is the rest of the block", () => {
  const flow = {
    stake: [0.6, 0.4],
    counted: [
      [0.3, 0.3],
      [0.1, 0.1],
    ],
    cut: [
      [0, 0],
      [0, 0.2],
    ],
    paid: [2, 2],
    incentive: [0.5, 0.5],
  };
  const { left, right, bands, cut } = layout({ flow, validators: [1, 2], miners: [4, 5] });
  const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} ${b}`);
  assert.equal(bands.length, 4);
  near(
    bands.filter(({ v }) => v === 0).reduce((sum, { thick }) => sum + thick, 0),
    left[0].high,
  );
  near(
    bands.filter(({ m }) => m === 1).reduce((sum, { thick }) => sum + thick, 0),
    right[1].high,
  );
  near(cut[1].high, left[1].high / 2);
  near(cut[1].y + cut[1].high, left[1].y + left[1].high);
  near(cut[0].high, 0);
  near(bands[3].to, right[1].y + bands[1].thick);
});
