"""The chain in memory and the chain on the wire keep the same promises: what one allows, the other does.

Training is tested on the first and runs on the second, so each promise of the seam is held against both.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from subnetlab.errors import NodeUnreachable
from subnetlab.network.chain import Block, Chain
from subnetlab.network.client import NetworkClient
from subnetlab.network.memory import MemoryNet
from subnetlab.network.peer_chain import PeerChain

from .conftest import Prepared

WAIT_S = 300.0


@dataclass(frozen=True)
class Both:
    """Two peers on one chain, and the hand that seals it."""

    miner: Chain
    validator: Chain
    miner_hotkey: str
    validator_hotkey: str
    seal: Callable[[], Block]


@pytest.fixture(params=["memory", "wire"])
def both(request: pytest.FixtureRequest, prepared: Prepared) -> Iterator[Both]:
    """The node is asked for by name: found out within a test, its token would lie in that test's home."""
    if request.param == "memory":
        net = MemoryNet()
        net.seal()
        yield Both(net.chain("5Miner"), net.chain("5Validator"), "5Miner", "5Validator", net.seal)
        return
    network: NetworkClient = request.getfixturevalue("network")
    network.dev.set_sealing("manual")
    with (
        contextlib.closing(PeerChain(prepared.endpoint, prepared.netuid, prepared.miner)) as miner,
        contextlib.closing(PeerChain(prepared.endpoint, prepared.netuid, prepared.validator)) as validator,
    ):
        yield Both(miner, validator, miner.hotkey, validator.hotkey, network.dev.seal)


def test_height_zero_answers_at_once_with_the_head(both: Both) -> None:
    head = both.miner.wait_for(0, WAIT_S)
    assert both.miner.wait_for(head.number, WAIT_S) == head
    assert both.validator.wait_for(0, WAIT_S) == head
    assert head.hash.startswith("0x")
    assert both.miner.block_hash(head.number) == head.hash


def test_a_wait_ends_with_the_block_it_waits_for(both: Both) -> None:
    head, seen = both.miner.wait_for(0, WAIT_S), list[Block]()
    waiter = threading.Thread(target=lambda: seen.append(both.miner.wait_for(head.number + 2, WAIT_S)))
    waiter.start()
    both.seal()
    last = both.seal()
    waiter.join(WAIT_S)
    assert seen == [last]
    assert last.number == head.number + 2


def test_a_later_height_than_asked_for_is_the_head(both: Both) -> None:
    head = both.miner.wait_for(0, WAIT_S)
    both.seal()
    last = both.seal()
    assert both.miner.wait_for(head.number + 1, WAIT_S) == last


def test_what_does_not_come_is_an_unreachable_node(both: Both) -> None:
    head = both.miner.wait_for(0, WAIT_S)
    with pytest.raises(NodeUnreachable, match="did not come"):
        both.miner.wait_for(head.number + 1, 0.02)
    with pytest.raises(NodeUnreachable, match="no block"):
        both.miner.block_hash(head.number + 1)


def test_a_commitment_stands_for_everybody_in_the_next_block_and_is_replaced(both: Both) -> None:
    both.miner.commit(b"\x00one")
    assert both.miner_hotkey not in both.validator.commitments()
    first = both.seal()
    found = both.validator.commitments()[both.miner_hotkey]
    assert (found.hotkey, found.data, found.block) == (both.miner_hotkey, b"\x00one", first.number)
    both.seal()
    assert both.validator.commitments()[both.miner_hotkey].block == first.number
    both.miner.commit(b"two")
    second = both.seal()
    found = both.miner.commitments()[both.miner_hotkey]
    assert (found.data, found.block) == (b"two", second.number)


def test_weights_stand_for_everybody_in_the_next_block_as_shares(both: Both) -> None:
    validator = both.validator_hotkey
    before = both.miner.weights().get(validator)
    both.validator.set_weights({1: 3.0, 2: 1.0, 0: 0.0})
    assert both.miner.weights().get(validator) == before
    both.seal()
    found = both.miner.weights()[validator]
    assert set(found) == {1, 2}
    assert found[1] == pytest.approx(0.75, abs=1e-4)
    assert sum(found.values()) == pytest.approx(1.0)


def test_weights_are_taken_without_waiting_for_a_block(both: Both) -> None:
    head = both.validator.wait_for(0, WAIT_S)
    both.validator.set_weights({1: 0.25, 2: 0.75})
    both.validator.commit(b"and a commitment in the same block")
    assert both.validator.wait_for(0, WAIT_S) == head
    assert both.seal().number == head.number + 1
    assert both.validator.commitments()
