"""A peer's view of the chain, on the wire: five verbs, through everything a run may meet."""

import contextlib
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import bittensor
import pytest
from tests.devnet_process import running_devnet

from subnetlab.errors import ChainRejected, NodeUnreachable
from subnetlab.network.chain import Block, Chain
from subnetlab.network.client import NetworkClient
from subnetlab.network.dev import DevControls
from subnetlab.network.peer_chain import PeerChain

from .conftest import Prepared

WAIT_S = 300.0


@pytest.fixture
def miner(prepared: Prepared, network: NetworkClient) -> Iterator[PeerChain]:
    network.dev.set_sealing("manual")
    with contextlib.closing(PeerChain(prepared.endpoint, prepared.netuid, prepared.miner)) as chain:
        yield chain


@pytest.fixture
def validator(prepared: Prepared, miner: PeerChain) -> Iterator[PeerChain]:
    key = prepared.validator.hotkey
    with contextlib.closing(PeerChain(prepared.endpoint, prepared.netuid, key)) as chain:
        yield chain


def test_it_is_a_chain(miner: PeerChain) -> None:
    chain: Chain = miner
    assert chain.wait_for(0, WAIT_S).number > 0


def test_a_hotkey_may_be_a_wallet_a_keypair_or_a_development_uri(prepared: Prepared) -> None:
    by_uri = PeerChain(prepared.endpoint, prepared.netuid, "//Alice//miner-1")
    by_key = PeerChain(prepared.endpoint, prepared.netuid, prepared.miner.hotkey)
    assert by_uri.hotkey == by_key.hotkey == prepared.miner.hotkey.ss58_address


def test_waiting_ends_with_the_block_and_not_before(miner: PeerChain, network: NetworkClient) -> None:
    head = network.head()
    assert miner.wait_for(head.number, WAIT_S) == head
    assert miner.wait_for(0, WAIT_S) == head
    arrived: list[Block] = []
    waiter = threading.Thread(target=lambda: arrived.append(miner.wait_for(head.number + 2, WAIT_S)))
    waiter.start()
    network.dev.seal()
    assert not arrived
    last = network.dev.seal()
    waiter.join(WAIT_S)
    assert arrived == [last]


def test_a_block_that_does_not_come_is_an_error_after_the_time_given(
    miner: PeerChain, network: NetworkClient
) -> None:
    with pytest.raises(NodeUnreachable, match=r"did not come within 0\.05 s"):
        miner.wait_for(network.head().number + 1, 0.05)
    assert miner.wait_for(0, WAIT_S) == network.head(), "and the peer goes on"


def test_hashes_are_those_of_the_chain(miner: PeerChain, network: NetworkClient) -> None:
    head = network.head()
    assert miner.block_hash(head.number) == head.hash
    with pytest.raises(NodeUnreachable, match="no block"):
        miner.block_hash(head.number + 1)


@pytest.mark.parametrize("data", [b"", b"\x00", b"plain text", bytes(range(128)), b"\xff" * 300])
def test_a_commitment_stands_in_the_next_block_byte_for_byte(
    miner: PeerChain, validator: PeerChain, network: NetworkClient, data: bytes
) -> None:
    miner.commit(data)
    assert miner.hotkey not in validator.commitments(), "the pool is not the chain"
    block = network.dev.seal()
    found = validator.commitments()[miner.hotkey]
    assert (found.hotkey, found.data, found.block) == (miner.hotkey, data, block.number)


def test_a_later_commitment_replaces_the_earlier_one(miner: PeerChain, network: NetworkClient) -> None:
    miner.commit(b"first")
    network.dev.seal()
    miner.commit(b"second")
    miner.commit(b"third")  # both go into one block, in this order
    network.dev.seal()
    assert miner.commitments()[miner.hotkey].data == b"third"


def test_weights_stand_in_the_next_block_in_any_scale(
    validator: PeerChain, network: NetworkClient, prepared: Prepared
) -> None:
    validator.set_weights({1: 1.0, 2: 3.0})
    network.dev.seal()
    assert network.metagraph(prepared.netuid).weights[1] == {1: 21845, 2: 65535}
    validator.set_weights({2: 0.001})
    network.dev.seal()
    assert network.metagraph(prepared.netuid).weights[1] == {2: 65535}


@pytest.mark.parametrize("weights", [{}, {1: 0.0}, {1: -1.0}, {1: float("nan")}, {70_000: 1.0}], ids=str)
def test_weights_nobody_can_set_are_refused(validator: PeerChain, weights: dict[int, float]) -> None:
    with pytest.raises(ChainRejected):
        validator.set_weights(weights)


