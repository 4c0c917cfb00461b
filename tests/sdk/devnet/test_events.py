"""Events are what the runtime's codec writes, whether it writes all of one or the pallet's part alone."""

from typing import Any

import pytest
from tests.sdk.devnet.conftest import recorded_codec

from subnetlab.devnet.chain.events import EVENTS_BEFORE, Events

WHO = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
HASH, ADDRESS = "0x" + "33" * 32, "0x" + "22" * 20
INFO = {"weight": {"ref_time": 5, "proof_size": 6}, "class": "Normal", "pays_fee": "Yes"}
SAID: list[tuple[str, str, Any]] = [
    ("Balances", "Deposit", {"who": WHO, "amount": 7}),
    ("System", "ExtrinsicSuccess", {"dispatch_info": INFO}),
    ("System", "CodeUpdated", {}),
    ("EVM", "Log", {"log": {"address": ADDRESS, "topics": [HASH], "data": b"\x80seen"}}),
    ("SubtensorModule", "WeightsCommitted", [WHO, 3, HASH]),
]
PHASES: list[Any] = ["Initialization", {"ApplyExtrinsic": 0}, {"ApplyExtrinsic": 300}, "Finalization"]


def record(phase: Any, pallet: str, event: str, fields: Any) -> dict[str, Any]:
    return {"phase": phase, "event": {pallet: {event: fields}}, "topics": []}


@pytest.fixture
def asked() -> list[str]:
    """The types that the codec was asked to encode."""
    return []


@pytest.fixture
def events(asked: list[str]) -> Events:
    """An encoder that has read its types."""
    codec = recorded_codec()

    def encode(type_name: str, value: Any) -> bytes:
        asked.append(type_name)
        return codec.runtime.encode(type_name, value)

    made = Events(encode, codec.item("System", "Events").value_type, codec.runtime.registry_json)
    for number in range(EVENTS_BEFORE):
        deposit = record({"ApplyExtrinsic": 1 + number}, "Balances", "Deposit", {"who": WHO, "amount": 1})
        made.encode(deposit, "Balances", "Deposit")
    return made


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said[0]}.{said[1]}")
def test_an_event_is_what_the_codec_writes(
    events: Events, asked: list[str], said: tuple[str, str, Any]
) -> None:
    codec = recorded_codec()
    listed = codec.item("System", "Events")
    for phase in [PHASES[0], *PHASES]:
        asked.clear()
        written = events.encode(record(phase, *said), said[0], said[1])
        assert listed.encode([record(phase, *said)]) == b"\x04" + written
    assert listed.value_type not in asked  # the frame is not asked for again


def test_what_the_runtime_has_not_is_refused_by_the_codec(events: Events) -> None:
    deposit = record(PHASES[1], "Balances", "Deposit", {"who": WHO, "amount": 1})
    for _ in range(3):
        events.encode(deposit, "Balances", "Deposit")
    for pallet, event, fields in [
        ("Balances", "Deposit", {"who": WHO, "amount": -1}),
        ("Balances", "Deposit", {"who": WHO}),
        ("Balances", "Nothing", {}),
        ("Nowhere", "Deposit", {}),
    ]:
        with pytest.raises((ValueError, TypeError, OverflowError)):
            events.encode(record(PHASES[1], pallet, event, fields), pallet, event)


def test_the_types_are_read_only_after_transactions() -> None:
    codec = recorded_codec()

    def registry() -> str:
        raise AssertionError("the types were read")

    idle = Events(codec.runtime.encode, codec.item("System", "Events").value_type, registry)
    for phase in PHASES[:2] + PHASES[3:]:
        for _ in range(2 * EVENTS_BEFORE):
            idle.encode(record(phase, *SAID[1]), *SAID[1][:2])
