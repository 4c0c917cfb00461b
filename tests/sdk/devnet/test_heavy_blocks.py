"""A block that is much work: bounded as on the chain, and built while other clients are answered."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from bittensor_core import Keypair
from tests.sdk.devnet.conftest import StillClock, recorded_codec
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet.chain import transaction_error
from subnetlab.devnet.chain.block import hexed
from subnetlab.devnet.chain.fees import MOST_BLOCK_REF_TIME, MOST_EXTRINSIC_REF_TIME
from subnetlab.devnet.chain.scale import compact
from subnetlab.devnet.chain.transaction_error import TransactionError
from subnetlab.devnet.chain.transaction_pool import Status
from subnetlab.devnet.node import node as nodes
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.node.sealer import Instant, Manual, Sealer, Sealing
from subnetlab.devnet.node.turns import Turns
from subnetlab.devnet.pallets import balances, system
from subnetlab.devnet.rpc.listener import Limits
from subnetlab.devnet.rpc.server import Server
from subnetlab.devnet.rpc.service import Service

ALICE, BOB = (Keypair.from_uri(f"//{name}") for name in ("Alice", "Bob"))


@pytest.fixture
def node() -> Node:
    return Node(recorded_codec(), StillClock())


@pytest.fixture
def signers(node: Node) -> Iterator[tuple[Signer, Signer]]:
    return Signer(node, ALICE), Signer(node, BOB)


def batch(signer: Signer, function: str, call: bytes, count: int, **parts: Any) -> bytes:
    empty = signer.call("Utility", function, calls=[])
    return signer.sign(empty.removesuffix(compact(0)) + compact(count) + call * count, **parts)


def transfers(signer: Signer, count: int, **parts: Any) -> bytes:
    call = signer.call("Balances", "transfer_keep_alive", dest=BOB.ss58_address, value=1)
    return batch(signer, "batch_all", call, count, **parts)


def stakes(signer: Signer, count: int, **parts: Any) -> bytes:
    call = signer.call("SubtensorModule", "add_stake", hotkey=BOB.ss58_address, netuid=1, amount_staked=10**9)
    return batch(signer, "force_batch", call, count, **parts)


def test_the_bounds_are_the_chains(node: Node) -> None:
    normal = node.codec.constant("System", "BlockWeights")["per_class"]["normal"]
    assert normal["max_extrinsic"]["ref_time"] == MOST_EXTRINSIC_REF_TIME
    assert normal["max_total"]["ref_time"] == MOST_BLOCK_REF_TIME


def test_an_extrinsic_that_fits_no_block_is_refused(node: Node, signers: tuple[Signer, Signer]) -> None:
    with pytest.raises(TransactionError) as refused:
        node.submit(stakes(signers[0], 1000))
    assert refused.value.data == transaction_error.invalid(transaction_error.EXHAUSTS).data
    assert len(node.transaction_pool) == 0


def test_what_does_not_fit_into_a_block_waits_for_the_next(
    node: Node, signers: tuple[Signer, Signer]
) -> None:
    seen: list[Status] = []
    node.submit(stakes(signers[0], 600))
    node.submit(stakes(signers[0], 600, nonce=1), seen.append)
    node.submit(signers[1].transfer(ALICE.ss58_address, 5))
    assert len(node.seal().extrinsics) == 2
    assert seen == ["ready"]
    second = node.seal()
    assert len(second.extrinsics) == 3
    assert seen[1] == {"inBlock": hexed(second.hash)}


@asynccontextmanager
async def serving(node: Node, mode: Sealing) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    service = Service(node, Sealer(node, mode), stop=lambda: None)
    server = Server(service, token="token", limits=Limits())
    await server.start(0)
    try:
        async with (
            aiohttp.ClientSession(headers={"Authorization": "Bearer token"}) as session,
            session.ws_connect(f"http://127.0.0.1:{server.port}") as socket,
        ):
            yield socket
    finally:
        await server.stop()


async def ask(socket: aiohttp.ClientWebSocketResponse, method: str, *params: Any) -> Any:
    await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    return await socket.receive_json()


async def test_others_are_answered_while_a_heavy_block_is_built(
    node: Node, signers: tuple[Signer, Signer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "TURN_S", 0.0)  # a turn for every call, however fast the machine is
    alice, bob = signers
    before = balances.free(node.ledger, BOB.ss58_address)
    async with serving(node, Instant()) as socket:
        node.submit(transfers(alice, 5_000))
        for _ in range(5):
            assert (await ask(socket, "system_chain"))["result"] == "Development"
        assert node.blocks.head.number == 0, "others were answered only when it was sealed"
        # What others read and send meanwhile is judged by the head, and goes into the next block.
        assert (await ask(socket, "system_accountNextIndex", alice.address))["result"] == 0
        raw = hexed(bob.transfer(alice.address, 7))
        assert "result" in await ask(socket, "author_submitExtrinsic", raw)
        assert node.blocks.head.number == 0
        while node.blocks.head.number < 2:  # noqa: ASYNC110 - a node in this very loop
            await asyncio.sleep(0)
    assert len(node.blocks.at(1).extrinsics) == len(node.blocks.at(2).extrinsics) == 2
    assert balances.free(node.ledger.at(1), BOB.ss58_address) == before + 5_000
    assert system.nonce(node.ledger.at(2), BOB.ss58_address) == 1


async def test_a_heavy_block_is_the_same_in_turns_and_at_once(
    node: Node, signers: tuple[Signer, Signer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "TURN_S", 0.0)
    other = Node(recorded_codec(), StillClock())
    raw = transfers(signers[0], 400)
    for chain in (node, other):
        chain.submit(raw)
    node.begin()
    assert node.heavy
    turns = 0
    while not node.work():
        turns += 1
    assert turns > 1
    assert node.blocks.head.hash == other.seal().hash
    assert node.ledger.pause is other.ledger.pause


async def test_whoever_changes_what_a_block_reads_waits_for_it(
    node: Node, signers: tuple[Signer, Signer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "TURN_S", 0.0)
    async with serving(node, Manual()) as socket:
        node.submit(transfers(signers[0], 400))
        node.begin()
        assert not node.work()
        answer = await ask(socket, "dev_faucet", BOB.ss58_address, 10**9)
        assert answer["result"]["number"] == 1
        assert node.work()
        node.submit(transfers(signers[0], 400, nonce=1))
        assert (await ask(socket, "dev_seal", 2))["result"]["number"] == 3
        assert len(node.blocks.at(2).extrinsics) == 2


def test_what_fails_in_turns_is_raised_where_the_result_is_asked_for() -> None:
    def work() -> None:
        for _ in range(3):
            turns.pause()
        raise LookupError

    turns = Turns(work, 0.0)
    steps = 0
    while not turns.step():
        steps += 1
    assert steps == 3
    with pytest.raises(LookupError):
        turns.result()
