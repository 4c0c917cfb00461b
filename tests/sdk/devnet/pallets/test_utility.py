"""Batches stop, roll back or go on as each promises, and calls run under the origin they name."""

from typing import Any

import pytest
from bittensor_core import Keypair

from subnetlab.devnet.chain.registry import ROOT, DispatchError, Origin
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances

ALICE, BOB, EVE = (Keypair.from_uri(f"//{name}").ss58_address for name in ("Alice", "Bob", "Eve"))
TOO_MUCH = 10**18


def decoded(node: Node, pallet: str, function: str, **arguments: Any) -> dict[str, Any]:
    runtime = node.codec.runtime
    return runtime.decode_call(bytes(runtime.compose_call(pallet, function, arguments)))


def composed(node: Node, pallet: str, function: str, **arguments: Any) -> bytes:
    return bytes(node.codec.runtime.compose_call(pallet, function, arguments))


def pay(node: Node, amount: int) -> bytes:
    return composed(node, "Balances", "transfer_keep_alive", dest=BOB, value=amount)


def run(node: Node, function: str, *amounts: int) -> list[str]:
    """Dispatch a batch of payments from Eve and name the Utility events it left."""
    call = decoded(node, "Utility", function, calls=[pay(node, amount) for amount in amounts])
    node.ledger.events = []
    node.ledger.dispatch(Origin(account=EVE), call)
    return [next(iter(e["event"]["Utility"])) for e in node.ledger.events if "Utility" in e["event"]]


def received(node: Node) -> int:
    return balances.free(node.ledger, BOB) - 10**15


def test_batch_keeps_what_ran_before_the_failure(node: Node) -> None:
    assert run(node, "batch", 1, TOO_MUCH, 2) == ["ItemCompleted", "BatchInterrupted"]
    assert received(node) == 1
    interrupted = node.ledger.events[-1]["event"]["Utility"]["BatchInterrupted"]
    assert interrupted == {"index": 1, "error": {"Token": "FundsUnavailable"}}


def test_batch_all_keeps_nothing(node: Node) -> None:
    with pytest.raises(DispatchError) as failed:
        run(node, "batch_all", 1, TOO_MUCH, 2)
    assert failed.value.name == "FundsUnavailable"
    assert received(node) == 0
    assert node.ledger.events == []


def test_force_batch_goes_on(node: Node) -> None:
    events = run(node, "force_batch", 1, TOO_MUCH, 2)
    assert events == ["ItemCompleted", "ItemFailed", "ItemCompleted", "BatchCompletedWithErrors"]
    assert received(node) == 3


@pytest.mark.parametrize("function", ["batch", "batch_all", "force_batch"])
def test_a_whole_batch_completes(node: Node, function: str) -> None:
    assert run(node, function, 1, 2)[-1] == "BatchCompleted"
    assert received(node) == 3


def test_a_batch_in_a_batch_is_filtered(node: Node) -> None:
    inner = composed(node, "Utility", "batch", calls=[pay(node, 1)])
    with pytest.raises(DispatchError, match=r"System\.CallFiltered"):
        node.ledger.dispatch(Origin(account=EVE), decoded(node, "Utility", "batch_all", calls=[inner]))


def test_dispatch_as_needs_root_and_then_is_that_account(node: Node) -> None:
    call = decoded(node, "Utility", "dispatch_as", as_origin={"system": {"Signed": EVE}}, call=pay(node, 5))
    with pytest.raises(DispatchError, match="BadOrigin"):
        node.ledger.dispatch(Origin(account=EVE), call)
    before = balances.free(node.ledger, EVE)
    node.ledger.dispatch(ROOT, call)
    assert balances.free(node.ledger, EVE) == before - 5


def test_if_else_falls_back(node: Node) -> None:
    call = decoded(node, "Utility", "if_else", main=pay(node, TOO_MUCH), fallback=pay(node, 3))
    node.ledger.dispatch(Origin(account=EVE), call)
    assert received(node) == 3


def test_a_derived_account_spends_its_own_money(node: Node) -> None:
    call = decoded(node, "Utility", "as_derivative", index=1, call=pay(node, 5))
    with pytest.raises(DispatchError, match="FundsUnavailable"):
        node.ledger.dispatch(Origin(account=EVE), call)
