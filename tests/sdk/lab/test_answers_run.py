"""`subnet.run` on the embedded devnet: two functions become a subnet whose pay follows the scores."""

import threading
from collections.abc import Iterator
from itertools import count
from math import isnan
from typing import Any

import pytest

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, ManifestInvalid, RunNotFinished, SubnetLabError
from subnetlab.lab.run import Run
from subnetlab.lab.session import Net
from subnetlab.lab.subnet import Subnet

LIMIT_S = 300.0
TASKS = [{"a": number, "b": 2 * number} for number in range(1, 20)]
FEW = sl.LocalFleet(miners=1, validators=1, baseline=False)


def _of_cells() -> tuple[Any, Any]:
    """Two functions as a notebook has them: not importable, and with a helper of another cell."""

    def plus(a: int, b: int) -> int:
        return a + b

    @sl.miner
    def add(task: dict[str, int]) -> int:
        return plus(task["a"], task["b"])

    @sl.validator
    def judge(task: dict[str, int], answer: Any) -> float:
        return float(answer == plus(task["a"], task["b"]))

    return add, judge


add, judge = _of_cells()


@pytest.fixture(scope="module")
def run(shared_net: Net) -> Run:
    """One run for several tests: honest, half right, lying, slow, failing, and a copier."""

    def lie(task: dict[str, int]) -> int:
        return -1

    def half(task: dict[str, int]) -> int:
        return task["a"] + task["b"] if task["a"] % 2 else -1

    def slow(task: dict[str, int]) -> int:
        import time

        while True:
            time.sleep(1)

    def fail(task: dict[str, int]) -> int:
        return task["c"]

    shared_net.reset()
    subnet = shared_net.create_subnet("adding", wallet="alice")
    fleet = sl.LocalFleet(miners=6, validators=2, attackers={"copy": 1})
    given = [add, half, lie, slow, fail, add]
    made = subnet.run(given, judge, tasks=TASKS, rounds=8, fleet=fleet, time_limit_s=1.0)
    pause = threading.Event()
    while made.round < 1:
        pause.wait(0.05)
    made.kill(max(made.view.uids("validator")), restart=True)
    assert made.join(1) == (9,)
    return made.wait(LIMIT_S)


def test_pay_follows_the_scores(run: Run) -> None:
    pay = {uid: run.view.pay.total(uid) for uid in run.view.mining if uid != 9}
    honest, half, *others = sorted(pay, key=lambda uid: -pay[uid])
    assert (honest, half) == (1, 2)
    assert [pay[uid] for uid in others] == [0] * 4
    scores = run.verdict().frame().filter(sl_uid(2))["score"][0]
    assert pay[2] / pay[1] == pytest.approx(scores, abs=0.25)
    assert 0.1 < scores < 0.9


def sl_uid(uid: int) -> Any:
    import polars as pl

    return pl.col("uid") == uid


def test_each_miner_without_a_score_is_named_with_its_reason(run: Run) -> None:
    reasons = {uid: run.view.reason(uid) for uid in (3, 4, 5)}
    assert reasons[3] == "The answers were judged, and were worth nothing."
    assert reasons[4] == "No task was answered: it took longer than its time limit."
    assert reasons[5] == "No task was answered: it raised KeyError: 'c'."
    assert run.view.role(6) == "copy"
    assert run.view.pay.total(6) == 0


def test_the_run_speaks_of_scores_and_of_no_loss(run: Run) -> None:
    said = str(run.verdict())
    assert run.status == "finished"
    assert "Three of seven strangers earned scores" in run.headline
    assert "Uid 6, a copycat, earned nothing." in said
    pages = [said, str(run.explain(1)), str(run.explain(4)), run.page(), run.picture(), repr(run)]
    assert [page for page in pages if "loss" in page.lower() or "nan" in page.lower()] == []
    assert "Mean score of all miners; higher is better" in run.picture()


def test_a_miner_that_joins_answers_with_the_first_function(run: Run) -> None:
    scores = run.frame("miners").filter(sl_uid(9))["score"].to_list()
    assert scores[-1] == 1.0
    assert len(scores) < 8
    assert run.view.seats[9]["role"] == "miner"


def test_a_validator_that_was_killed_judges_on_as_before(run: Run) -> None:
    first, second = run.view.uids("validator")
    votes = run.view.miners[1].votes
    last = max(votes)
    assert {first, second} == set(votes[last]), "it did not come back"
    assert votes[last][second].rating == 1.0
    assert sorted(run.view.over) == list(range(8))


def test_frames_leave_out_what_is_not_there(run: Run) -> None:
    miners, rounds, judged = (run.frame(name) for name in ("miners", "rounds", "validators"))
    for frame, absent in (
        (miners, ["loss", "dense_bytes", "compress_s"]),
        (rounds, ["val_loss", "dense_bytes", "aggregate_hash", "theta_hash", "aggregate_s"]),
        (judged, ["loss_removed_assigned", "loss_removed_held_out", "norm", "own_work", "noise"]),
    ):
        assert {name: frame[name].null_count() for name in absent} == dict.fromkeys(absent, frame.height)
    assert miners["score"].null_count() == 0
    assert run.frame("metrics")["metric"].unique().to_list() == ["score"]
    assert not any(isnan(value) for value in run.frame("metrics")["value"])
    assert run.frame("losses").height == 0


