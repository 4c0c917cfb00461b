"""The codec against vectors recorded from a real localnet of the same runtime."""

import json
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.project import ROOT
from tests.sdk.devnet.conftest import recorded_codec

from subnetlab.devnet.chain.block import Block
from subnetlab.devnet.chain.codec import Codec, bytes_of
from subnetlab.errors import MetadataInvalid

GOLDEN: dict[str, Any] = json.loads((ROOT / "tests/golden/chain.json").read_text(encoding="utf-8"))


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@pytest.mark.parametrize(
    "vector", GOLDEN["storage_keys"], ids=lambda v: f"{v['pallet']}.{v['storage_function']}"
)
def test_storage_keys_are_the_chains(codec: Codec, vector: dict[str, Any]) -> None:
    assert codec.key(vector["pallet"], vector["storage_function"], *vector["params"]) == unhex(
        vector["key_hex"]
    )


@pytest.mark.parametrize("vector", GOLDEN["calls"], ids=lambda v: f"{v['module']}.{v['function']}")
def test_calls_are_the_chains(codec: Codec, vector: dict[str, Any]) -> None:
    composed = codec.runtime.compose_call(vector["module"], vector["function"], vector["params"])
    assert bytes(composed) == unhex(vector["data_hex"])


@pytest.mark.parametrize("data", GOLDEN["nested_calls"])
def test_calls_inside_calls_decode(codec: Codec, data: str) -> None:
    decoded = codec.runtime.decode_call(unhex(data))
    inner = [a["value"] for a in decoded["call_args"] if a["name"] in ("call", "calls")]
    first = inner[0][0] if isinstance(inner[0], list) else inner[0]
    assert {"call_module", "call_function", "call_args"} <= set(first)


@pytest.mark.parametrize("vector", GOLDEN["storage_values"], ids=lambda v: v["storage_function"])
def test_storage_values_round_trip(codec: Codec, vector: dict[str, Any]) -> None:
    item = codec.item(vector["pallet"], vector["storage_function"])
    raw = item.default if vector["raw_hex"] is None else unhex(vector["raw_hex"])
    assert codec.encode(item.value_type, codec.decode(item.value_type, raw)) == raw


@pytest.mark.parametrize("vector", GOLDEN["runtime_calls"], ids=lambda v: v["method"])
def test_runtime_api_answers_round_trip(codec: Codec, vector: dict[str, Any]) -> None:
    output = codec.apis[vector["api"]][vector["method"]]["output"]
    raw = unhex(vector["raw_hex"])
    assert codec.encode(output, codec.decode(output, raw)) == raw


def test_every_runtime_api_has_a_zero_answer(codec: Codec) -> None:
    failed = []
    for api, methods in codec.apis.items():
        for name, method in methods.items():
            try:
                codec.encode(method["output"], codec.zero(method["output"]))
            except ValueError as error:
                failed.append((api, name, str(error)))
    assert failed == []


def test_a_header_hashes_to_the_chains_block_hash() -> None:
    header = GOLDEN["block_header"]
    block = Block(
        number=int(header["number"], 16),
        parent_hash=unhex(header["parentHash"]),
        state_root=unhex(header["stateRoot"]),
        extrinsics_root=unhex(header["extrinsicsRoot"]),
        logs=tuple(unhex(log) for log in header["digest"]["logs"]),
        extrinsics=(),
    )
    assert "0x" + block.sealed().hash.hex() == GOLDEN["block_hash"]
    assert block.header() == header
    assert blake2b(block.encoded_header(), digest_size=32).digest() == block.sealed().hash


def test_what_is_no_metadata_is_refused() -> None:
    with pytest.raises(MetadataInvalid):
        Codec(b"meta\x0f rubbish", 461, 1)


def test_an_unknown_storage_item_is_refused(codec: Codec) -> None:
    with pytest.raises(MetadataInvalid, match=r"no storage System\.Nothing"):
        codec.item("System", "Nothing")


@given(
    st.one_of(st.binary(max_size=40), st.text(max_size=20).map(str.encode), st.just(b"0x41"), st.just(b"0x"))
)
def test_bytes_come_back_from_how_the_codec_shows_them(data: bytes) -> None:
    codec = recorded_codec()
    call = codec.runtime.decode_call(bytes(codec.runtime.compose_call("System", "remark", {"remark": data})))
    assert bytes_of(call["call_args"][0]["value"]) == data
