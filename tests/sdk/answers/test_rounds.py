"""Rounds of answers in memory: pay follows scores, a copy gets nothing, a failing judge costs one score."""

import math
import time
from pathlib import Path
from typing import Any

import pytest

from subnetlab.answers.attackers import ATTACKERS
from subnetlab.answers.closed_rounds import record_of
from subnetlab.answers.miner import AnsweringMiner
from subnetlab.answers.payload import Answer
from subnetlab.answers.validator import JudgingValidator
from subnetlab.errors import SubnetLabError
from subnetlab.record.events import Mined, Scored, WeightsSet, from_json, to_json
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.roster import FixedRoster

from .adding import add, big, fail, half_right, hang, judge_sum, lie
from .stage import Stage


@pytest.fixture(scope="module")
def played() -> Stage:
    """One run that several tests look at: honest, wrong, hanging, raising, and every attacker."""
    functions = [add, lie, hang, fail, *[add] * len(ATTACKERS)]
    classes = {4 + place: kind for place, kind in enumerate(ATTACKERS.values())}
    return Stage(functions, judge_sum, validators=2, classes=classes, time_limit_s=0.5).play()


def test_the_honest_miner_has_the_whole_pay_and_no_other_has_any(played: Stage) -> None:
    replay = 4 + list(ATTACKERS).index("replay")
    assert {one.verdict for one in played.verdicts(0)} == {"accepted"}
    assert {one.score for one in played.verdicts(0)} == {1.0}
    for row in played.net.weights().values():
        assert row[0] > 0.5
        assert [uid for uid, weight in row.items() if weight and uid not in (0, replay)] == []


def test_each_refusal_says_why(played: Stage) -> None:
    said = {uid: {(one.verdict, one.reason) for one in played.verdicts(uid)} for uid in range(1, 4)}
    assert said[1] == {("no_score", "The answers were judged, and were worth nothing.")}
    assert said[2] == {("no_answer", "No task was answered: it took longer than its time limit.")}
    assert said[3] == {("no_answer", "No task was answered: it raised KeyError: 'c'.")}


def test_attacks_on_the_protocol_are_named(played: Stage) -> None:
    found = {word: {one.verdict for one in played.verdicts(4 + i)} for i, word in enumerate(ATTACKERS)}
    assert found["late"] == {"missing", "late"} or found["late"] == {"late"} or found["late"] == {"missing"}
    assert found["withheld"] == {"no_reveal"}
    assert found["garble"] == {"malformed"}
    assert found["copy"] <= {"bad_signature", "wrong_key", "wrong_hash", "no_reveal"}
    first, second = (one for one in played.verdicts(4 + list(ATTACKERS).index("replay"))[::2])
    assert first.score == 1.0
    assert second.score < 1.0, "answers of an earlier round fit no later one"


def test_two_validators_judge_alike_and_the_first_closes_every_round(played: Stage) -> None:
    uid = len(played.answers)
    assert [one.lead for one in played.closed()] == [uid, uid]
    for miner in range(uid):
        scores = played.verdicts(miner)
        assert [(s.score, s.verdict) for s in scores[::2]] == [(s.score, s.verdict) for s in scores[1::2]]


def test_what_a_model_would_have_is_absent_and_not_zero(played: Stage) -> None:
    mined = next(event for event in played.events if isinstance(event, Mined))
    scored = played.verdicts(0)[0]
    closed = played.closed()[0]
    numbers = [mined.loss, mined.compress_s, scored.norm, scored.loss_removed_held_out, closed.val_loss]
    assert all(math.isnan(number) for number in numbers)
    for event in (mined, scored, closed):
        assert to_json(event) == to_json(from_json(to_json(event)) or event)


def test_a_round_that_no_validator_reported_is_found_on_chain(played: Stage) -> None:
    roster, chain = FixedRoster(tuple(played.seats)), played.net.chain("reader")
    place = played.peers[len(played.answers)].store
    for number in (0, 1):
        found = record_of(played.told, number, roster, chain, place)
        assert found is not None
        record, lead = found
        assert lead == played.closed()[number].lead
        assert [[e.uid, e.payload_hash] for e in record.entries if e.score] == played.closed()[
            number
        ].accepted


def test_weights_are_in_proportion_to_scores() -> None:
    stage = Stage(
        [add, half_right], judge_sum, tasks=[{"a": n, "b": 1} for n in range(2)], tasks_per_round=40
    )
    stage.play()
    half = [one.score for one in stage.verdicts(1)]
    assert all(0.15 < score < 0.85 for score in half)
    (row,) = stage.net.weights().values()
    rating = 0.8 * half[0] + 0.2 * half[1]
    assert row[1] / row[0] == pytest.approx(rating, rel=1e-3)


def test_every_miner_is_given_other_tasks_which_no_block_before_the_open_tells() -> None:
    def sides(random: Any) -> dict[str, int]:
        return {"a": random.randrange(10**9), "b": random.randrange(10**9)}

    def tell(task: dict[str, int]) -> list[int]:
        return [task["a"], task["b"]]

    def known(task: dict[str, int], answer: list[int]) -> float:
        return float(answer == [task["a"], task["b"]])

    stage = Stage([tell, tell], known, tasks=sides).play()
    assert {one.score for uid in (0, 1) for one in stage.verdicts(uid)} == {1.0}
    hashes = {row[1] for closed in stage.closed() for row in closed.accepted}
    assert len(hashes) == 4, "two miners or two rounds had the same answers, and so the same tasks"


