"""`eth_call` and `eth_estimateGas` beside others: lists as a block could hold, and one turn at a time."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from tests.devnet_process import DevnetProcess

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.engine import Message, engine
from subnetlab.devnet.evm.transaction import Authorization
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.node.sealer import Manual, Sealer
from subnetlab.devnet.rpc.connection import Connection
from subnetlab.devnet.rpc.ethereum import execution
from subnetlab.devnet.rpc.ethereum.overrides import MOST_ENTRIES, override
from subnetlab.devnet.rpc.method import Parameters
from subnetlab.devnet.rpc.service import Service
from subnetlab.devnet.rpc.simulations import MOST_LONG, PASSES

TARGET = "0x" + "77" * 20
ENDLESS, SHORT = "0x5b5f56", "0x00"
ALLOWED = "gas required exceeds allowance 75000000"
TOO_LONG: dict[str, dict[str, Any]] = {
    "authorizations": {"authorizationList": [{}] * 3001},
    "addresses": {"accessList": [{}] * 31_251},
    "keys": {"accessList": [{"storageKeys": [None] * 40_000}]},
}


def words(count: int) -> dict[str, str]:
    return {f"0x{slot:064x}": f"0x{slot + 1:064x}" for slot in range(count)}


@pytest.mark.parametrize("case", TOO_LONG)
def test_a_list_that_no_block_holds_is_refused_before_it_is_read(node: DevnetProcess, case: str) -> None:
    asked = {"to": TARGET, "data": "0x00", **TOO_LONG[case]}
    assert node.ask("eth_call", asked)["error"] == {"code": -32603, "message": "out of gas"}
    assert node.ask("eth_estimateGas", asked)["error"] == {"code": -32603, "message": ALLOWED}


def test_so_many_overrides_and_no_more_are_taken(node: DevnetProcess) -> None:
    asked, most = {"to": TARGET}, MOST_ENTRIES - 1
    assert node.rpc("eth_call", asked, "latest", {TARGET: {"stateDiff": words(most)}}) == "0x"
    for changed in (
        {TARGET: {"stateDiff": words(most + 1)}},
        {TARGET: {"state": words(most - 1)}, "0x" + "78" * 20: {"state": words(1)}},
    ):
        for name in ("eth_call", "eth_estimateGas"):
            error = node.ask(name, asked, "latest", changed)["error"]
            assert error["code"] == -32602
            assert str(MOST_ENTRIES) in error["data"]


def test_what_prepares_a_call_can_be_put_off(chain: Node) -> None:
    """Before every word that is overridden, and before every signature that is recovered."""
    ledger = Ledger(chain.codec, chain.state.overlay(chain.blocks.head.number))
    asked: list[None] = []
    override(ledger, {TARGET: {"state": words(50)}}, 2, lambda: asked.append(None))
    assert len(asked) > 50
    asked.clear()
    unsigned = Authorization(chain_id=0, address=bytes(20), nonce=0, parity=0, r=1, s=1)
    message = Message(sender=bytes(20), to=bytes(20), authorizations=(unsigned,) * 50)
    engine().run(ledger, message, lambda: asked.append(None))
    assert len(asked) >= 50


class Passes:
    """How often the loop has gone round, and at which of its rounds turns of calls were."""

    def __init__(self) -> None:
        self.count, self.turns = 0, list[int]()

    def note(self) -> None:
        self.turns.append(self.count)

    def gaps(self) -> list[int]:
        return [later - earlier for earlier, later in zip(self.turns, self.turns[1:], strict=False)]


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Passes]:
    passes, overlay = Passes(), execution._overlay

    class Noted(execution.Turns[Any]):
        def step(self, turn_s: float | None = None) -> bool:
            passes.note()
            return super().step(turn_s)

    def first_turn(*arguments: Any) -> Ledger:
        if threading.current_thread() is threading.main_thread():
            passes.note()
        return overlay(*arguments)

    async def go_round() -> None:
        while True:
            passes.count += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(execution, "TURN_S", 0.003)
    monkeypatch.setattr(execution, "Turns", Noted)
    monkeypatch.setattr(execution, "_overlay", first_turn)
    going_round = asyncio.get_running_loop().create_task(go_round())
    yield passes
    going_round.cancel()


def call(service: Service, code: str) -> Any:
    parameters = Parameters([{"to": TARGET}, "latest", {TARGET: {"code": code}}])
    return execution.call(service, parameters, Connection())


@asynccontextmanager
async def endless_calls(service: Service, count: int) -> AsyncIterator[None]:
    calls = [asyncio.create_task(call(service, ENDLESS)) for _ in range(count)]
    yield
    for one in calls:
        one.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_others_go_first_after_every_turn_of_any_call(
    chain: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(chain, Sealer(chain, Manual()), stop=lambda: None)
    await call(service, SHORT)  # loads the engine
    with watched(monkeypatch) as passes:
        async with endless_calls(service, 20):
            while len(passes.turns) < 100:  # noqa: ASYNC110 - the calls beside us go on
                await asyncio.sleep(0)
            turns = passes.gaps()
    assert min(turns[:100]) >= PASSES


async def test_a_call_that_has_just_come_waits_for_one_long_call_and_not_for_all(
    chain: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(chain, Sealer(chain, Manual()), stop=lambda: None)
    await call(service, SHORT)
    with watched(monkeypatch) as passes:
        async with endless_calls(service, MOST_LONG):
            while len(passes.turns) < 3 * MOST_LONG:  # noqa: ASYNC110 - the calls beside us go on
                await asyncio.sleep(0)
            for _ in range(5):
                before = len(passes.turns)
                assert await call(service, SHORT) == "0x"
                assert len(passes.turns) - before <= 3
