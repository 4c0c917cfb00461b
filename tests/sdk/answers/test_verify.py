"""A third party judges again: honest rounds hold, and a validator that scores falsely is named."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from subnetlab.answers.calls import Calls
from subnetlab.answers.validator import JUDGE
from subnetlab.answers.verify import AnswersSources, verify_answers
from subnetlab.network.commit_history import ChainHistory, Committed
from subnetlab.network.memory import MemoryNet
from subnetlab.store.places import fleet_places
from subnetlab.train.roster import FixedRoster
from subnetlab.train.verify import Report

from .adding import add, fail, judge_sum, lie
from .stage import Stage


@dataclass(slots=True)
class RememberingNet(MemoryNet):
    """A chain in memory whose blocks keep what they held."""

    committed: list[Committed] = field(default_factory=list[Committed])

    def _stand(self, hotkey: str, submitted: Any, number: int) -> None:
        if isinstance(submitted, bytes):
            self.committed.append(Committed(number, len(self.committed), hotkey, submitted))
        MemoryNet._stand(self, hotkey, submitted, number)


def history(net: RememberingNet) -> ChainHistory:
    last = len(net._hashes) - 1
    hashes = {number: net.block_hash(number) for number in range(last + 1)}
    return ChainHistory(netuid=1, first=0, last=last, hashes=hashes, commitments=tuple(net.committed))


def played(judges: dict[int, Callable[..., Any]] | None = None) -> Stage:
    stage = Stage([add, lie, fail], judge_sum, validators=2, judges=judges)
    stage.net = RememberingNet()
    return stage.play()


def verified(stage: Stage, **changes: Any) -> Report:
    sources = AnswersSources(
        manifest=stage.told, roster=FixedRoster(tuple(stage.seats)), store=fleet_places(stage.store, -1),
        history=history(cast("RememberingNet", stage.net)),
        closed={event.round: event for event in stage.closed()},
    )  # fmt: skip
    report = Report(run="test")
    calls = Calls({JUDGE: stage.told.judge.to_json()}, Path(tempfile.mkdtemp(prefix="sl-verify-")))
    verify_answers(replace(sources, **changes), calls, report)
    return report


@pytest.fixture(scope="module")
def honest() -> Stage:
    return played()


def test_honest_rounds_hold(honest: Stage) -> None:
    report = verified(honest)
    assert report.verified, report
    assert (report.rounds, report.checks["scores"].done, report.checks["rounds"].done) == (2, 12, 4)


def test_a_validator_that_scores_falsely_is_named_in_every_round() -> None:
    def bribed(task: dict[str, int], answer: int) -> float:
        return float(answer == 7)

    report = verified(played({4: bribed}))
    assert {(one.what, one.round, one.uid) for one in report.wrong} == {("score", 1, 4), ("score", 2, 4)}
    assert any(
        "It gave uid 1 1 (accepted); the judge gives 0 (no_score)." in str(one) for one in report.wrong
    )


def test_a_line_of_the_record_that_says_otherwise_is_named(honest: Stage) -> None:
    closed = {event.round: event for event in honest.closed()}
    closed[1] = replace(closed[1], metrics={"score": 0.9})
    report = verified(honest, closed=closed)
    assert [(one.what, one.round) for one in report.wrong] == [("record line", 2)]


def test_a_record_that_is_gone_is_named(honest: Stage) -> None:
    class Without:
        def __init__(self) -> None:
            self._places = fleet_places(honest.store, -1)
            self.locator, self.own_backing = "", False

        def get(self, name: str, limit: int) -> bytes:
            return self._places.get(name, limit)

        def names(self, prefix: str, limit: int = 100) -> list[str]:
            return self._places.names(prefix, limit)

        def put(self, name: str, data: bytes) -> None:
            raise AssertionError

        def of(self, uid: int, locator: str) -> Any:
            return fleet_places(honest.store, -1).of(99 if uid == 4 else uid, locator)

    report = verified(honest, store=Without())
    assert {(one.what, one.uid) for one in report.wrong} == {("round record", 4)}
