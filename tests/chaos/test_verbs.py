"""Kill, pause and join as verbs of a real run: what follows is on record, and the run comes to its end."""

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.chaos.small import alive_below, begin, reach, until

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, RunOver, UnknownUid
from subnetlab.fleet.launch import status
from subnetlab.record.events import PeerGone, PeerReady, RoundClosed, Scored

ROUNDS = 12
"""Enough that rounds are left once a miner has been registered on a busy machine."""
PAUSE_S = 5.0
"""Long enough to be seen on a busy machine."""


@pytest.fixture
def net(home: Path) -> Iterator[sl.Net]:
    with sl.connect() as made:
        yield made
    until(lambda: not alive_below(home), "somebody is left")


def peer(run: sl.Run, uid: int) -> dict[str, object]:
    return next(peer for peer in status(run.folder)["peers"] if peer["uid"] == uid)


def test_a_run_whose_peers_are_killed_paused_and_joined_goes_on_to_its_end(net: sl.Net) -> None:
    run = begin(net, rounds=ROUNDS)
    reach(run.folder, 0, 0)
    first, second, _ = run.view.mining
    with pytest.raises(UnknownUid, match="No peer of this run holds uid 99"):
        run.kill(99)
    with pytest.raises(ArgumentInvalid, match="n=0 is out of range"):
        run.join(0)
    with pytest.raises(ArgumentInvalid, match="No attacker is called 'nobody'"):
        run.join(1, attacker="nobody")
    (joined,) = run.join(1, attacker="sign_flip")
    run.kill(first, restart=True)
    until(lambda: peer(run, second)["state"] == "live", "the miner is not up")
    run.pause(second, PAUSE_S)
    process = psutil.Process(int(str(peer(run, second)["pid"])))
    # The signal takes effect when the process has its next turn on a processor.
    until(lambda: process.status() == psutil.STATUS_STOPPED, "it is not paused")
    until(lambda: not process.is_running() or process.status() != psutil.STATUS_STOPPED, "it stays paused")
    run.wait(timeout=300)
    view = run.view
    assert run.status == "finished"
    assert view.role(joined) == "sign_flip"
    assert joined in view.mining
    events = reach(run.folder, ROUNDS - 1, 0)
    assert [e.reason for e in events if isinstance(e, PeerGone)] == ["It was killed on request."]
    assert [e.uid for e in events if isinstance(e, PeerReady)].count(first) == 2
    judged = {e.round for e in events if isinstance(e, Scored) and e.uid == joined}
    assert judged
    assert judged == set(range(min(judged), ROUNDS)), "it counts in every round from its first on"
    assert len([e for e in events if isinstance(e, RoundClosed)]) == ROUNDS
    assert view.pay.total(joined) == 0
    with pytest.raises(RunOver, match="does not go on"):
        run.kill(first)
    with pytest.raises(RunOver, match="does not go on"):
        run.join()


def test_a_paused_peer_ends_with_its_supervisor(net: sl.Net) -> None:
    run = begin(net, rounds=8)
    reach(run.folder, 0, 0)
    uid = run.view.mining[0]
    until(lambda: peer(run, uid)["state"] == "live", "the miner is not up")
    run.pause(uid, 3600)
    process = psutil.Process(int(str(peer(run, uid)["pid"])))
    psutil.Process(json.loads((run.folder / "supervisor.json").read_text())["pid"]).kill()
    gone, _ = psutil.wait_procs([process], timeout=300)
    assert gone
