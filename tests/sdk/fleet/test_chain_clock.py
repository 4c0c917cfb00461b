import selectors
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.devnet_process import DevnetProcess, running_devnet

from subnetlab.errors import ChainPaced, DevnetOnly, NodeUnreachable
from subnetlab.fleet.chain_clock import Patience, SealedClock, WatchedClock, as_mode
from subnetlab.network.chain import Block
from subnetlab.network.dev import DevControls
from subnetlab.network.memory import MemoryNet


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevnetProcess]:
    with running_devnet(tmp_path_factory.mktemp("node"), "--instant") as running:
        yield running


@pytest.mark.parametrize("before", ["instant", "manual", 3600.0])
def test_a_sealed_clock_takes_the_blocks_and_gives_them_back(
    node: DevnetProcess, before: str | float
) -> None:
    controls = DevControls(node.endpoint)
    controls.set_sealing(before)  # pyright: ignore[reportArgumentType]
    clock = SealedClock(node.endpoint)
    head = clock.start()
    assert controls.info()["sealing"] == "manual"
    assert clock.seal().number == head.number + 1
    assert clock.arrived() == []
    assert clock.fileno() is None
    clock.stop()
    assert as_mode(controls.info()["sealing"]) == before
    controls.set_sealing("manual")
    clock.stop()  # once only: the chain may already belong to the next run
    assert controls.info()["sealing"] == "manual"


def test_two_runs_cannot_hold_one_chain(node: DevnetProcess) -> None:
    first = SealedClock(node.endpoint, "instant", run="first-1234")
    second = SealedClock(node.endpoint.replace("127.0.0.1", "localhost"), "instant")
    first.start()
    with pytest.raises(ChainPaced, match="Run first-1234 paces this chain"):
        second.start()
    second.stop()
    assert DevControls(node.endpoint).info()["sealing"] == "manual"
    first.stop()
    second.start()
    second.stop()


def test_a_sealed_clock_returns_to_what_it_was_told(node: DevnetProcess) -> None:
    controls = DevControls(node.endpoint)
    controls.set_sealing("manual")
    clock = SealedClock(node.endpoint, before="instant")
    clock.start()
    clock.stop()
    assert controls.info()["sealing"] == "instant"


def test_a_node_that_is_gone_is_said_at_the_start_and_forgiven_at_the_end(tmp_path: Path) -> None:
    with running_devnet(tmp_path, "--instant") as node:
        clock = SealedClock(node.endpoint)
        clock.start()
    with pytest.raises(NodeUnreachable):
        clock.seal()
    clock.stop()
    with pytest.raises(NodeUnreachable):
        clock.start()
    clock.stop()


def _arrived(clock: WatchedClock, count: int) -> list[Block]:
    blocks: list[Block] = []
    with selectors.DefaultSelector() as waiting:
        waiting.register(clock.fileno(), selectors.EVENT_READ)
        while len(blocks) < count:
            assert waiting.select(10), "no block came"
            blocks += clock.arrived()
    return blocks


def test_a_watched_clock_tells_blocks_as_they_come_and_seals_none() -> None:
    net = MemoryNet()
    clock = WatchedClock(net.chain("5Anybody"))
    head = clock.start()
    assert head.number == 0
    for number in (1, 2):
        sealed = net.seal()
        assert _arrived(clock, 1) == [sealed]
        assert sealed.number == number
    with pytest.raises(DevnetOnly):
        clock.seal()
    clock.stop()
    net.close()


def test_a_watched_chain_that_ends_is_said() -> None:
    net = MemoryNet()
    clock = WatchedClock(net.chain("5Anybody"))
    clock.start()
    net.close()
    with pytest.raises(NodeUnreachable):
        _arrived(clock, 1)
    assert (
        not [thread for thread in threading.enumerate() if thread.name == "blocks"] or clock.arrived() == []
    )


def test_patience_tries_again_until_its_limit_and_begins_anew_after_success() -> None:
    error = NodeUnreachable("Nothing answers.")
    patience = Patience(limit_s=0.0, every_s=5.0)
    now = time.monotonic()
    patience.failed(error)  # the first failure is always forgiven
    assert now + 5.0 <= patience.next_at <= time.monotonic() + 5.0
    with pytest.raises(NodeUnreachable):
        patience.failed(error)
    patience.worked()
    assert patience.next_at == 0.0
    patience.failed(error)


def test_a_node_that_was_silent_for_the_limit_is_not_forgiven_even_once() -> None:
    patience, error = Patience(limit_s=5.0), NodeUnreachable("Nothing answers.")
    with pytest.raises(NodeUnreachable):
        patience.failed(error, asked_at=time.monotonic() - 30.0)


def test_a_frozen_node_is_waited_for_only_so_long() -> None:
    """The system takes the connection, and nothing behind it answers."""
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        clock = SealedClock(f"ws://127.0.0.1:{frozen.getsockname()[1]}", "instant", answer_limit_s=0.2)
        with pytest.raises(NodeUnreachable):
            clock.start()
        clock.stop()


@pytest.mark.parametrize(
    ("described", "mode"),
    [("instant", "instant"), ("manual", "manual"), ({"interval": 0.25}, 0.25), (2, 2), (None, None)],
)
def test_modes_are_read_from_the_node_and_from_files(described: object, mode: object) -> None:
    assert as_mode(described) == mode
