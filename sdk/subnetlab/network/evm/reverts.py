"""Why a contract refused, in words, from whatever web3.py raised.

Subtensor's nodes answer a refusal as Frontier does: code -32603 and the reason in message and data. web3.py
knows code 3 only, so a plain `Web3RPCError` arrives where `ContractLogicError` is expected. Source:
Frontier's `rpc/src/eth/execute.rs`.
"""

import re
from typing import Any, Final

_ERROR: Final = "0x08c379a0"
"""The selector of `Error(string)`."""
_PANIC: Final = "0x4e487b71"
"""The selector of `Panic(uint256)`."""
_PANICS: Final = {
    0x01: "an assertion failed",
    0x11: "a number left its range",
    0x12: "division by zero",
    0x31: "pop of an empty array",
    0x32: "index out of range",
    0x41: "too much memory",
}
_FRONTIER: Final = re.compile(r"VM Exception while processing transaction: revert ?(?P<reason>.*)", re.DOTALL)
_OTHER: Final = re.compile(r"evm error: (?:Other\(\"(?P<other>.*)\"\)|(?P<name>\w+))", re.DOTALL)
_EXECUTION: Final = re.compile(r"execution reverted:? ?(?P<reason>.*)", re.DOTALL)


def revert_reason(error: BaseException) -> str | None:
    """The reason that a contract or a precompile gave; None where the error is no refusal of a contract.

    Args:
        error: what web3.py raised, at a call, an estimate or a transaction.

    Example:
        >>> revert_reason(ValueError("VM Exception while processing transaction: revert too early"))
        'too early'
    """
    for message, data in _told(error):
        reason = _from_data(data) or _from_message(message)
        if reason is not None:
            return reason
    return None


def _told(error: BaseException) -> list[tuple[str, Any]]:
    """Message and data wherever an error of web3.py carries them."""
    response = getattr(error, "rpc_response", None)
    inner = response.get("error") if isinstance(response, dict) else None
    told: list[tuple[str, Any]] = []
    if isinstance(inner, dict):
        told.append((str(inner.get("message", "")), inner.get("data")))
    told.append((str(getattr(error, "message", None) or error), getattr(error, "data", None)))
    return told


def _from_data(data: Any) -> str | None:
    from eth_abi.abi import decode  # noqa: PLC0415  (only where there is something to decode)
    from eth_abi.exceptions import DecodingError  # noqa: PLC0415

    if not isinstance(data, str):
        return None
    try:
        if data.startswith(_ERROR):
            return str(decode(["string"], bytes.fromhex(data[10:]))[0])
        if data.startswith(_PANIC):
            code = int(data[10:], 16)
            return _PANICS.get(code, f"panic {code:#x}")
    except (ValueError, DecodingError):
        return None
    return None


def _from_message(message: str) -> str | None:
    for pattern in (_FRONTIER, _OTHER, _EXECUTION):
        found = pattern.search(message)
        if found is not None:
            reason = next((part for part in found.groups() if part), "")
            return reason.strip().rstrip("'\"}") or "no reason given"
    return None
