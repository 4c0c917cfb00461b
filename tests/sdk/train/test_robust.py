"""Robust rules against values worked out by hand, bounds that their papers prove, and hostile miners."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.errors import ArgumentInvalid
from subnetlab.record.events import RoundClosed
from subnetlab.train import strategies
from subnetlab.train.attackers import ATTACKERS
from subnetlab.train.judging import Judged
from subnetlab.train.manifest import RoundHeights, ScoringConfig
from subnetlab.train.optimizer import AdamWConfig
from subnetlab.train.payload.update import Update
from subnetlab.train.robust import Rule, combined
from subnetlab.train.strategies import DDP, DiLoCo, SparseLoCo
from subnetlab.train.validator import Validator

from .conftest import MakeRehearsal

RULES: list[Rule] = ["trimmed_mean", "median", "krum", "multi_krum", "centered_clip"]
FIVE = [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0], [1000.0, -1000.0]]


def of(rows: list[list[float]], rule: Rule, hostile: float = 0.2) -> list[float]:
    updates = [Update(None, torch.tensor(row)) for row in rows]
    return combined(updates, len(rows[0]), rule, hostile).values_N.tolist()


def test_golden_values() -> None:
    # One of five is trimmed on each side: (2 + 3 + 4) / 3, and 10, 20, 30 of the second column.
    assert of(FIVE, "trimmed_mean") == [3.0, 20.0]
    assert of(FIVE, "median") == [3.0, 20.0]
    # By the two nearest: the second and the third have one on either side, and the second comes first.
    assert of(FIVE, "krum") == [2.0, 20.0]
    assert of(FIVE, "multi_krum") == [2.5, 25.0]
    assert of(FIVE, "mean") == [202.0, -180.0]


def test_centered_clip_is_the_papers_iteration() -> None:
    rows_MP = np.array(FIVE)
    centre_P = np.median(rows_MP, axis=0)
    for _ in range(3):
        apart_MP = rows_MP - centre_P
        lengths_M = np.linalg.norm(apart_MP, axis=1)
        radius = np.median(lengths_M)
        factors_M = np.minimum(1, radius / np.where(lengths_M > 0, lengths_M, 1))
        centre_P = centre_P + (apart_MP * factors_M[:, None]).mean(0)
    assert of(FIVE, "centered_clip") == pytest.approx(centre_P.tolist(), rel=1e-6)


@settings(deadline=None)  # the first call of torch takes long
@given(
    rows=st.lists(st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3), min_size=5, max_size=12),
    huge=st.sampled_from([-90.0, 90.0]), rule=st.sampled_from(RULES),
)  # fmt: skip
def test_a_hostile_fifth_does_not_carry_a_rule_out_of_the_honest_range(
    rows: list[list[float]], huge: float, rule: Rule
) -> None:
    bad = len(rows) // 5
    hostile = [[huge] * 3] * bad
    found = of([*rows, *hostile], rule, hostile=bad / (len(rows) + bad) + 1e-9)
    # CenteredClip moves by at most the median distance times the hostile share in each of its rounds.
    bound = 1.0 + 1e-5 if rule != "centered_clip" else 4.0
    assert max(map(abs, found)) <= bound


@pytest.mark.parametrize("rule", RULES)
def test_few_updates_are_averaged_and_equal_ones_stay(rule: Rule) -> None:
    assert of([[1.0, 3.0]], rule) == [1.0, 3.0]
    assert of([[1.0, 3.0], [3.0, 5.0]], rule) == [2.0, 4.0]
    assert of([[1.0, 3.0]] * 7, rule) == [1.0, 3.0]
    with pytest.raises(ValueError, match="nothing to average"):
        combined([], 3, rule, 0.2)


def test_options_travel_and_are_left_out_at_their_defaults() -> None:
    plain, robust = strategies.to_json(DiLoCo()), strategies.to_json(DiLoCo(aggregate="krum", hostile=0.25))
    assert not {"aggregate", "hostile"} & plain.keys()
    assert strategies.from_json(plain) == DiLoCo()
    assert strategies.from_json(robust) == DiLoCo(aggregate="krum", hostile=0.25)
    assert strategies.from_json(strategies.to_json(DDP(aggregate="median"))) == DDP(aggregate="median")
    for wrong in ({"aggregate": "best"}, {"hostile": 0.5}, {"hostile": -0.1}):
        with pytest.raises(ArgumentInvalid):
            DiLoCo(**wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ArgumentInvalid):
        SparseLoCo(aggregate="median")  # pyright: ignore[reportCallIssue]


class Trusting(Validator):
    """Takes every payload that is well formed, so that the rule alone defends the aggregate."""

    def judge(self, heights: RoundHeights) -> Judged:
        judged = super().judge(heights)
        judged.gated.clear()
        return judged


def test_what_no_gate_catches_a_rule_bounds(rehearse: MakeRehearsal) -> None:
    losses: dict[Rule, float] = {}
    rules: list[Rule] = ["mean", "trimmed_mean", "multi_krum", "centered_clip"]
    poison = ATTACKERS["poison"].load()
    for rule in rules:
        run = rehearse(
            *["miner"] * 7, "validator", roles={0: poison, 1: poison, 7: Trusting}, rounds=3,
            strategy=DiLoCo(inner_steps=4, momentum=0.0, clip="none", aggregate=rule),
            optimizer=AdamWConfig(lr=5e-3, warmup=1.0), deterministic=True,
            scoring=ScoringConfig(validation_batches=2, validation_sequences=16, near_copies=0.0),
        )  # fmt: skip
        run.run()
        closed = [event for event in run.events if isinstance(event, RoundClosed)]
        assert [len(event.accepted) for event in closed] == [7] * 3
        losses[rule] = closed[-1].val_loss
    assert max(losses[rule] for rule in rules[1:]) < losses["mean"] - 0.2, losses
