"""The sudo key is root, nobody else is, and an inner failure is told in the event."""

from typing import Any

import pytest
from bittensor_core import Keypair
from tests.sdk.devnet.pallets.test_utility import ALICE, BOB, composed, decoded

from subnetlab.devnet.chain.registry import DispatchError, Origin
from subnetlab.devnet.node.node import Node

KEY, MORE = "0xabcd", "0x01"


def set_storage(node: Node) -> bytes:
    return composed(node, "System", "set_storage", items=[(KEY, MORE)])


def last_event(node: Node) -> Any:
    return node.ledger.events[-1]["event"]


def test_root_may_write_storage(node: Node) -> None:
    node.ledger.dispatch(Origin(account=ALICE), decoded(node, "Sudo", "sudo", call=set_storage(node)))
    assert node.state.get(b"\xab\xcd") == b"\x01"
    assert last_event(node) == {"Sudo": {"Sudid": {"sudo_result": {"Ok": []}}}}


def test_nobody_else_may(node: Node) -> None:
    with pytest.raises(DispatchError, match=r"Sudo\.RequireSudo"):
        node.ledger.dispatch(Origin(account=BOB), decoded(node, "Sudo", "sudo", call=set_storage(node)))
    with pytest.raises(DispatchError, match="BadOrigin"):
        node.ledger.dispatch(Origin(account=ALICE), node.codec.runtime.decode_call(set_storage(node)))
    assert node.state.get(b"\xab\xcd") is None


def test_an_inner_failure_is_in_the_event(node: Node) -> None:
    inner = composed(node, "Contracts", "remove_code", code_hash="0x" + "00" * 32)
    node.ledger.dispatch(Origin(account=ALICE), decoded(node, "Sudo", "sudo", call=inner))
    assert "Err" in last_event(node)["Sudo"]["Sudid"]["sudo_result"]


def test_sudo_as_is_the_account(node: Node) -> None:
    inner = composed(node, "Balances", "transfer_keep_alive", dest=ALICE, value=5)
    node.ledger.dispatch(Origin(account=ALICE), decoded(node, "Sudo", "sudo_as", who=BOB, call=inner))
    assert last_event(node) == {"Sudo": {"SudoAsDone": {"sudo_result": {"Ok": []}}}}


def test_the_key_can_be_handed_over(node: Node) -> None:
    node.ledger.dispatch(Origin(account=ALICE), decoded(node, "Sudo", "set_key", new=BOB))
    with pytest.raises(DispatchError):
        node.ledger.dispatch(Origin(account=ALICE), decoded(node, "Sudo", "set_key", new=ALICE))
    assert node.ledger.get("Sudo", "Key") == BOB
    assert Keypair.from_uri("//Bob").ss58_address == BOB


def test_the_events_encode(node: Node) -> None:
    """What the pallet says is what the block stores."""
    node.ledger.dispatch(Origin(account=ALICE), decoded(node, "Sudo", "sudo", call=set_storage(node)))
    item = node.codec.item("System", "Events")
    assert (
        len(node.codec.decode(item.value_type, node.codec.encode(item.value_type, node.ledger.events))) == 1
    )
