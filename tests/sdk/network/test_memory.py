"""The chain in memory keeps the promises of the seam: blocks wait to be sealed, and their hashes repeat."""

import threading

import pytest

from subnetlab.errors import NodeUnreachable
from subnetlab.network.chain import Chain
from subnetlab.network.memory import MemoryNet


def test_blocks_come_only_when_sealed_and_hashes_repeat() -> None:
    first, second = MemoryNet(), MemoryNet()
    first.chain("a").commit(b"makes no difference to the hashes")
    heads = [net.seal(3) for net in (first, second)]
    assert heads[0] == heads[1]
    assert heads[0].number == 3
    assert first.chain("a").block_hash(2) == second.chain("b").block_hash(2)
    assert MemoryNet(seed="other").seal(3).hash != heads[0].hash
    assert len({first.chain("a").block_hash(n) for n in range(4)}) == 4


def test_a_commitment_stands_in_the_next_block() -> None:
    net = MemoryNet()
    chain: Chain = net.chain("a")
    chain.commit(b"1")
    assert chain.commitments() == {}
    net.seal(2)
    assert (found := net.chain("b").commitments()["a"]).data == b"1"
    assert found.block == 1
    chain.commit(b"2")
    net.seal()
    assert chain.commitments()["a"].data == b"2"
    assert chain.commitments()["a"].block == 3


def test_weights_stand_in_the_next_block() -> None:
    net = MemoryNet()
    net.chain("v").set_weights({1: 0.5, 2: 0.5})
    assert net.weights() == {}
    net.seal()
    assert net.weights() == {"v": {1: 0.5, 2: 0.5}}


def test_waiting_ends_with_the_block() -> None:
    net = MemoryNet()
    heads: list[int] = []
    waiting = threading.Event()

    def wait() -> None:
        waiting.set()
        heads.append(net.chain("a").wait_for(2, 30).number)

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait()
    net.seal()
    net.seal()
    thread.join()
    assert heads == [2]
    assert net.chain("a").wait_for(0, 0).number == 2


def test_a_block_that_does_not_come_is_an_unreachable_chain() -> None:
    chain = MemoryNet().chain("a")
    with pytest.raises(NodeUnreachable, match="did not come"):
        chain.wait_for(1, 0.01)
    with pytest.raises(NodeUnreachable, match="no block 7"):
        chain.block_hash(7)


def test_a_closed_chain_wakes_everyone_and_takes_nothing() -> None:
    net = MemoryNet()
    failed: list[NodeUnreachable] = []

    def wait() -> None:
        try:
            net.chain("a").wait_for(5, 30)
        except NodeUnreachable as error:
            failed.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    net.close()
    thread.join()
    assert len(failed) == 1
    with pytest.raises(NodeUnreachable):
        net.chain("a").commit(b"")
