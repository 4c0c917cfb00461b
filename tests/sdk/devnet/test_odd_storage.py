"""Whatever root puts into storage, the chain builds its next block and every sender is answered."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sdk.devnet.conftest import StillClock, recorded_codec
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet.chain.registry import HOOKS
from subnetlab.devnet.chain.transaction_pool import Status
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances
from subnetlab.units import U64_MAX

ITEMS = [
    ("SubtensorModule", "Tempo", (1,)),
    ("SubtensorModule", "NetworksAdded", (1,)),
    ("SubtensorModule", "SubnetworkN", (1,)),
    ("SubtensorModule", "SubnetTAO", (1,)),
    ("SubtensorModule", "TotalIssuance", ()),
    ("SubtensorModule", "Active", (1,)),
    ("SubtensorModule", "SubnetMovingPrice", (1,)),
    ("SubtensorModule", "LastEpochBlock", (1,)),
    ("Balances", "TotalIssuance", ()),
    ("System", "Events", ()),
    ("System", "Number", ()),
    ("Timestamp", "Now", ()),
    ("Sudo", "Key", ()),
]


def submit(node: Node, signer: Signer, pallet: str, function: str, nonce: int, **arguments: Any) -> list[Any]:
    """Send one call and seal; what its sender was told."""
    told: list[Status] = []
    node.submit(signer.sign(signer.call(pallet, function, **arguments), nonce=nonce), told.append)
    node.seal()
    return told


def set_storage(node: Node, key: bytes, value: bytes) -> Any:
    items = [("0x" + key.hex(), "0x" + value.hex())]
    return {"call": bytes(node.codec.runtime.compose_call("System", "set_storage", {"items": items}))}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(item=st.sampled_from(ITEMS), value=st.binary(max_size=80))
def test_no_stored_bytes_stop_the_chain(
    caplog: pytest.LogCaptureFixture, item: tuple[str, str, tuple[int, ...]], value: bytes
) -> None:
    node = Node(recorded_codec(), StillClock())
    pallet, name, keys = item
    for height in range(1, 4):
        node.state.put(node.codec.key(pallet, name, *keys), value)
        assert node.seal().number == height
        node.ledger.at(height)
    node.resume()
    caplog.clear()


def test_what_follows_a_value_is_ignored_as_on_the_chain(node: Node, signer: Signer) -> None:
    key = node.codec.key("SubtensorModule", "Tempo", 1)
    told = submit(node, signer, "Sudo", "sudo", 0, **set_storage(node, key, b"\x07\x00rest"))
    assert [next(iter(status), "") if isinstance(status, dict) else status for status in told] == [
        "ready", "inBlock", "finalized",
    ]  # fmt: skip
    assert node.seal().number == 2
    assert node.ledger.get("SubtensorModule", "Tempo", 1) == 7
    assert (1, 7) in node.ledger.items("SubtensorModule", "Tempo")


def test_what_is_no_value_reads_as_absent(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    node.state.put(node.codec.key("SubtensorModule", "Tempo", 1), b"\x07")
    assert node.ledger.get("SubtensorModule", "Tempo", 1) == node.ledger.get("SubtensorModule", "Tempo", 999)
    assert 1 not in dict(node.ledger.items("SubtensorModule", "Tempo"))
    assert "SubtensorModule.Tempo" in caplog.text


def test_the_issuance_saturates_and_the_sender_is_answered(node: Node, signer: Signer) -> None:
    call = signer.call("Balances", "force_set_balance", who=signer.address, new_free=U64_MAX)
    told = submit(node, signer, "Sudo", "sudo", 0, call=call)
    assert len(told) == 3
    assert int(node.ledger.get("Balances", "TotalIssuance")) == U64_MAX
    told = submit(node, signer, "Balances", "transfer_keep_alive", 1, dest=signer.address, value=1)
    assert len(told) == 3
    assert balances.free(node.ledger, signer.address) > U64_MAX // 2


def test_a_hook_that_fails_costs_its_own_part_of_the_block(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(ledger: Any) -> None:
        ledger.put("SubtensorModule", "Tempo", 1, value=3)
        raise ZeroDivisionError

    before = node.ledger.get("SubtensorModule", "Tempo", 1)
    monkeypatch.setattr("subnetlab.devnet.chain.ledger.HOOKS", [(0, fails), *HOOKS])
    assert node.seal().number == 1
    assert node.ledger.get("SubtensorModule", "Tempo", 1) == before
    assert "fails builds failed" in caplog.text
    caplog.clear()
