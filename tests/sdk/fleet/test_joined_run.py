"""Everything joined for real: node, wire, supervisor, forked peers, training, epochs, pay, record."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from tests.sdk.fleet.joined import BASELINES, Described, JoinedSubnet, joined_subnet

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.fork_launcher import ForkLauncher
from subnetlab.fleet.launch import is_running, request_stop, start_supervisor, status
from subnetlab.fleet.local import LocalFleet
from subnetlab.fleet.run_folder import CONFIG_FILE, MODEL_FILE, RESULT_FOLDER
from subnetlab.fleet.supervisor.recorder import RECONCILE_ROUNDS
from subnetlab.record.events import (
    BaselineEvaluated,
    BlockSealed,
    EpochPaid,
    Event,
    PeerGone,
    PeerReady,
    RoundClosed,
    RoundLost,
    RunEnded,
    RunStarted,
    from_json,
)
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import verify


@pytest.fixture(scope="module")
def subnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JoinedSubnet]:
    with joined_subnet(
        tmp_path_factory.mktemp("node"), LocalFleet(miners=3, validators=2, free_riders=1)
    ) as made:
        yield made


def seats_of(subnet: JoinedSubnet, *, miners: int, validators: int) -> tuple[object, ...]:
    return (
        *[seat for seat in subnet.seats if seat.role == "miner"][:miners],
        *[seat for seat in subnet.seats if seat.role == "validator"][:validators],
    )


def family(run: Described) -> list[psutil.Process]:
    """The supervisor's process and all below it."""
    supervisor = psutil.Process(json.loads((run.folder / "supervisor.json").read_text())["pid"])
    return [supervisor, *supervisor.children(recursive=True)]


def nobody_left(processes: list[psutil.Process]) -> bool:
    _, left = psutil.wait_procs(processes, timeout=300)
    return not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]


def test_a_run_trains_pays_and_leaves_a_model_that_anyone_can_prove(
    subnet: JoinedSubnet, tmp_path: Path
) -> None:
    with subnet.run(tmp_path / "whole", rounds=4, seats=(*subnet.seats, *BASELINES)) as run:
        pid = start_supervisor(run.folder)
        run.until(PeerReady, uid=subnet.seats[-1].uid)
        started = family(run)
        assert started[0].pid == pid
        with pytest.raises(FleetStartFailed, match="running already"):
            start_supervisor(run.folder)
        ended = run.ended()
        assert (ended.status, ended.reason) == ("finished", "")
        assert nobody_left(started)
    check_rounds(subnet, run)
    check_pay(subnet, run)
    check_model(run)
    check_reconciled(run)
    assert subnet.client.dev.info()["sealing"] == "instant"
    assert verify(run.folder / FILE_NAME).torn_bytes == 0
    with pytest.raises(FleetStartFailed, match="is over"):
        start_supervisor(run.folder)


def check_reconciled(run: Described) -> None:
    """What the leads reported is what anybody finds out afterwards; of round 4 nothing is on chain."""
    launcher = ForkLauncher(run.folder, 0.0)
    answer = launcher.call(RECONCILE_ROUNDS, str(run.folder), [0, 1, 3, 4])
    found = [from_json(data) for data in answer["events"]]
    reported = {event.round: replace(event, aggregate_s=0.0) for event in run.events(RoundClosed)}
    assert found[:3] == [reported[0], reported[1], reported[3]]
    assert isinstance(found[3], RoundLost)