def test_a_hotkey_without_a_seat_cannot_set_weights(prepared: Prepared, miner: PeerChain) -> None:
    stranger = PeerChain(prepared.endpoint, prepared.netuid, "//SubnetLab//stranger")
    with contextlib.closing(stranger), pytest.raises(ChainRejected, match="not registered"):
        stranger.set_weights({1: 1.0})


def test_the_plain_call_serves_where_the_sdk_asks_for_what_a_runtime_lacks(
    validator: PeerChain, network: NetworkClient, prepared: Prepared
) -> None:
    from subnetlab.network.weight_calls import plain_weights_call

    async def compose() -> object:
        return await plain_weights_call(network.client.substrate, prepared.netuid, {1: 1.0, 2: 3.0})

    async def sdk() -> object:
        intent = bittensor.SetWeights(netuid=prepared.netuid, weights={1: 1.0, 2: 3.0})
        return await intent.build(network.client.substrate, prepared.validator.hotkey)

    assert network.client.run(compose()).data == network.client.run(sdk()).data


def test_a_peer_goes_on_after_time_was_turned_back(miner: PeerChain, network: NetworkClient) -> None:
    snapshot, then = network.dev.snapshot(), network.head()
    miner.commit(b"undone")
    last = network.dev.seal(3)
    assert miner.wait_for(last.number, WAIT_S) == last
    network.dev.revert(snapshot)
    assert miner.wait_for(0, WAIT_S) == then
    with pytest.raises(NodeUnreachable):
        miner.block_hash(last.number)
    miner.commit(b"done")
    block = network.dev.seal()
    assert miner.wait_for(block.number, WAIT_S) == block
    assert miner.commitments()[miner.hotkey].data == b"done"


def _commit_from_child(endpoint: str, netuid: int, answers: "multiprocessing.Queue[tuple[int, str]]") -> None:
    chain = PeerChain(endpoint, netuid, "//Alice//miner-1")
    head = chain.wait_for(0, WAIT_S)
    chain.commit(b"from the child")
    chain.close()
    answers.put((os.getpid(), head.hash))


def test_a_peer_forked_by_the_fleet_has_its_own_connection(
    miner: PeerChain, network: NetworkClient, prepared: Prepared
) -> None:
    server = multiprocessing.get_context("forkserver")
    answers = server.Queue()
    child = server.Process(target=_commit_from_child, args=(prepared.endpoint, prepared.netuid, answers))
    child.start()
    answer = answers.get(timeout=300)
    child.join(WAIT_S)
    assert answer == (child.pid, network.head().hash)
    network.dev.seal()
    assert miner.commitments()[miner.hotkey].data == b"from the child"


FORK_AFTER_CONNECTING = """
import os, sys
from subnetlab.network.peer_chain import PeerChain
chain = PeerChain(sys.argv[1], int(sys.argv[2]), "//Alice//miner-1")
head = chain.wait_for(0, 30)
child = os.fork()
assert chain.wait_for(0, 30) == head
if child:
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert chain.wait_for(0, 30) == head, "the child did not take the parent's connection with it"
    sys.exit(status)
chain.close()
"""


def test_a_child_forked_from_a_connected_peer_opens_its_own_connection(
    prepared: Prepared, miner: PeerChain
) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORK_AFTER_CONNECTING, prepared.endpoint]
    done = subprocess.run([*command, str(prepared.netuid)], check=False, timeout=300, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_nobody_there_is_said_at_once() -> None:
    chain = PeerChain("ws://127.0.0.1:9", 1, "//Alice//hotkey")
    for use in (
        lambda: chain.wait_for(0, WAIT_S),
        lambda: chain.wait_for(5, WAIT_S),
        lambda: chain.block_hash(1),
        lambda: chain.commit(b""),
        chain.commitments,
        lambda: chain.set_weights({0: 1.0}),
    ):
        with pytest.raises(NodeUnreachable, match=r"Nothing answers at ws://127\.0\.0\.1:9"):
            use()
    chain.close()


def test_a_node_that_ends_while_a_peer_waits_is_an_error_and_a_new_one_is_found(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running_devnet(tmp_path, "--manual", "--state", str(tmp_path / "chain")) as node:
        chain = PeerChain(node.endpoint, 1, "//Alice//hotkey")
        head = chain.wait_for(0, WAIT_S)
        DevControls(node.endpoint).save(state)
        port = node.port
    with pytest.raises(NodeUnreachable):
        chain.wait_for(head.number + 1, 0.5)
    with running_devnet(tmp_path, "--manual", "--state", str(state), "--port", str(port)) as node:
        sealed = node.seal()
        assert chain.wait_for(sealed, WAIT_S).number == sealed
        chain.close()
