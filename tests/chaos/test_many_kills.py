"""Peers killed at random all through a run: it ends, its record was only ever added to, and it verifies."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chaos.small import alive_below, begin, events_of, until

import subnetlab as sl
from subnetlab.fleet.launch import status
from subnetlab.record.events import PeerGone, RoundClosed, RoundLost, RunEnded, RunStarted
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import verify
from subnetlab.train.strategies.base import Strategy


@pytest.fixture
def net(home: Path) -> Iterator[sl.Net]:
    with sl.connect() as made:
        yield made
    until(lambda: not alive_below(home), "somebody is left")


def one_of(run: sl.Run, draw: random.Random) -> int | None:
    """A live peer whose role another live peer has too; None where there is none at the moment."""
    live = [peer for peer in status(run.folder)["peers"] if peer["state"] == "live" and peer["uid"] >= 0]
    roles = [str(peer["role"]) for peer in live]
    spare = [int(peer["uid"]) for peer in live if roles.count(str(peer["role"])) > 1]
    return draw.choice(sorted(spare)) if spare else None


def killed_at_random(net: sl.Net, kills: int, strategy: Strategy | None = None) -> None:
    """A run with so many kills, one every other round, and all that must hold of it afterwards."""
    draw, rounds = random.Random(kills), 2 * kills + 2
    run = begin(net, rounds=rounds, strategy=strategy)
    until(lambda: run.view.started is not None, "it does not begin")
    assert run.view.started is not None
    first, length = (int(run.view.started.manifest[name]) for name in ("first_block", "blocks_per_round"))
    done, before = 0, b""
    for number in range(kills):
        height = first + 2 * number * length + draw.randrange(length)
        until(lambda height=height: run.view.block >= height, "the run does not go on")
        record = (run.folder / FILE_NAME).read_bytes()
        assert record.startswith(before)
        before = record
        victim = one_of(run, draw)
        if victim is not None:
            run.kill(victim, restart=True)
            done += 1
    run.wait(40 + 10 * kills)
    record = run.folder / FILE_NAME
    assert record.read_bytes().startswith(before)
    assert verify(record).torn_bytes == 0
    events = events_of(run.folder)
    assert [type(event) for event in events if isinstance(event, RunStarted | RunEnded)] == [
        RunStarted, RunEnded,
    ]  # fmt: skip
    assert run.status == "finished"
    over = [event.round for event in events if isinstance(event, RoundClosed | RoundLost)]
    assert over == list(range(rounds))
    assert len([event for event in events if isinstance(event, PeerGone)]) >= done >= kills * 3 // 4
    report = run.verify(replay=0.02)
    assert report.wrong == [], report


@pytest.mark.timeout(400)
def test_twenty_random_kills_in_one_run(net: sl.Net) -> None:
    killed_at_random(net, 20)


@pytest.mark.timeout(400)
def test_random_kills_while_rounds_pass_beside_the_steps(net: sl.Net) -> None:
    """A validator may be killed between a record that is anchored and the aggregate that follows it."""
    killed_at_random(net, 5, sl.strategies.StreamingDiLoCo(inner_steps=4, overlap=2, fragments=2))


@pytest.mark.long
@pytest.mark.timeout(4000)
def test_two_hundred_random_kills_in_one_run(net: sl.Net) -> None:
    killed_at_random(net, 200)
