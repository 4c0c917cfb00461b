"""Commitments, votes and epochs read back from blocks: by block, extrinsic and signer."""

import contextlib
from collections.abc import Iterator

import bittensor
import pytest

from subnetlab.errors import ChainRejected, NodeUnreachable
from subnetlab.network.client import NetworkClient
from subnetlab.network.commit_history import read_history
from subnetlab.network.commitment_fields import encode_fields
from subnetlab.network.peer_chain import PeerChain
from subnetlab.network.wire_client import WireClient

from .conftest import Prepared


@pytest.fixture
def chains(prepared: Prepared, network: NetworkClient) -> Iterator[tuple[PeerChain, PeerChain]]:
    """The validator's and the miner's view; blocks come when the test seals them."""
    network.dev.set_sealing("manual")
    with contextlib.ExitStack() as held:
        keys = (prepared.validator.hotkey, prepared.miner.hotkey)
        views = [PeerChain(prepared.endpoint, prepared.netuid, key) for key in keys]
        for view in views:
            held.enter_context(contextlib.closing(view))
        yield views[0], views[1]


def test_every_commitment_stays_with_block_place_and_signer(
    prepared: Prepared, network: NetworkClient, chains: tuple[PeerChain, PeerChain]
) -> None:
    validator, miner = chains
    first = network.head().number + 1
    miner.commit(b"one")
    network.dev.seal()
    validator.commit(b"two" * 60)
    miner.commit(b"three")
    network.dev.seal()
    history = read_history(network.client, prepared.netuid, first, first + 100)
    assert (history.first, history.last) == (first, first + 1)
    assert history.hashes[first] == miner.block_hash(first)
    said = [(each.block, each.hotkey, each.data) for each in history.commitments]
    assert said[0] == (first, miner.hotkey, b"one")
    assert set(said[1:]) == {
        (first + 1, validator.hotkey, b"two" * 60),
        (first + 1, miner.hotkey, b"three"),
    }
    assert len({each.index for each in history.commitments if each.block == first + 1}) == 2
    assert history.commitments_at(first)[miner.hotkey].data == b"one"
    assert history.commitments_at(first + 1) == history.standing == miner.commitments()
    assert history.seats is not None
    assert {miner.hotkey, validator.hotkey} <= {neuron.hotkey for neuron in history.seats.neurons}


def test_what_the_chain_refused_is_no_commitment_and_a_batch_is_opened(
    prepared: Prepared, network: NetworkClient
) -> None:
    first = network.head().number + 1

    def call(data: bytes) -> object:
        return bittensor.calls.Commitments.set_commitment(
            netuid=prepared.netuid,  # pyright: ignore[reportArgumentType]
            info={"fields": encode_fields(data)},  # pyright: ignore[reportArgumentType]
        )

    with contextlib.suppress(ChainRejected):  # alice's coldkey holds no seat
        network.submit_call(call(b"not a seat"), wallet="alice")

    async def batch() -> object:
        inner = await network.client.substrate.compose(call(b"in a batch"))
        return await network.client.substrate.compose(
            bittensor.calls.Utility.batch_all(calls=[inner])  # pyright: ignore[reportArgumentType]
        )

    key = prepared.miner.hotkey

    async def submit() -> bittensor.ExtrinsicResult:
        return await network.client.substrate.submit(await batch(), key)

    result = network.client.run(submit())
    assert result.success, result.message
    history = read_history(network.client, prepared.netuid, first, network.head().number)
    assert [(each.hotkey, each.data) for each in history.commitments] == [(key.ss58_address, b"in a batch")]


def test_votes_tell_their_row_or_that_they_were_refused(
    prepared: Prepared, network: NetworkClient, chains: tuple[PeerChain, PeerChain]
) -> None:
    validator, miner = chains
    first = network.head().number + 1
    uid = next(n.uid for n in network.metagraph(prepared.netuid).neurons if n.hotkey == miner.hotkey)
    validator.set_weights({uid: 1.0})
    network.dev.seal()
    history = read_history(network.client, prepared.netuid, first, first)
    [vote] = history.votes
    assert (vote.block, vote.hotkey, vote.weights) == (first, validator.hotkey, {uid: 65535})
    assert not vote.refused
    plain = bittensor.calls.SubtensorModule.set_weights(
        netuid=prepared.netuid, dests=[99], weights=[1], version_key=0  # pyright: ignore[reportArgumentType]
    )  # fmt: skip

    async def submit() -> None:
        await network.client.substrate.submit(
            await network.client.substrate.compose(plain), prepared.miner.hotkey, wait_for_inclusion=False,
            wait_for_finalization=False,
        )  # fmt: skip

    network.client.run(submit())
    network.dev.seal()
    [refused] = read_history(network.client, prepared.netuid, first + 1, first + 1).votes
    assert (refused.hotkey, refused.refused) == (miner.hotkey, True)


def test_epochs_are_read_with_what_they_were_given(prepared: Prepared, network: NetworkClient) -> None:
    network.dev.set_sealing("manual")
    first = network.head().number + 1
    network.dev.seal(20)
    history = read_history(network.client, prepared.netuid, first, first + 19)
    blocks = [epoch.found.block for epoch in history.epochs]
    assert len(blocks) >= 2
    assert [epoch.given.block + 1 for epoch in history.epochs] == blocks
    assert (history.epochs_since, history.unproven) == (first, ())


@pytest.mark.long
def test_bodies_stay_where_states_are_forgotten(
    prepared: Prepared, network: NetworkClient, chains: tuple[PeerChain, PeerChain]
) -> None:
    first = network.head().number + 1
    chains[1].commit(b"kept")
    network.dev.seal(2700)  # this node keeps the states of 2,400 blocks
    history = read_history(network.client, prepared.netuid, first, first + 19)
    assert [each.data for each in history.commitments] == [b"kept"]
    assert history.unproven == (first,)
    assert history.epochs == ()
    assert history.epochs_since > first + 19


def test_a_node_that_is_not_there_is_said(prepared: Prepared) -> None:
    with contextlib.closing(WireClient("ws://127.0.0.1:9")) as gone, pytest.raises(NodeUnreachable):
        read_history(gone, prepared.netuid, 1, 2)
