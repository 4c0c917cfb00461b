"""When blocks are built in each mode, and switching while the chain runs."""

import asyncio
from collections.abc import Iterator

import pytest
from bittensor_core import Keypair
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet.chain.block import Block
from subnetlab.devnet.chain.registry import CALLS
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.node.sealer import Instant, Interval, Manual, Sealer, describe, parse_sealing

BOB = Keypair.from_uri("//Bob").ss58_address


@pytest.fixture
async def sealer(node: Node) -> "Iterator[Sealer]":
    driven = Sealer(node, Manual())
    yield driven
    driven.stop()


def next_block(node: Node) -> "asyncio.Future[Block]":
    """Done when the node seals."""
    arrived: asyncio.Future[Block] = asyncio.get_running_loop().create_future()
    node.on_sealed.append(lambda block, _changes: arrived.done() or arrived.set_result(block))
    return arrived


async def test_instant_seals_once_for_what_arrives_together(
    node: Node, sealer: Sealer, signer: Signer
) -> None:
    sealer.switch(Instant())
    arrived = next_block(node)
    for nonce in range(3):
        node.submit(signer.transfer(BOB, 1, nonce=nonce))
    assert len((await arrived).extrinsics) == 4
    assert node.blocks.head.number == 1


async def test_instant_does_not_seal_again_what_was_sealed_by_hand(
    node: Node, sealer: Sealer, signer: Signer
) -> None:
    sealer.switch(Instant())
    node.submit(signer.transfer(BOB, 1))
    sealer.seal()
    await asyncio.sleep(0)
    assert node.blocks.head.number == 1


async def test_instant_does_not_seal_for_what_is_not_ready(
    node: Node, sealer: Sealer, signer: Signer
) -> None:
    sealer.switch(Instant())
    node.submit(signer.transfer(BOB, 1, nonce=7))
    await asyncio.sleep(0)
    assert node.blocks.head.number == 0


async def test_instant_goes_on_after_a_bug(
    node: Node,
    sealer: Sealer,
    signer: Signer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(CALLS, ("Contracts", "migrate"), bug)
    sealer.switch(Instant())
    arrived = next_block(node)
    node.submit(signer.transfer(BOB, 1, nonce=0))
    migrate = signer.call("Contracts", "migrate", weight_limit={"ref_time": 0, "proof_size": 0})
    node.submit(signer.sign(migrate, nonce=1))
    assert len((await arrived).extrinsics) == 3
    assert caplog.text.count("Contracts.migrate failed") == 1
    caplog.clear()


async def test_an_interval_seals_empty_blocks(node: Node, sealer: Sealer) -> None:
    sealer.switch(Interval(0.01))
    first = await next_block(node)
    second = await next_block(node)
    assert second.number == first.number + 1
    assert len(second.extrinsics) == 1


async def test_manual_seals_only_when_told(node: Node, sealer: Sealer, signer: Signer) -> None:
    node.submit(signer.transfer(BOB, 1))
    assert node.blocks.head.number == 0
    assert (await sealer.seal_many(3)).number == 3
    assert len(node.blocks.at(1).extrinsics) == 2


async def test_switching_to_instant_seals_what_waits(node: Node, sealer: Sealer, signer: Signer) -> None:
    node.submit(signer.transfer(BOB, 1))
    arrived = next_block(node)
    sealer.switch(Instant())
    assert len((await arrived).extrinsics) == 2


async def test_switching_away_from_an_interval_stops_it(node: Node, sealer: Sealer) -> None:
    sealer.switch(Interval(0.01))
    await next_block(node)
    sealer.switch(Manual())
    height = node.blocks.head.number
    await asyncio.sleep(0)
    assert node.blocks.head.number == height
    assert sealer.seal().number == height + 1


@pytest.mark.parametrize("mode", [Instant(), Manual(), Interval(0.25), Interval(12.0)])
def test_a_mode_reads_as_it_is_described(mode: Instant | Manual | Interval) -> None:
    assert parse_sealing(describe(mode)) == mode


@pytest.mark.parametrize(
    "value",
    [None, "", "Instant", 1, {"interval": 0}, {"interval": -1}, {"interval": "1"}, {"interval": 1e9}, []],
)
def test_anything_else_is_no_mode(value: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_sealing(value)


def test_no_two_blocks_share_a_time(node: Node) -> None:
    times = []
    for _ in range(3):
        block = node.seal()
        times.append(node.ledger.at(block.number).now_ms)
    assert times == sorted(set(times))
