"""Layouts of fixed width against the runtime's own codec."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sdk.devnet.conftest import recorded_codec

from subnetlab.devnet.chain.layouts import LAYOUTS, Layout
from subnetlab.devnet.node.node import Node

ITEMS = sorted(LAYOUTS)


@pytest.mark.parametrize("item", ITEMS)
@given(data=st.data())
def test_a_layout_reads_and_writes_what_the_runtime_does(item: tuple[str, str], data: st.DataObject) -> None:
    layout, codec = LAYOUTS[item], recorded_codec()
    entry = codec.item(*item)
    assert entry.decode is layout.decode, "the recorded runtime has another type"
    raw = data.draw(st.binary(min_size=layout.size, max_size=layout.size))
    value = codec.decode(entry.value_type, raw)
    assert entry.decode(raw) == value
    if layout.encode is not None:
        assert entry.encode(value) == codec.encode(entry.value_type, value) == raw


@pytest.mark.parametrize(
    "change", [{"nonce": -1}, {"nonce": 1 << 32}, {"nonce": "5"}, {"nonce": 5.0}, {"data": 7}, {"data": None}]
)
def test_what_is_no_account_is_refused_in_the_runtimes_words(change: dict[str, Any]) -> None:
    codec = recorded_codec()
    entry = codec.item("System", "Account")
    account = {**entry.decode(entry.default), **change}
    with pytest.raises((ValueError, TypeError)) as own:
        entry.encode(account)
    with pytest.raises((ValueError, TypeError)) as theirs:
        codec.encode(entry.value_type, account)
    assert str(own.value) == str(theirs.value)


def test_a_runtime_with_another_type_is_served_by_its_codec() -> None:
    def decode(data: bytes) -> int:
        return len(data)

    def encode(value: Any) -> bytes:
        return bytes(value)

    for layout in LAYOUTS.values():
        assert layout.joined(decode, encode) == (decode, encode)
    writes_otherwise = Layout(4, len, lambda value: b"\1" * value)
    assert writes_otherwise.joined(decode, encode) == (decode, encode)


def test_bytes_behind_an_account_are_ignored_and_too_few_are_none(node: Node) -> None:
    address = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
    key = node.codec.key("System", "Account", address)
    node.state.put(key, bytes([7]) + bytes(55) + b"more")
    assert node.ledger.get("System", "Account", address)["nonce"] == 7
    node.state.put(key, bytes([7]))
    assert node.ledger.get("System", "Account", address)["nonce"] == 0