def check_rounds(subnet: JoinedSubnet, run: Described) -> None:
    events = run.all_events()
    assert isinstance(events[0], RunStarted)
    assert events[0].play_money is True
    assert isinstance(events[-1], RunEnded)
    assert {event.uid for event in run.events(PeerReady)} == {
        seat.uid for seat in (*subnet.seats, *BASELINES)
    }
    closed = run.events(RoundClosed)
    assert [event.round for event in closed] == [0, 1, 2, 3]
    assert closed[-1].val_loss < closed[0].val_loss
    check_baselines(run)
    assert not run.events(PeerGone)
    numbers = [event.number for event in run.events(BlockSealed)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    opens = {event.round: event.number for event in reversed(run.events(BlockSealed)) if event.round >= 0}
    assert [opens[event.round] for event in closed] == [event.heights[0] for event in closed]


def check_baselines(run: Described) -> None:
    """Three steps a round: each baseline is there to the end of its own budget."""
    steps: dict[str, list[int]] = {}
    for event in run.events(BaselineEvaluated):
        steps.setdefault(event.baseline, []).append(event.step)
        assert event.cpu_s > 0
    assert steps == {"alone": [3, 6, 9, 12], "alone_2x": list(range(3, 27, 3)), "ddp": [3, 6, 9, 12]}


def check_pay(subnet: JoinedSubnet, run: Described) -> None:
    paid = run.events(EpochPaid)
    assert paid
    assert paid[-1].block > run.events(RoundClosed)[-1].heights[-1]
    last = {uid: i for i, uid in enumerate(paid[-1].uids)}
    for uid in subnet.uids("miner"):
        assert paid[-1].incentive[last[uid]] > 0
        assert paid[-1].emission_alpha_rao[last[uid]] > 0
    for uid in subnet.uids("free_rider"):
        assert {event.incentive[event.uids.index(uid)] for event in paid} == {0}
    assert set(paid[-1].weights) == {str(uid) for uid in subnet.uids("validator")}
    assert all(paid[-1].validator_permit[last[uid]] for uid in subnet.uids("validator"))


def check_model(run: Described) -> None:
    from safetensors import safe_open

    config = json.loads((run.folder / RESULT_FOLDER / CONFIG_FILE).read_text())
    assert config["theta_hash"] == run.events(RoundClosed)[-1].theta_hash
    with safe_open(run.folder / RESULT_FOLDER / MODEL_FILE, "pt") as tensors:
        assert sum(tensors.get_tensor(name).numel() for name in tensors.keys()) == config["parameters"]  # noqa: SIM118


def test_a_killed_miner_and_a_killed_lead_are_noted_and_the_run_goes_on(
    subnet: JoinedSubnet, tmp_path: Path
) -> None:
    seats = seats_of(subnet, miners=2, validators=2)
    with subnet.run(tmp_path / "two-die", rounds=4, seats=seats) as run:
        start_supervisor(run.folder)
        run.until(RoundClosed, round=0)
        pids = {event.uid: event.pid for event in run.events(PeerReady)}
        victims = [subnet.uids("miner")[0], run.events(RoundClosed)[0].lead]
        for victim in victims:
            os.kill(pids[victim], signal.SIGKILL)
        assert run.ended().status == "finished"
    gone = {event.uid: event.reason for event in run.events(PeerGone)}
    assert set(gone) == set(victims)
    assert all("SIGKILL" in reason for reason in gone.values())
    rounds = [event.round for event in run.all_events() if isinstance(event, RoundClosed | RoundLost)]
    assert rounds == [0, 1, 2, 3]
    assert run.events(RoundClosed)[-1].lead not in victims
    check_model(run)


def test_stop_ends_a_run_in_order_and_keeps_what_it_trained(subnet: JoinedSubnet, tmp_path: Path) -> None:
    seats = seats_of(subnet, miners=1, validators=1)
    with subnet.run(tmp_path / "stopped", rounds=1000, seats=seats) as run:
        start_supervisor(run.folder)
        run.until(RoundClosed, round=1)
        started, told = family(run), status(run.folder)
        assert told["run_id"] == "stopped"
        assert {peer["state"] for peer in told["peers"]} == {"live"}
        with subnet.run(tmp_path / "second", rounds=1, seats=seats) as second:
            with pytest.raises(FleetStartFailed, match="Run stopped paces this chain"):
                start_supervisor(second.folder)
            assert not second.all_events()
        request_stop(run.folder)
        ended = run.ended()
        assert ended.status == "stopped"
        assert nobody_left(started)
    assert not run.events(PeerGone)
    check_model(run)
    assert status(run.folder) == {}
    request_stop(run.folder)  # a run that is over needs nothing


def test_a_killed_supervisor_takes_its_peers_along_and_leaves_a_valid_record(
    subnet: JoinedSubnet, tmp_path: Path
) -> None:
    seats = seats_of(subnet, miners=1, validators=1)
    with subnet.run(tmp_path / "beheaded", rounds=1000, seats=seats) as run:
        start_supervisor(run.folder)
        run.until(RoundClosed, round=0)
        started = family(run)
        assert len(started) >= 4
        started[0].kill()
        assert nobody_left(started)
        assert not is_running(run.folder)
        assert verify(run.folder / FILE_NAME).entries == len(run.all_events())
        assert not run.events(RunEnded)
        before = run.all_events()
        check_taken_up(subnet, run, before)


def check_taken_up(subnet: JoinedSubnet, run: Described, before: list[Event]) -> None:
    """The next supervisor goes on where the record ends, and gives the chain back as the first found it."""
    start_supervisor(run.folder)
    closed = {event.round for event in before if isinstance(event, RoundClosed)}
    run.until(RoundClosed, round=max(closed, default=0) + 3)
    request_stop(run.folder)
    assert run.ended().status == "stopped"
    events = run.all_events()
    assert events[: len(before)] == before
    assert len(run.events(RunStarted)) == 1
    rounds = [event.round for event in events if isinstance(event, RoundClosed | RoundLost)]
    assert rounds == list(range(len(rounds)))
    numbers = [event.number for event in run.events(BlockSealed)]
    assert numbers == sorted(set(numbers))
    assert subnet.client.dev.info()["sealing"] == "instant"
    check_model(run)


def test_without_validators_a_run_stops_and_the_next_supervisor_goes_on(
    subnet: JoinedSubnet, tmp_path: Path
) -> None:
    seats = seats_of(subnet, miners=1, validators=1)
    with subnet.run(tmp_path / "no-judge", rounds=1000, seats=seats) as run:
        start_supervisor(run.folder)
        run.until(BlockSealed, round=0)
        judge = next(event for event in run.events(PeerReady) if event.uid in subnet.uids("validator"))
        os.kill(judge.pid, signal.SIGKILL)
        assert run.interrupted().reason.startswith("Every validator is gone.")
        assert subnet.client.dev.info()["sealing"] == "instant"
        before = run.all_events()
        check_taken_up(subnet, run, before)


def test_a_run_whose_first_block_has_passed_is_refused_and_nothing_is_recorded(
    subnet: JoinedSubnet, tmp_path: Path
) -> None:
    seats = seats_of(subnet, miners=1, validators=1)
    with subnet.run(tmp_path / "too-late", rounds=1, seats=seats) as run:
        subnet.client.dev.seal(5)
        with pytest.raises(FleetStartFailed, match="Round 0 was due"):
            start_supervisor(run.folder)
        assert not run.all_events()
        assert subnet.client.dev.info()["sealing"] == "instant"


def test_a_run_whose_node_dies_stops_where_it_is_and_leaves_nobody_behind(tmp_path: Path) -> None:
    with (
        joined_subnet(tmp_path, LocalFleet(miners=1, validators=1)) as subnet,
        subnet.run(tmp_path / "no-chain", rounds=1000, seats=subnet.seats) as run,
    ):
        start_supervisor(run.folder)
        run.until(RoundClosed, round=0)
        started = family(run)
        subnet.node.process.kill()
        left = run.interrupted()
        assert nobody_left(started)
        assert "gone" in left.reason
        assert not run.events(RunEnded)
        assert verify(run.folder / FILE_NAME).torn_bytes == 0
        before = run.all_events()
        with pytest.raises(FleetStartFailed, match="Connect call failed"):
            start_supervisor(run.folder)
        assert run.all_events() == before
