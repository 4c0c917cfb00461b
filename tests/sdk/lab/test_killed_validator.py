"""A run in which a validator was killed verifies: by what others wrote, or with the reason why it cannot."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import subnetlab as sl
from subnetlab.lab.verification import verify_folder
from subnetlab.network.commit_history import read_history
from subnetlab.network.wire_client import WireClient
from subnetlab.train.verify.findings import Report
from subnetlab.train.verify.log import Log, Validate, read_log

from .tampering import Event, World, of

ROUNDS = 4


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A run whose aggregates are uploaded after their records, as peers gather the payloads."""
    drawn = np.random.default_rng(7)
    words = ["every", "validator", "that", "is", "killed", "leaves", "a", "round", "for", "others"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBNETLAB_HOME", str(tmp_path_factory.mktemp("home")))
        with sl.connect(sealing="manual") as net:
            run = net.create_subnet("proof", wallet="alice").train(
                model=sl.models.TinyGPT("demo", n_embd=16, n_layer=1, n_head=2, seq_len=16),
                data=sl.data.text(" ".join(drawn.choice(words, 30_000)), name="words"),
                strategy=sl.strategies.StreamingDiLoCo(inner_steps=4, overlap=2, fragments=2),
                rounds=ROUNDS, batch_size=2, seed=7,
                fleet=sl.LocalFleet(miners=3, validators=2, baseline=False),
            )  # fmt: skip
            run.wait(timeout=300)
            view, client = run.view, WireClient(run.endpoint)
            assert view.started is not None
            history = read_history(client, run.netuid, view.started.block, view.block)
            client.close()
            yield World(run.folder, history, tuple(view.uids("miner")), tuple(view.uids("validator")))


@pytest.fixture
def copy(world: World, tmp_path: Path) -> World:
    return world.copy(tmp_path / "copy")


def verified(world: World, replay: float = 0.0) -> Report:
    return verify_folder(world.folder, replay=replay, history=world.history)


def test_an_aggregate_that_was_never_uploaded_is_made_again_from_its_payloads(copy: World) -> None:
    """Every validator was killed between the record that it anchored and the upload that follows."""
    while paths := copy.objects("rounds/000001/aggregate/*"):
        paths[0].unlink()
    report = verified(copy)
    assert report.verified, report
    assert "made again from their payloads" in report.checks["aggregates"].note


def test_an_aggregate_that_no_payload_makes_again_is_unchecked_by_name(copy: World) -> None:
    while paths := copy.objects("rounds/000001/aggregate/*"):
        paths[0].unlink()
    copy.sealed(2, copy.uid("m0")).unlink()
    report = verified(copy)
    assert report.wrong == [], report
    assert ("aggregate", 2, copy.uid("v0")) in {(one.what, one.round, one.uid) for one in report.open}


def killed_while_telling(world: World, *places: str, kept: int = 1) -> None:
    """Leave so many verdicts of validators in the last round, and say on record that they were killed."""
    events = world.events()
    for place in places:
        uid, seen = world.uid(place), 0
        left: list[Event] = []
        for event in events:
            ours = event.get("validator") == uid and event.get("round") == ROUNDS - 1
            seen += ours and event["kind"] == "scored"
            if not ours or (event["kind"] == "scored" and seen <= kept):
                left.append(event)
        gone: Event = {"kind": "peer_gone", "uid": uid, "reason": "Its process was killed by SIGKILL."}
        events = [*left[:-1], gone, left[-1]]
    world.rewrite(events)


@pytest.mark.parametrize("replay", [0.0, 1.0])
def test_verdicts_that_break_off_are_completed_by_another_validators(copy: World, replay: float) -> None:
    killed_while_telling(copy, "v1")
    report = verified(copy, replay)
    assert report.verified, report


def test_verdicts_that_break_off_at_every_validator_are_named_and_no_tampering(copy: World) -> None:
    killed_while_telling(copy, "v0", "v1")
    report = verified(copy)
    assert report.wrong == [], report
    named = {(one.what, one.round, one.uid) for one in report.open}
    assert named == {("score", ROUNDS, copy.uid(place)) for place in ("v0", "v1")}
    assert all("A kill leaves that" in one.said for one in report.open)


def test_a_false_rating_is_tampering_though_the_verdicts_break_off(copy: World) -> None:
    killed_while_telling(copy, "v1")
    copy.change(of("scored", ROUNDS, validator=copy.uid("v1")), rating=7.5)
    assert {(one.what, one.round) for one in verified(copy).wrong} == {("score", ROUNDS)}


Change = Callable[[Log], None]


def told_by_peers(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Read the record as what the peers of a public run report of themselves, some of which is missing."""

    def reported(path: Path, report: Report, validate: Validate) -> Log:
        log = read_log(path, report, validate)
        log.of_peers = log.interrupted = True
        change(log)
        return log

    monkeypatch.setattr("subnetlab.lab.verification.read_log", reported)


def without(world: World, *places: str) -> Change:
    """Leave out what validators reported of the second round."""

    def change(log: Log) -> None:
        for place in places:
            log.scored.pop((1, world.uid(place)))
            log.weights.pop((1, world.uid(place)), None)

    return change


def test_a_report_that_no_store_took_is_made_up_for_by_another_validators(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    """The validator knew its verdicts all the same, and its later ratings follow from them."""
    told_by_peers(monkeypatch, without(world, "v1"))
    report = verified(world)
    assert report.verified, report


def test_what_no_validator_reported_is_named_and_no_tampering(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    told_by_peers(monkeypatch, without(world, "v0", "v1"))
    report = verified(world)
    assert report.wrong == [], report
    assert {one.uid for one in report.open} == {world.uid("v0"), world.uid("v1")}
    assert all("did not report its verdicts of round 2" in one.said for one in report.open)


def test_a_false_rating_is_tampering_where_every_report_is_there(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    def lie(log: Log) -> None:
        verdicts = log.scored[2, world.uid("v1")]
        verdicts[0] = replace(verdicts[0], rating=verdicts[0].rating + 0.5)

    told_by_peers(monkeypatch, lie)
    assert {(one.what, one.round) for one in verified(world).wrong} == {("score", 3)}
