"""Utility: several calls in one extrinsic, and calls under another origin.

Batches inside batches are filtered, as Subtensor does. Source: Substrate's `pallet-utility` and Subtensor's
`NoNestingCallFilter`.
"""

from hashlib import blake2b
from typing import Any

import bittensor_core as core

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, Origin, call, ensure_root, ensure_signed
from subnetlab.devnet.pallets.sudo import outcome

BATCH_LIMIT = 10_922
"""Most calls in one batch, the metadata's `batched_calls_limit`."""
NESTING = frozenset({"batch", "batch_all", "force_batch"})


def _admit(ledger: Ledger, origin: Origin, calls: list[Any]) -> None:
    if origin.account is None and not origin.root:
        raise DispatchError("BadOrigin")
    if len(calls) > ledger.codec.constant("Utility", "batched_calls_limit"):
        raise DispatchError("Utility", "TooManyCalls")


def _dispatch(ledger: Ledger, origin: Origin, inner: dict[str, Any]) -> None:
    if inner["call_module"] == "Utility" and inner["call_function"] in NESTING and not origin.root:
        raise DispatchError("System", "CallFiltered")
    ledger.dispatch(origin, inner)


@call("Utility", "batch")
def batch(ledger: Ledger, origin: Origin, calls: list[Any]) -> None:
    """Run calls until one fails; what ran before stays."""
    _admit(ledger, origin, calls)
    for index, inner in enumerate(calls):
        try:
            _dispatch(ledger, origin, inner)
        except DispatchError as error:
            fields = {"index": index, "error": ledger.error_value(error)}
            ledger.deposit_event("Utility", "BatchInterrupted", fields)
            return
        ledger.deposit_event("Utility", "ItemCompleted", {})
    ledger.deposit_event("Utility", "BatchCompleted", {})


@call("Utility", "batch_all")
def batch_all(ledger: Ledger, origin: Origin, calls: list[Any]) -> None:
    """Run all calls or none."""
    _admit(ledger, origin, calls)
    for inner in calls:
        _dispatch(ledger, origin, inner)
        ledger.deposit_event("Utility", "ItemCompleted", {})
    ledger.deposit_event("Utility", "BatchCompleted", {})


@call("Utility", "force_batch")
def force_batch(ledger: Ledger, origin: Origin, calls: list[Any]) -> None:
    """Run every call, whichever fail."""
    _admit(ledger, origin, calls)
    failed = False
    for inner in calls:
        try:
            _dispatch(ledger, origin, inner)
        except DispatchError as error:
            failed = True
            ledger.deposit_event("Utility", "ItemFailed", {"error": ledger.error_value(error)})
        else:
            ledger.deposit_event("Utility", "ItemCompleted", {})
    ledger.deposit_event("Utility", "BatchCompletedWithErrors" if failed else "BatchCompleted", {})


@call("Utility", "as_derivative")
def as_derivative(ledger: Ledger, origin: Origin, index: int, call: Any) -> None:
    """Run a call as the signer's numbered sub-account."""
    who = ensure_signed(origin)
    entropy = b"modlpy/utilisuba" + bytes(core.ss58_decode(who)) + index.to_bytes(2, "little")
    derived = core.ss58_encode(blake2b(entropy, digest_size=32).digest())
    ledger.dispatch(Origin(account=derived), call)


@call("Utility", "dispatch_as")
def dispatch_as(ledger: Ledger, origin: Origin, as_origin: Any, call: Any) -> None:
    """Run a call under any origin, as root."""
    ensure_root(origin)
    result = outcome(ledger, _caller(as_origin), call)
    ledger.deposit_event("Utility", "DispatchedAs", {"result": result})


@call("Utility", "with_weight")
def with_weight(ledger: Ledger, origin: Origin, call: Any, weight: Any) -> None:  # noqa: ARG001
    """Run a call as root; the weight is taken as given."""
    ensure_root(origin)
    ledger.dispatch(origin, call)


@call("Utility", "if_else")
def if_else(ledger: Ledger, origin: Origin, main: Any, fallback: Any) -> None:
    """Run a call, or another one where it fails."""
    if origin.account is None and not origin.root:
        raise DispatchError("BadOrigin")
    try:
        ledger.dispatch(origin, main)
    except DispatchError as error:
        ledger.dispatch(origin, fallback)
        fields = {"main_error": ledger.error_value(error)}
        ledger.deposit_event("Utility", "IfElseFallbackCalled", fields)
    else:
        ledger.deposit_event("Utility", "IfElseMainSuccess", {})


def _caller(described: Any) -> Origin:
    system = described.get("system") if isinstance(described, dict) else None
    if system == "Root":
        return Origin(root=True)
    if isinstance(system, dict) and "Signed" in system:
        return Origin(account=system["Signed"])
    raise DispatchError("BadOrigin")