def test_a_judge_that_fails_on_an_answer_costs_its_miner_that_round_alone() -> None:
    def odd(task: dict[str, int], answer: Any) -> float:
        if answer == "nan":
            return float("nan")
        if answer == "hang":
            while True:
                pass
        return 1.0 / answer if isinstance(answer, int) else answer["a"]

    def nan(task: dict[str, int]) -> str:
        return "nan"

    def endless(task: dict[str, int]) -> str:
        return "hang"

    def zero(task: dict[str, int]) -> int:
        return 0

    def once(task: dict[str, int]) -> Any:
        return 2

    stage = Stage([once, nan, endless, zero], odd, time_limit_s=0.5).play()
    assert {one.score for one in stage.verdicts(0)} == {0.5}
    said = {uid: {(one.verdict, one.score) for one in stage.verdicts(uid)} for uid in (1, 2, 3)}
    assert set.union(*said.values()) == {("judge_failed", 0.0)}
    reasons = [stage.verdicts(uid)[0].reason for uid in (1, 2, 3)]
    assert "holds NaN or infinity" in reasons[0]
    assert "took longer than its time limit" in reasons[1]
    assert "ZeroDivisionError" in reasons[2]


def test_a_judge_draws_what_no_miner_knew_and_every_validator_draws_alike() -> None:
    def dice(task: dict[str, int], answer: int, random: Any) -> float:
        return random.random()

    stage = Stage([add], dice, validators=2, rounds=3).play()
    scores = [one.score for one in stage.verdicts(0)]
    assert scores[::2] == scores[1::2]
    assert len(set(scores)) == 3


class TooLarge(AnsweringMiner):
    """Sends answers that no miner's own process would let pass."""

    def answers(self, heights: RoundHeights) -> list[Answer]:
        del heights
        return [Answer("x" * 900)] * self.manifest.tasks_per_round


class Few(AnsweringMiner):
    """Sends fewer answers than there are tasks."""

    def answers(self, heights: RoundHeights) -> list[Answer]:
        return super().answers(heights)[:1]


def test_answers_that_are_too_large_or_too_few_are_refused_and_cost_no_other_miner() -> None:
    stage = Stage(
        [add, big, add, add], judge_sum, classes={2: TooLarge, 3: Few}, answer_bytes=500, tasks_per_round=3
    ).play()
    assert {one.verdict for one in stage.verdicts(0)} == {"accepted"}
    assert "has 902 bytes, and 500 are allowed" in stage.verdicts(1)[0].reason
    assert {one.verdict for one in stage.verdicts(2)} == {"too_large"}
    assert {one.verdict for one in stage.verdicts(3)} == {"malformed"}


def test_a_validator_that_judges_falsely_is_on_record_beside_the_others() -> None:
    def bribed(task: dict[str, int], answer: int) -> float:
        return float(answer == 7)

    stage = Stage([add, lie], judge_sum, validators=2, judges={3: bribed}).play()
    rows = stage.net.weights()
    hotkeys = [seat.hotkey for seat in stage.seats]
    assert rows[hotkeys[2]][0] == 1
    assert rows[hotkeys[3]][1] == 1


def test_a_validator_that_is_started_again_rates_and_links_as_it_did(played: Stage) -> None:
    uid = len(played.answers)
    before = played.peers[uid]
    assert isinstance(before, JudgingValidator)
    again = played.peer(played.seats[uid])
    assert isinstance(again, JudgingValidator)
    mine = (event for event in played.events if isinstance(event, Scored) and event.validator == uid)
    again.recall(mine)
    assert again.ratings.of == pytest.approx(before.ratings.of)
    assert again.previous() == before.previous() != "0" * 64


def test_a_function_keeps_what_it_remembers_and_files_in_a_folder_of_its_own() -> None:
    def keep(task: dict[str, int]) -> list[int]:
        mine = Path("kept")
        seen = len(mine.read_text()) if mine.exists() else 0
        mine.write_text("x" * (seen + 1))
        return [seen]

    def growing(task: dict[str, int], answer: list[int]) -> float:
        return answer[0]

    stage = Stage([keep, keep], growing, tasks_per_round=1, rounds=3).play()
    assert [one.score for one in stage.verdicts(0)] == [one.score for one in stage.verdicts(1)] == [0, 1, 2]


def test_a_slow_miner_delays_a_round_by_no_more_than_its_limit() -> None:
    began = time.monotonic()
    stage = Stage([add, hang], judge_sum, time_limit_s=0.3, rounds=1).play()
    assert stage.verdicts(0)[0].score == 1.0
    assert time.monotonic() - began < 30, "the time limit did not end the call"


def test_a_store_that_all_peers_share_serves_as_well() -> None:
    stage = Stage([add, lie], judge_sum, places=False, validators=2).play()
    assert {one.score for one in stage.verdicts(0)} == {1.0}
    assert len(stage.closed()) == 2


def test_votes_are_reported_as_the_chain_holds_them(played: Stage) -> None:
    votes = [event for event in played.events if isinstance(event, WeightsSet)]
    assert {vote.round for vote in votes} == {0, 1}
    assert all(vote.weights["0"] == 65535 for vote in votes)


def test_tasks_that_fail_in_a_round_end_the_peer_with_a_sentence() -> None:
    def never(random: Any) -> dict[str, int]:
        raise RuntimeError("no task today")

    with pytest.raises(SubnetLabError, match="A task cannot be made: it raised RuntimeError: no task today"):
        Stage([add], judge_sum, tasks=never).play()
