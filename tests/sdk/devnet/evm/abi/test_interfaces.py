"""The shipped ABI is the SDK's, and call data is read as Frontier reads it."""

import json
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest
from bittensor.evm.precompiles import PRECOMPILES
from eth_abi.abi import encode
from eth_abi.tools._strategies import get_abi_strategy
from eth_typing import ABIFunction
from eth_utils.abi import function_abi_to_4byte_selector
from hypothesis import given, settings
from hypothesis import strategies as st

from subnetlab.devnet.evm.abi import Function, arguments, contracts, record

FUNCTIONS = [function for contract in contracts().values() for function in contract.functions]


def test_the_recorded_interfaces_are_those_of_the_installed_sdk(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.json"
    assert record.main(["bittensor.evm.precompiles", str(fresh)]) == 0
    shipped = Path(record.__file__).with_name("precompiles.json")
    assert json.loads(fresh.read_bytes()) == json.loads(shipped.read_bytes())


def test_a_module_without_a_catalogue_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record.main(["json", str(tmp_path / "none.json")]) == 1
    assert "PRECOMPILES" in capsys.readouterr().err


def test_addresses_and_selectors_are_those_of_the_sdk() -> None:
    theirs = {
        (one.address, function_abi_to_4byte_selector(cast("ABIFunction", entry)), entry["name"])
        for one in PRECOMPILES.values()
        for entry in one.functions()
    }
    ours = {
        ("0x" + contract.address.hex(), function.selector, function.name)
        for contract in contracts().values()
        for function in contract.functions
    }
    assert ours == theirs
    assert len(ours) == 352


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_arguments_read_back_as_they_were_encoded(data: st.DataObject) -> None:
    function = data.draw(st.sampled_from([one for one in FUNCTIONS if one.inputs]))
    values = [data.draw(get_abi_strategy(kind)) for kind in function.inputs]
    nested = any(kind.endswith("[][]") for kind in function.inputs)
    if nested and any(
        len(value) > arguments.MOST_NESTED for value in values if isinstance(value, (list, tuple))
    ):
        return
    read = arguments.read(function.call_data(values), function.inputs, function.names)
    assert (
        encode(function.inputs, [textual(kind, one) for kind, one in zip(function.inputs, read, strict=True)])
        == (function.call_data(values)[4:])
    )


def textual(kind: str, value: object) -> object:
    return value.decode() if kind == "string" and isinstance(value, bytes) else value


@given(st.sampled_from(FUNCTIONS), st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(function: Function, noise: bytes) -> None:
    with suppress(arguments.Unreadable):
        arguments.read(function.selector + noise, function.inputs, function.names)


@pytest.mark.parametrize(
    ("kinds", "words", "reason"),
    [
        (["uint16"], "10000".rjust(64, "0"), "netuid: Value is too large for uint16"),
        (["uint16", "uint16"], "1".rjust(64, "0"), "Expected at least 2 arguments"),
        (["bytes"], "40".rjust(64, "0"), "netuid: Pointer points to out of bound"),
        (["bytes"], "f" * 64, "netuid: Value is too large for pointer"),
        (["bytes"], "20".rjust(64, "0") + "2".rjust(64, "0"), "netuid: Tried to read bytes out of bounds"),
        (["uint16[]"], "20".rjust(64, "0") + "f" * 64, "netuid: Value is too large for length"),
        (
            ["uint16[]"],
            "20".rjust(64, "0") + "1".rjust(64, "0"),
            "netuid: Tried to read uint16 out of bounds",
        ),
        (["uint16[][]"], "20".rjust(64, "0") + "11".rjust(64, "0"), "netuid: Value is too large for length"),
    ],
)
def test_what_cannot_be_read_is_named_in_frontiers_words(kinds: list[str], words: str, reason: str) -> None:
    names = ["netuid", "uid"][: len(kinds)]
    with pytest.raises(arguments.Unreadable) as refused:
        arguments.read(bytes(4) + bytes.fromhex(words), kinds, names)
    assert str(refused.value) == reason


def test_loose_words_are_taken_as_the_runtime_takes_them() -> None:
    two, dirty = "2".rjust(64, "0"), "f" * 64
    assert arguments.read(bytes(4) + bytes.fromhex(two + dirty), ["bool", "address"], ["", ""]) == [
        True,
        b"\xff" * 20,
    ]


def test_a_selector_needs_four_bytes() -> None:
    with pytest.raises(arguments.Unreadable, match="Tried to read selector out of bounds"):
        arguments.selector(b"\x01\x02\x03")
