"""`kill -9` of every kind of process in the middle of a round: the run is finished all the same."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.chaos.small import ROUNDS, TRAIN, alive_below, begin, check, events_of, kill, reach, until
from tests.kernel.running import start_kernel

import subnetlab as sl
from subnetlab.fleet.launch import is_running, status
from subnetlab.fleet.local import RESTARTS
from subnetlab.fleet.run_folder import RESULT_FOLDER
from subnetlab.record.events import PeerGone, PeerReady
from subnetlab.record.line import FILE_NAME


@pytest.fixture
def net(home: Path) -> Iterator[sl.Net]:
    with sl.connect() as made:
        yield made
    until(lambda: not alive_below(home), "somebody is left")


def test_a_killed_miner_is_missed_and_replaced_while_the_others_go_on(net: sl.Net) -> None:
    run = begin(net)
    events = reach(run.folder, 1, 0)
    uid = run.view.uids("miner")[0]
    before = (run.folder / FILE_NAME).read_bytes()
    kill(next(event.pid for event in events if isinstance(event, PeerReady) and event.uid == uid))
    assert sl.attach(run.id).note == ""
    run.wait(300)
    check_replaced(run, uid)
    check(run, before)


def test_a_killed_validator_is_missed_and_the_next_one_leads(net: sl.Net) -> None:
    run = begin(net)
    events = reach(run.folder, 1, 2)
    uid = run.view.uids("validator")[0]
    before = (run.folder / FILE_NAME).read_bytes()
    kill(next(event.pid for event in events if isinstance(event, PeerReady) and event.uid == uid))
    run.wait(300)
    check_replaced(run, uid)
    check(run, before)
    assert run.verify().wrong == []


def check_replaced(run: sl.Run, uid: int) -> None:
    """A peer whose process was killed is on record as gone once, and came up again by itself."""
    events = events_of(run.folder)
    (gone,) = [event for event in events if isinstance(event, PeerGone)]
    assert gone.uid == uid
    assert "SIGKILL" in gone.reason
    ready = [event for event in events if isinstance(event, PeerReady) and event.uid == uid]
    assert len({event.pid for event in ready}) == 2
    assert events.index(ready[1]) > events.index(gone)


@pytest.mark.timeout(240)
def test_a_miner_that_is_killed_again_and_again_is_left_out_at_last(net: sl.Net) -> None:
    """Its process may end so each time; the run does not spend itself on starting it."""
    run = begin(net, rounds=40)
    reach(run.folder, 0, 0)
    uid = run.view.mining[0]
    for _ in range(RESTARTS + 1):
        until(lambda: state_of(run, uid) == "live", "it does not come back")
        kill(int(next(peer["pid"] for peer in status(run.folder)["peers"] if peer["uid"] == uid)))
        until(lambda: state_of(run, uid) != "live", "its end is not noticed")
    run.wait(150)
    assert run.status == "finished"
    assert "SIGKILL" in run.view.gone[uid]
    gone = [event for event in events_of(run.folder) if isinstance(event, PeerGone)]
    assert [event.uid for event in gone] == [uid] * (RESTARTS + 1)


def state_of(run: sl.Run, uid: int) -> str:
    return next((str(peer["state"]) for peer in status(run.folder)["peers"] if peer["uid"] == uid), "gone")


def test_a_killed_supervisor_is_started_again_by_whoever_attaches(net: sl.Net) -> None:
    run = begin(net)
    reach(run.folder, 1, 1)
    before = (run.folder / FILE_NAME).read_bytes()
    kill(json.loads((run.folder / "supervisor.json").read_text())["pid"])
    until(lambda: run.status == "interrupted", "its end is not noticed")
    assert "nothing on record is lost: %sl attach" in run.headline
    assert sl.runs()[0].status == "interrupted"
    assert not is_running(run.folder), "looking at it has started something"
    again = sl.attach(run.id)
    assert "Its supervisor was gone and started again" in again.note
    check(again.wait(300), before)


def test_a_killed_node_is_brought_back_with_every_block_it_had_sealed(net: sl.Net) -> None:
    run = begin(net)
    assert net._node is not None
    reach(run.folder, 1, 1)
    before, pid = (run.folder / FILE_NAME).read_bytes(), net._node.pid
    kill(pid)
    until(lambda: run.status == "interrupted", "nobody notices that the chain is gone")
    assert "Nothing answers at" in run.headline
    again = sl.attach(run.id)
    assert "Its node and its supervisor were gone and started again" in again.note
    check(again.wait(300), before)
    assert net.block >= again.view.block
    assert net.balance("alice") > 0


def test_a_killed_writer_of_the_model_is_made_up_for_by_whoever_attaches(net: sl.Net) -> None:
    run = begin(net)
    reach(run.folder, ROUNDS - 1, 0)
    known = {process.pid for process in family(run)}
    until(lambda: (run.folder / RESULT_FOLDER).exists() or kill_new(run, known), "nobody writes the model")
    until(lambda: not is_running(run.folder), "the supervisor does not notice")
    before = (run.folder / FILE_NAME).read_bytes()
    assert "The model could not be written" in run.headline
    assert "SIGKILL" in run.headline
    again = sl.attach(run.id)
    assert "Its supervisor was gone and started again, to write the model." in again.note
    check(again.wait(300), before)


def family(run: sl.Run) -> list[psutil.Process]:
    """Everything below a run's supervisor."""
    pid = json.loads((run.folder / "supervisor.json").read_text())["pid"]
    return psutil.Process(pid).children(recursive=True)


def kill_new(run: sl.Run, known: set[int]) -> bool:
    """Kill what was forked since; whether there was any. After the last round that is the writer alone."""
    new = [process for process in family(run) if process.pid not in known]
    for process in new:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    return bool(new)


def test_a_killed_kernel_leaves_its_run_to_the_next_and_nobody_stays_for_ever(home: Path) -> None:
    first = start_kernel(SUBNETLAB_HOME=str(home))
    try:
        assert first.run("import subnetlab as sl\nnet = sl.connect(idle_limit_s=3)").status == "ok"
        # Long enough that the next kernel, which takes seconds to start, finds it going on.
        began = first.run(TRAIN.replace(f"--rounds {ROUNDS}", f"--rounds {10 * ROUNDS}"), timeout=300)
        assert began.status == "ok", began.evalue
        run = sl.runs()[0]
        reach(run.folder, 1, 1)
        before = (run.folder / FILE_NAME).read_bytes()
        kill(first.pid)
    finally:
        first.stop()
    assert is_running(run.folder)
    second = start_kernel(SUBNETLAB_HOME=str(home))
    try:
        attached = second.run(f"import subnetlab as sl\n%sl attach {run.id}")
        assert attached.status == "ok", attached.evalue
        waited = second.run("run.wait(300)\nrun.status", timeout=300)
        assert "finished" in waited.text, waited.evalue
    finally:
        second.stop()
    check(run, before, 10 * ROUNDS)
    until(lambda: not alive_below(home), "somebody is left")