def test_the_run_has_no_model_and_says_so(run: Run) -> None:
    with pytest.raises(RunNotFinished, match="answered tasks instead of training"):
        run.result()
    with pytest.raises(ManifestInvalid, match="trains no model"):
        run.state_dict()


def test_a_third_party_judges_again_and_names_what_was_altered(run: Run) -> None:
    report = run.verify()
    assert report.wrong == [], report
    assert report.rounds == 8
    assert report.checks["scores"].done >= 8 * 6
    name = next((run.folder / "store").glob("*/records/*"))
    kept = name.read_bytes()
    name.unlink()
    name.write_bytes(kept.replace(b'"score":1.0', b'"score":0.5', 1))
    altered = run.verify()
    assert [finding.what for finding in altered.wrong] == ["round record"]
    assert altered.wrong[0].uid == int(name.parent.parent.name)
    name.unlink()
    name.write_bytes(kept)


def test_a_run_of_answers_is_saved_and_replayed(run: Run, tmp_path: Any) -> None:
    kept = sl.open(run.save(tmp_path / "run.zip"))
    assert kept.headline == run.headline
    assert str(kept.verdict()) == str(run.verdict())


@pytest.fixture(scope="module")
def subnet(shared_net: Net) -> Subnet:
    return shared_net.create_subnet("refusing", wallet="bob")


def endless() -> Iterator[int]:
    yield from count()


class Thing:
    pass


@pytest.mark.parametrize(
    ("answer", "judged", "options", "said"),
    [
        (3, judge, {}, "answer is an int and no function"),
        (lambda: 1, judge, {}, "cannot be called with one argument"),
        (add, lambda task: 1, {}, "cannot be called with two arguments"),
        (judge, add, {}, "is a function of the validator"),
        ([], judge, {}, "answer is an empty list"),
        ([add, add], judge, {}, "2 functions were given for 1 miners"),
        (add, judge, {"tasks": []}, "tasks is empty"),
        (add, judge, {"tasks": endless()}, "tasks has more than 10,000, or no end"),
        (add, judge, {"tasks": "abc"}, "tasks is a str"),
        (add, judge, {"tasks": [Thing()]}, "Task 1 of 1 holds a Thing, which is no JSON value"),
        (add, judge, {"tasks": ["x" * 300_000]}, "Task 1 of 1 has 300,002 bytes"),
        (add, judge, {"tasks": lambda: 1}, "cannot be called with one argument"),
        (add, judge, {"tasks": lambda random: __import__("os").urandom(8).hex()}, "two different tasks"),
        (add, judge, {"tasks": lambda random: None}, "tasks made nothing: it returned None"),
        (add, judge, {"tasks": [{"a": 1}]}, "add failed on the task .*KeyError: 'b'"),
        (lambda task: "x" * 70_000, judge, {}, "has 70,002 bytes, and 65,536 are allowed"),
        (lambda task: {1, 2}, judge, {}, "holds a set, which is no JSON value"),
        (add, lambda task, answer: "good", {}, "failed on the task .* ValueError: could not convert"),
        (add, lambda task, answer: float("nan"), {}, "holds NaN or infinity"),
        (add, lambda task, answer: 1e300, {}, "gave 1e\\+300"),
        (add, lambda task, answer: -1, {}, "judge gave -1. Give a number from 0"),
        (lambda task: task["c"], judge, {}, "^answer failed on the task"),
        (add, judge, {"rounds": 0}, "rounds=0 is out of range"),
        (add, judge, {"time_limit_s": 0}, "time_limit_s=0 is out of range"),
        (add, judge, {"time_limit_s": 500}, "is no less than the 120 s that a round waits"),
        (add, judge, {"fleet": sl.LocalFleet(attackers={"poison": 1})}, "'poison' attacks training"),
        (add, judge, {"fleet": sl.RayFleet(address="127.0.0.1:1")}, "run of answers run on this machine"),
        (add, judge, {"epochs": 3}, "has no option 'epochs'"),
    ],
)
def test_bad_input_costs_one_sentence_and_nothing_else(
    subnet: Subnet, answer: Any, judged: Any, options: dict[str, Any], said: str
) -> None:
    before = subnet.net.balance("bob"), len(subnet.metagraph().neurons)
    with pytest.raises((ArgumentInvalid, SubnetLabError), match=said) as raised:
        subnet.run(answer, judged, **{"tasks": TASKS, "fleet": FEW, **options})
    assert raised.value.hint or str(raised.value).count(".") >= 1
    assert (subnet.net.balance("bob"), len(subnet.metagraph().neurons)) == before
