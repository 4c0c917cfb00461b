"""A subnet followed block by block over the wire, and every way that following ends."""

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.devnet_process import DevnetProcess, running_devnet

from subnetlab.lab.session import Net, connect
from subnetlab.network.following import State
from subnetlab.network.metagraph import MetagraphSnapshot
from subnetlab.network.pay_history import PaidEpoch
from subnetlab.network.watch import EPOCHS, Watch

PATIENCE_S = 300


class Seen:
    """Keeps what it is told, and waits for what is wished."""

    def __init__(self) -> None:
        self.graphs: list[MetagraphSnapshot] = []
        self.epochs: list[PaidEpoch] = []
        self.states: list[State] = []
        self.reason = ""
        self._told: queue.Queue[None] = queue.Queue()

    def see(self, graph: MetagraphSnapshot, epochs: list[PaidEpoch]) -> None:
        self.graphs.append(graph)
        self.epochs += epochs
        self._told.put(None)

    def state(self, state: State, reason: str) -> None:
        self.states.append(state)
        self.reason = reason
        self._told.put(None)

    def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._told.get(timeout=PATIENCE_S)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[DevnetProcess]:
    with running_devnet(tmp_path, "--instant", "--state", str(tmp_path / "chain")) as process:
        yield process


@pytest.fixture
def net(node: DevnetProcess) -> Iterator[Net]:
    with connect(node.endpoint) as net:
        yield net


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "subnetlab-watch"]


def test_blocks_come_as_they_are_sealed_and_pay_from_before_and_after(net: Net) -> None:
    subnet = net.create_subnet("tiny-lm", wallet="alice")
    net.seal(20)
    seen = Seen()
    watch = Watch(net.endpoint, subnet.netuid, seen)
    seen.until(lambda: bool(seen.graphs))
    assert seen.graphs[0].block == net.block
    before = len(seen.epochs)
    assert before >= 2
    height = net.seal(16)
    seen.until(lambda: seen.graphs[-1].block == height)
    assert len(seen.epochs) == before + 2
    blocks = [epoch.block for epoch in seen.epochs]
    assert blocks == sorted(set(blocks))
    for epoch in seen.epochs:
        graph = net._client.metagraph(subnet.netuid, epoch.block)
        assert graph.last_step == epoch.block
        assert epoch.paid_alpha_rao == tuple(neuron.emission_alpha_rao for neuron in graph.neurons)
    watch.stop()
    assert not watch.running


def test_a_long_history_is_read_back_no_further_than_is_drawn(net: Net) -> None:
    subnet = net.create_subnet("tiny-lm", wallet="alice")
    net.seal(8 * (EPOCHS + 5))
    seen = Seen()
    watch = Watch(net.endpoint, subnet.netuid, seen)
    seen.until(lambda: bool(seen.graphs))
    assert len(seen.epochs) == EPOCHS
    watch.stop()


def test_time_that_was_turned_back_is_read_anew(net: Net) -> None:
    subnet = net.create_subnet("tiny-lm", wallet="alice")
    past = net.snapshot()
    net.seal(40)
    seen = Seen()
    watch = Watch(net.endpoint, subnet.netuid, seen)
    seen.until(lambda: bool(seen.graphs))
    height = net.revert(past)
    net.seal()
    seen.until(lambda: seen.graphs[-1].block == height + 1)
    watch.stop()


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_node_that_is_given_up_is_gone_at_once(net: Net, node: DevnetProcess, end: str) -> None:
    subnet = net.create_subnet("tiny-lm", wallet="alice")
    seen, given_up = Seen(), threading.Event()
    watch = Watch(net.endpoint, subnet.netuid, seen, closed=given_up.is_set)
    seen.until(lambda: "live" in seen.states)
    given_up.set()
    getattr(node.process, end)()
    seen.until(lambda: seen.states[-1] == "gone")
    assert node.endpoint in seen.reason
    for thread in watchers():
        thread.join(PATIENCE_S)
    assert not watch.running


def test_a_node_that_comes_back_is_followed_again(net: Net, node: DevnetProcess, tmp_path: Path) -> None:
    subnet = net.create_subnet("tiny-lm", wallet="alice")
    state, port = tmp_path / "state", str(node.port)
    net._client.dev.save(state)
    seen = Seen()
    watch = Watch(net.endpoint, subnet.netuid, seen)
    seen.until(lambda: "live" in seen.states)
    node.process.kill()
    seen.until(lambda: seen.states[-1] == "reconnecting")
    with running_devnet(tmp_path, "--instant", "--port", port, "--state", str(state)):
        seen.until(lambda: seen.states[-1] == "live")
        watch.stop()


def test_a_subnet_that_is_not_there_ends_it_with_the_chains_words(node: DevnetProcess) -> None:
    seen = Seen()
    watch = Watch(node.endpoint, 99, seen)
    seen.until(lambda: "gone" in seen.states)
    assert "There is no subnet 99" in seen.reason
    watch.stop()


def test_stopping_twice_and_before_it_began_is_harmless(node: DevnetProcess) -> None:
    watch = Watch(node.endpoint, 0, Seen())
    watch.stop()
    watch.stop()
    assert not watch.running
