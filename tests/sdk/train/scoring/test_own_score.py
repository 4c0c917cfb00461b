"""A score of one's own: what it may ask for, how it travels, and that it alone decides what is paid."""

import json
from typing import Any

import pytest

from subnetlab.errors import ArgumentInvalid, ManifestInvalid, ScoreFailed, TrainError
from subnetlab.record.events import Scored, WeightsSet
from subnetlab.record.reasons import in_words
from subnetlab.train.manifest import Manifest, audited
from subnetlab.train.scoring.own import KNOWN, score_of, worth, worths

from ..conftest import MakeManifest, MakeRehearsal  # noqa: TID252

HALF = 0.5


def by_place(norm: float, held_out: float) -> float:
    return HALF * norm if held_out > 0 else 0.0


def of_notebook(source: str, **names: Any) -> Any:
    """A function as a cell defines it: not importable, with its source at hand."""
    import linecache

    text = f"{source}\n"
    linecache.cache["<cell>"] = (len(text), None, text.splitlines(keepends=True), "<cell>")
    namespace: dict[str, Any] = {"__name__": "__main__", **names}
    exec(compile(text, "<cell>", "exec"), namespace)
    return namespace["mine"]


def test_a_score_of_a_cell_takes_along_what_it_uses_and_is_part_of_the_manifest(
    make_manifest: MakeManifest,
) -> None:
    mine = of_notebook("def mine(held_out, norm):\n    return HALF * held_out / norm", HALF=0.5)
    code = score_of(mine)
    assert code.text
    assert worth(code, {**KNOWN, "held_out": 0.2, "norm": 2.0}) == 0.05
    manifest = make_manifest(scoring=audited(0.0, code))
    told = json.loads(json.dumps(manifest.to_json()))
    assert Manifest.from_json(told) == manifest
    assert manifest.hash != make_manifest().hash
    with pytest.raises(ManifestInvalid, match="code of its author"):
        Manifest.from_json(told, trusted=False)
    assert "score" not in make_manifest().to_json()["scoring"]


WRONG: dict[str, tuple[Any, str]] = {
    "a number": (3, "no function"),
    "something unknown": ("accuracy: accuracy", "asks for accuracy"),
    "nothing": (": 1.0", "asks for nothing"),
    "below 0": ("held_out: -held_out", "returned -0.01"),
    "no number": ("held_out: 'much'", "ValueError"),
    "what fails": ("norm: 1 / (norm - norm)", "ZeroDivisionError"),
    "not finite": ("norm: norm * float('nan')", "returned nan"),
}
"""By what is wrong with each: a value, or what follows `lambda`, and what is said of it."""


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_score_is_refused_before_anything_starts(name: str) -> None:
    given, said = WRONG[name]
    with pytest.raises(ArgumentInvalid, match=said):
        score_of(of_notebook(f"mine = lambda {given}") if isinstance(given, str) else given)


def test_pay_follows_the_score_and_the_gate_stays(rehearse: MakeRehearsal) -> None:
    run = rehearse(
        "miner", "miner", "free_rider", "validator", "validator", rounds=3,
        scoring=audited(0.0, score_of(by_place)),
    )  # fmt: skip
    run.run()
    scored = [event for event in run.events if isinstance(event, Scored)]
    for event in scored:
        expected = HALF * event.norm if event.verdict == "accepted" else 0.0
        assert event.score == pytest.approx(expected), event
    assert {event.verdict for event in scored if event.uid == 2} == {"gated"}
    votes = [event.weights for event in run.events if isinstance(event, WeightsSet) and event.round == 2]
    assert votes[0] == votes[1]
    assert votes[0]["2"] == 0 < min(votes[0]["0"], votes[0]["1"])


@pytest.mark.parametrize("worth_of", ["1 / norm", "norm * float('nan') if norm < 1 else norm", "norm - 0.5"])
def test_one_payload_on_which_a_score_fails_earns_nothing_and_costs_the_others_nothing(worth_of: str) -> None:
    code = score_of(of_notebook(f"mine = lambda norm: {worth_of}"))
    scores, reasons = worths(code, {3: {**KNOWN, "norm": 0.0}, 4: {**KNOWN, "norm": 1.0}})
    assert scores[3] == 0
    assert scores[4] > 0
    assert list(reasons) == [3]
    assert "so the payload earns nothing" in reasons[3]
    alone, _ = worths(code, {3: {**KNOWN, "norm": 0.0}})
    assert alone == {3: 0.0}, "one miner's payload ended the validator"


def test_a_score_below_0_ends_no_run_and_the_record_says_why_nothing_was_earned(
    rehearse: MakeRehearsal,
) -> None:
    late = of_notebook("def mine(round):\n    return 1.0 if round < 1 else -1.0")
    run = rehearse("miner", "miner", "validator", rounds=2, scoring=audited(0.0, score_of(late)))
    run.run()
    last = [event for event in run.events if isinstance(event, Scored) and event.round == 1]
    assert [(event.verdict, event.score) for event in last] == [("accepted", 0.0)] * 2
    assert {in_words(event) for event in last} == {
        "The score 'mine' returned -1, so the payload earns nothing."
    }


def test_a_score_that_fails_on_every_payload_ends_the_run_with_its_own_words(
    rehearse: MakeRehearsal,
) -> None:
    late = of_notebook("def mine(round):\n    return 1.0 if round < 1 else [][round]")
    run = rehearse("miner", "miner", "validator", rounds=3, scoring=audited(0.0, score_of(late)))
    with pytest.raises(TrainError, match="The score 'mine' failed: IndexError") as caught:
        run.run()
    assert isinstance(caught.value.__cause__, ScoreFailed)
