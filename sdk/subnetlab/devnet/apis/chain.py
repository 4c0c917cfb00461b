"""The runtime APIs of the chain itself: Core, Metadata, AuraApi, AccountNonceApi, TransactionPaymentApi.

Source: Substrate's runtime APIs; the golden payment info for what a fee query answers.
"""

from functools import lru_cache
from typing import Any

from subnetlab.devnet.chain import version
from subnetlab.devnet.chain.call_weights import DEFAULT, weight_of
from subnetlab.devnet.chain.fees import BASE_REF_TIME, CallWeight, fee, weight_fee
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import raw_api, runtime_api
from subnetlab.devnet.chain.scale import prefixed
from subnetlab.devnet.metadata import document
from subnetlab.devnet.pallets import system


@raw_api("Metadata", "metadata")
def metadata(ledger: Ledger, _data: bytes) -> bytes:
    """The metadata of version 14."""
    return prefixed(v14(ledger.codec.metadata_v15))


@raw_api("Metadata", "metadata_at_version")
def metadata_at_version(ledger: Ledger, data: bytes) -> bytes:
    """`Some(metadata)` for versions 14 and 15, None for others."""
    match int.from_bytes(data[:4], "little"):
        case 14:
            return b"\x01" + prefixed(v14(ledger.codec.metadata_v15))
        case 15:
            return b"\x01" + prefixed(ledger.codec.metadata_v15)
        case _:
            return b"\x00"


@lru_cache(maxsize=1)
def v14(v15: bytes) -> bytes:
    """Version 14, made from version 15 when first asked for."""
    return document.write(document.as_v14(document.read(v15)), 14)


@runtime_api("Metadata", "metadata_versions")
def metadata_versions(_ledger: Ledger) -> list[int]:
    """The metadata versions served."""
    return [14, 15]


@runtime_api("Core", "version")
def core_version(ledger: Ledger) -> dict[str, Any]:
    """The runtime's version."""
    return version.scale_value(ledger.codec)


@runtime_api("AuraApi", "slot_duration")
def slot_duration(ledger: Ledger) -> int:
    """Milliseconds a block takes, as the metadata says."""
    return int(ledger.codec.constant("Aura", "SlotDuration"))


@runtime_api("AccountNonceApi", "account_nonce")
def account_nonce(ledger: Ledger, who: str) -> int:
    """The nonce of the account's next extrinsic, the pool aside."""
    return system.nonce(ledger, who)


def described_weight(ledger: Ledger, extrinsic: bytes) -> CallWeight:
    """The weight of the call in an extrinsic, signed or not; the default where it cannot be read.

    Clients ask with placeholder signatures, so only the call at the end matters.
    """
    try:
        decoded = ledger.codec.runtime.decode_extrinsic(extrinsic, False)  # noqa: FBT003 - its own signature
    except ValueError:
        return DEFAULT
    return weight_of(decoded["call"])


@raw_api("TransactionPaymentApi", "query_info")
def query_info(ledger: Ledger, data: bytes) -> bytes:
    """CallWeight, class and fee of an extrinsic."""
    return _dispatch_info(ledger, described_weight(ledger, data[:-4]), data)


@raw_api("TransactionPaymentCallApi", "query_call_info")
def query_call_info(ledger: Ledger, data: bytes) -> bytes:
    """The same of a bare call."""
    return _dispatch_info(ledger, weight_of(ledger.codec.runtime.decode_call(data[:-4])), data)


def _dispatch_info(ledger: Ledger, weight: CallWeight, data: bytes) -> bytes:
    answer = {
        "weight": {"ref_time": weight.ref_time, "proof_size": weight.proof_size},
        "class": "Normal",
        "partial_fee": fee(int.from_bytes(data[-4:], "little"), weight),
    }
    return _encoded(ledger, "query_info", answer)


@raw_api("TransactionPaymentApi", "query_fee_details")
def query_fee_details(ledger: Ledger, data: bytes) -> bytes:
    """The parts a fee is made of."""
    return _fee_details(ledger, described_weight(ledger, data[:-4]), data)


def _fee_details(ledger: Ledger, weight: CallWeight, data: bytes) -> bytes:
    parts = {
        "base_fee": weight_fee(BASE_REF_TIME),
        "len_fee": int.from_bytes(data[-4:], "little"),
        "adjusted_weight_fee": weight_fee(weight.ref_time),
    }
    return _encoded(ledger, "query_fee_details", {"inclusion_fee": parts, "tip": 0})


@raw_api("TransactionPaymentCallApi", "query_call_fee_details")
def query_call_fee_details(ledger: Ledger, data: bytes) -> bytes:
    """The parts of a bare call's fee."""
    return _fee_details(ledger, weight_of(ledger.codec.runtime.decode_call(data[:-4])), data)


@runtime_api("TransactionPaymentCallApi", "query_weight_to_fee")
@runtime_api("TransactionPaymentApi", "query_weight_to_fee")
def query_weight_to_fee(_ledger: Ledger, weight: dict[str, int]) -> int:
    """Rao for a weight."""
    return weight_fee(int(weight["ref_time"]))


@runtime_api("TransactionPaymentCallApi", "query_length_to_fee")
@runtime_api("TransactionPaymentApi", "query_length_to_fee")
def query_length_to_fee(_ledger: Ledger, length: int) -> int:
    """Rao for a length in bytes."""
    return length


def _encoded(ledger: Ledger, method: str, answer: Any) -> bytes:
    return ledger.codec.encode(ledger.codec.apis["TransactionPaymentApi"][method]["output"], answer)
