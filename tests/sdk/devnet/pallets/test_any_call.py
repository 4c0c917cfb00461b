"""Whatever anybody submits, a call succeeds or is refused: it never breaks the node or the books."""

from typing import Any

import pytest
from tests.sdk.devnet.pallets.arguments import ACCOUNTS, Sampler
from tests.sdk.devnet.pallets.stage import BOB, OWNER_HOTKEY, TAO, Stage, key, recorded_codec

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import CALLS, ROOT, DispatchError, Origin

PALLETS = ("AdminUtils", "Commitments", "SubtensorModule", "Swap")
ATTEMPTS = 24


def argument_types(pallet: str, function: str) -> dict[str, int]:
    """The registry's type numbers of a call's arguments."""
    codec = recorded_codec()
    for number in range(2_000):
        try:
            described = codec.type_def(number)
        except KeyError:
            break
        path = described.get("path") or []
        if path[-1:] == ["Call"] and path[0] == CRATES[pallet]:
            variants = described["def"]["variant"]["variants"]
            chosen = next(variant for variant in variants if variant["name"] == function)
            return {field["name"]: field["type"] for field in chosen.get("fields", [])}
    raise AssertionError(f"the runtime has no call {pallet}.{function}")


CRATES = {
    "AdminUtils": "pallet_admin_utils",
    "Commitments": "pallet_commitments",
    "SubtensorModule": "pallet_subtensor",
    "Swap": "pallet_subtensor_swap",
}


@pytest.fixture(scope="module")
def stage() -> Stage:
    """A subnet in use: an owner, a miner with stake, a nominator on root."""
    stage = Stage()
    stage.write("AdminFreezeWindow", value=0)
    netuid = stage.subnet()
    stage.register(netuid, (BOB, key("//miner")))
    stage.stake(BOB, key("//miner"), netuid, 20 * TAO)
    stage.stake(BOB, OWNER_HOTKEY, 0, 20 * TAO)
    stage.until_epoch(netuid)
    return stage


class Undo(Exception):
    """Leaves a state layer so that the next attempt starts from the same chain."""


def total(ledger: Ledger) -> int:
    return sum(int(account["data"]["free"]) for _, account in ledger.items("System", "Account"))


def attempt(stage: Stage, origin: Origin, call: dict[str, Any]) -> bool:
    """Dispatch, encode the events as the block would, run two blocks' hooks, and undo; whether it passed."""
    ledger = stage.ledger
    issued = int(ledger.get("Balances", "TotalIssuance"))
    height, passed = ledger.block_number, False
    try:
        with ledger.transaction():
            try:
                ledger.dispatch(origin, call)
                passed = True
            except DispatchError:
                assert int(ledger.get("Balances", "TotalIssuance")) == issued
            ledger.put("System", "Events", value=ledger.events)
            assert total(ledger) == int(ledger.get("Balances", "TotalIssuance"))
            if passed:
                for _ in range(2):
                    ledger.initialize_block(ledger.block_number + 1, 12_000)
                ledger.put("System", "Events", value=ledger.events)
            raise Undo  # noqa: TRY301 - leaving the layer is how it is dropped
    except Undo:
        ledger.block_number = height
    return passed


@pytest.mark.parametrize(("pallet", "function"), sorted(call for call in CALLS if call[0] in PALLETS))
def test_a_call_passes_or_is_refused(stage: Stage, pallet: str, function: str) -> None:
    runtime = recorded_codec().runtime
    types = argument_types(pallet, function)
    for seed in range(ATTEMPTS):
        sampler = Sampler(seed)
        arguments = {name: sampler.value(number) for name, number in types.items()}
        call = runtime.decode_call(bytes(runtime.compose_call(pallet, function, arguments)))
        who = sampler.random.choice((None, *ACCOUNTS))
        attempt(stage, ROOT if who is None else Origin(account=who), call)
