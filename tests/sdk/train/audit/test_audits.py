"""Rounds that are drawn and trained again: honest work passes to the bit, everything else is shut out."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from subnetlab.errors import ArgumentInvalid, ManifestInvalid
from subnetlab.record.events import RoundClosed, Scored, WeightsSet
from subnetlab.train.attackers import ATTACKERS
from subnetlab.train.audit.exclusion import AWAY, Exclusions
from subnetlab.train.audit.replay import SAME
from subnetlab.train.manifest import Manifest, RoundHeights, ScoringConfig, audited
from subnetlab.train.miner import Miner
from subnetlab.train.models import TinyGPT
from subnetlab.train.optimizer import AdamWConfig, MuonConfig, SignumConfig
from subnetlab.train.rehearsal import Rehearsal
from subnetlab.train.strategies import DDP, DeMo, DiLoCo, MuLoCo, SparseLoCo, StreamingDiLoCo
from subnetlab.train.tasks.base import Batch
from subnetlab.train.validator import Validator

from ..conftest import MakeManifest, MakeRehearsal  # noqa: TID252

FAST = AdamWConfig(lr=5e-3, warmup=1.0)
DEMO = TinyGPT("demo", n_embd=32, n_layer=1, n_head=2, seq_len=16)
STRATEGIES: dict[str, dict[str, Any]] = {
    "sparseloco": {"strategy": SparseLoCo(inner_steps=4), "optimizer": FAST},
    "local": {"strategy": SparseLoCo(inner_steps=4, local=True), "optimizer": FAST},
    "muloco": {"strategy": MuLoCo(inner_steps=4), "optimizer": MuonConfig(), "model": DEMO},
    "diloco": {"strategy": DiLoCo(inner_steps=4), "optimizer": FAST},
    "streaming": {"strategy": StreamingDiLoCo(inner_steps=4, fragments=2), "optimizer": FAST},
    "ddp": {"strategy": DDP(inner_steps=2), "optimizer": AdamWConfig()},
    "demo": {"strategy": DeMo(inner_steps=2), "optimizer": SignumConfig()},
}


def scoring(**options: Any) -> ScoringConfig:
    return ScoringConfig(validation_batches=2, validation_sequences=16, **options)


def played(rehearse: MakeRehearsal, *roles: str, **changes: Any) -> Rehearsal:
    run = rehearse(*roles, **{"optimizer": FAST, **changes})
    run.run()
    return run


def told(run: Rehearsal, uid: int) -> list[Scored]:
    return [e for e in run.events if isinstance(e, Scored) and e.uid == uid]


@pytest.mark.parametrize("name", STRATEGIES)
def test_honest_rounds_are_trained_again_to_the_bit(rehearse: MakeRehearsal, name: str) -> None:
    options = STRATEGIES[name]
    run = played(
        rehearse, "miner", "miner", "validator", rounds=3, scoring=scoring(audits=1.0, sync=2), **options
    )  # fmt: skip
    plain = played(rehearse, "miner", "miner", "validator", rounds=3, **options)
    for uid in (0, 1):
        assert [one.audit for one in told(run, uid)] == ["same"] * 3
    assert len(run.of(RoundClosed)) == len(plain.of(RoundClosed)) == 3


DISHONEST = sorted({word for word, kind in ATTACKERS.items() if kind.role == "miner"} - {
    "copy", "garble", "late", "withheld", "replay", "squat", "late_copy",
})  # fmt: skip
"""Attackers whose payload passes every check short of its content."""


def test_every_payload_that_is_not_its_miners_work_is_found_and_shuts_its_miner_out(
    rehearse: MakeRehearsal,
) -> None:
    honest, rounds, out = 3, 6, 2
    roles = {honest + place: ATTACKERS[word].load() for place, word in enumerate(DISHONEST)}
    run = played(
        rehearse, *["miner"] * (honest + len(roles)), "validator", "validator", roles=roles, rounds=rounds,
        scoring=scoring(audits=1.0, exclusion=out, near_copies=0.0),
    )  # fmt: skip
    validators = (honest + len(roles), honest + len(roles) + 1)
    for uid in range(honest):
        assert {one.verdict for one in told(run, uid)} <= {"accepted", "gated"}
        assert {one.audit for one in told(run, uid)} == {"same"}
    for place, word in enumerate(DISHONEST):
        if word == "sybil" and place:
            continue
        mine = [one for one in told(run, honest + place) if one.validator == validators[0]]
        verdicts = [one.verdict for one in mine]
        caught = "no_state" if word == "free_rider" else "not_its_work"
        first = verdicts.index(caught)
        assert first <= 1 if word != "stale" else first <= 2, (word, verdicts)
        assert verdicts[first + 1 : first + 1 + out] == ["excluded"] * out, (word, verdicts)
        assert verdicts[first + 1 + out] == caught, (word, verdicts)
        assert all(one.weight == 0 for one in mine[first:])
    for event in run.of(WeightsSet):
        assert isinstance(event, WeightsSet)
    votes = {
        v: [e.weights for e in run.events if isinstance(e, WeightsSet) and e.validator == v]
        for v in validators
    }
    assert votes[validators[0]] == votes[validators[1]]


class Planter(Miner):
    """Works honestly, on a memory of its own making: what it planted leaves as if it were left over."""

    planted: int = 1

    def work(self, heights: Any) -> Any:
        if heights.round == self.planted:
            self.memory["error"] = torch.full((self.replica.layout.size,), 0.01)
        return super().work(heights)


def test_a_memory_that_was_planted_is_refused_without_an_audit(rehearse: MakeRehearsal) -> None:
    run = played(
        rehearse, "miner", "miner", "miner", "validator", roles={0: Planter}, rounds=4,
        scoring=scoring(audits=1e-9, exclusion=2),
    )  # fmt: skip
    assert [one.verdict for one in told(run, 0)] == ["accepted", "unlinked", "accepted", "accepted"]
    assert not any(one.audit for one in told(run, 0))


class Unsteady(Miner):
    """Does its work on a processor that rounds otherwise."""

    def learn(self, heights: Any) -> Any:
        learned = super().learn(heights)
        noise_P = torch.randn(len(learned.delta_P), generator=torch.Generator().manual_seed(heights.round))
        learned.delta_P.add_(noise_P * learned.delta_P.abs() * 1e-5)
        return learned


@pytest.mark.parametrize("strategy", [SparseLoCo(inner_steps=4), DiLoCo(inner_steps=4)])
def test_work_of_another_processor_is_alike(rehearse: MakeRehearsal, strategy: Any) -> None:
    run = played(
        rehearse, "miner", "miner", "validator", roles={0: Unsteady}, rounds=4, strategy=strategy,
        scoring=scoring(audits=1.0, exclusion=2),
    )  # fmt: skip
    assert [one.audit for one in told(run, 0)] == ["alike"] * 4
    assert [one.audit for one in told(run, 1)] == ["same"] * 4


class Secretive(Miner):
    """Works honestly and never shows what it remembers."""

    def publish_states(self, heights: Any) -> None:
        pass


def test_a_drawn_miner_that_shows_no_state_has_cheated(rehearse: MakeRehearsal) -> None:
    run = played(
        rehearse, "miner", "miner", "validator", roles={0: Secretive}, rounds=5,
        scoring=scoring(audits=1.0, exclusion=2),
    )  # fmt: skip
    # In its first round it remembers nothing, which needs no proof.
    assert [one.verdict for one in told(run, 0)] == [
        "accepted",
        "no_state",
        "excluded",
        "excluded",
        "accepted",
    ]


def test_a_stale_miner_is_told_by_how_many_rounds_it_is_behind(rehearse: MakeRehearsal) -> None:
    # Dense updates move every probe in every round; sparse ones may leave all of them for once.
    run = played(
        rehearse, "miner", "miner", "miner", "validator", roles={0: ATTACKERS["stale"].load()}, rounds=7,
        scoring=scoring(sync=4), **STRATEGIES["diloco"],
    )  # fmt: skip
    reasons = [one.reason for one in told(run, 0) if one.verdict == "stale"]
    behind = [
        f"Trained from the model of {number} ago."
        for number in ("1 round", *(f"{n} rounds" for n in (2, 3, 4)))
    ]
    assert reasons == [*behind, *[behind[-1]] * 2]
    assert not {one.verdict for uid in (1, 2) for one in told(run, uid)} & {"stale", "foreign"}


def test_a_model_of_no_round_is_foreign(rehearse: MakeRehearsal) -> None:
    class Foreign(Miner):
        def learn(self, heights: Any) -> Any:
            theta_P = self.replica.theta_P
            self.replica.theta_P = theta_P + 0.5
            try:
                return super().learn(heights)
            finally:
                self.replica.theta_P = theta_P

    run = played(
        rehearse, "miner", "miner", "validator", roles={0: Foreign}, rounds=3, scoring=scoring(sync=1)
    )  # fmt: skip
    assert [one.verdict for one in told(run, 0)] == ["foreign"] * 3
    assert "rounds' steps away" in told(run, 0)[-1].reason


def test_a_validator_that_is_started_again_knows_who_is_out(rehearse: MakeRehearsal) -> None:
    run = played(
        rehearse, "miner", "miner", "miner", "validator", roles={0: ATTACKERS["sign_flip"].load()}, rounds=3,
        scoring=scoring(audits=1.0, exclusion=9),
    )  # fmt: skip
    before, again = run.peers[3], run.peer(run.seats[3])
    assert isinstance(before, Validator)
    assert isinstance(again, Validator)
    again.recall([one for one in run.events if isinstance(one, Scored)])
    assert again.exclusions == before.exclusions
    assert again.exclusions.until == {0: 9}
    assert again.ratings == before.ratings


def test_a_place_that_is_away_whenever_it_is_audited_proves_nothing() -> None:
    out = Exclusions(rounds=3)
    out.audited(0, AWAY)
    out.audited(0, "")
    assert out.away[0] == 1, "rounds that are not drawn do not count"
    out.audited(0, SAME)
    assert out.away[0] == 0


def test_what_no_run_asks_for_is_not_in_its_manifest(make_manifest: MakeManifest) -> None:
    plain, asking = make_manifest(), make_manifest(scoring=audited(0.1))
    assert not {"audits", "tolerance", "exclusion", "sync"} & plain.to_json()["scoring"].keys()
    assert asking.to_json()["scoring"].items() >= {"audits": 0.1, "exclusion": 20, "sync": 4}.items()
    assert Manifest.from_json(asking.to_json()) == asking
    for wrong in (-0.1, 1.5, True, "all"):
        with pytest.raises(ArgumentInvalid, match="no share of rounds"):
            audited(wrong)  # pyright: ignore[reportArgumentType]
    for scoring_ in (ScoringConfig(audits=2.0), ScoringConfig(exclusion=-1), ScoringConfig(tolerance=0.0)):
        with pytest.raises(ManifestInvalid):
            make_manifest(scoring=scoring_)


def test_a_drawn_share_of_all_rounds_is_audited_and_validators_draw_alike(rehearse: MakeRehearsal) -> None:
    run = played(
        rehearse, *["miner"] * 6, "validator", "validator", rounds=6,
        scoring=scoring(audits=0.3, tried=2, near_copies=0.0),
    )  # fmt: skip
    drawn = {
        v: {(e.uid, e.round) for e in run.events if isinstance(e, Scored) and e.audit and e.validator == v}
        for v in (6, 7)
    }
    assert drawn[6] == drawn[7]
    assert 2 <= len(drawn[6]) <= 24


class Lazy(Miner):
    """Saves itself the last items: takes the first batch again from a step of its round on."""

    def batches(self, heights: RoundHeights) -> Iterator[Batch]:
        first, second, *_ = super().batches(heights)
        yield from (first, second, first, first)


def test_the_step_from_which_on_a_miner_leaves_its_work_is_named(rehearse: MakeRehearsal) -> None:
    run = played(
        rehearse, "miner", "miner", "validator", roles={0: Lazy}, rounds=3, scoring=scoring(audits=1.0)
    )  # fmt: skip
    reasons = [one.reason for one in told(run, 0)]
    assert all(one.endswith("its work differs from inner step 3 of 4 on.") for one in reasons), reasons
