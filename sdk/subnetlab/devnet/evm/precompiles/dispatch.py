"""Runtime calls made from the EVM: weight paid as gas, the caller's account as signer, failures in words.

A call that fails has burnt its weight and takes the frame down with `dispatch execution failed: …`; what it
wrote is gone before the frame is. Source: `try_dispatch_runtime_call` of Subtensor's `extensions.rs`.
"""

from typing import Any

from subnetlab.devnet.chain.call_weights import weight_of
from subnetlab.devnet.chain.registry import DispatchError, Origin
from subnetlab.devnet.evm.engine import REF_TIME_PER_GAS
from subnetlab.devnet.evm.precompiles.frame import Failed, Frame, OutOfGas

ERRORS = {
    "BadOrigin": "Bad origin",
    "Token.FundsUnavailable": "Funds are unavailable",
    "Token.OnlyProvider": "Account that must exist would die",
    "Token.BelowMinimum": "Account cannot exist with the funds that would be given",
    "Token.CannotCreate": "Account cannot be created",
    "Token.NotExpendable": "Account that is desired to remain would die",
    "Token.Frozen": "Funds exist but are frozen",
    "Arithmetic.Underflow": "An underflow would occur",
    "Arithmetic.Overflow": "An overflow would occur",
    "Arithmetic.DivisionByZero": "Division by zero",
}
"""Substrate's words for errors that are no pallet's; a pallet's error is its bare name."""


def message(error: DispatchError) -> str:
    """The words in which the runtime names a failed call."""
    return ERRORS.get(str(error), error.name)


def dispatch(frame: Frame, call: bytes, *, signer: str | None = None) -> None:
    """Run an encoded runtime call, signed by the caller's account unless another is named.

    Raises:
        OutOfGas: the frame's gas does not cover the call's weight.
        Failed: the call did not decode, or it failed; nothing of it remains.
    """
    try:
        decoded: dict[str, Any] = frame.ledger.codec.runtime.decode_call(call)
    except (ValueError, TypeError, OverflowError):
        raise Failed("decode failed") from None
    ref_time = weight_of(decoded).ref_time
    if ref_time > frame.gas * REF_TIME_PER_GAS:
        raise OutOfGas
    # The runtime charges after the call has run; charging first leaves the same state and the same gas.
    frame.consume(ref_time // REF_TIME_PER_GAS)
    try:
        frame.ledger.dispatch(Origin(account=signer or frame.account), decoded)
    except DispatchError as error:
        raise Failed(f"dispatch execution failed: {message(error)}") from None
