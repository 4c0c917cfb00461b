"""Ethereum's half of an extrinsic: the transaction that it carries, how it ended, and what its receipt tells.

What calls a precompile of the chain is written as function and arguments, by the ABI that the SDK ships. Of
contracts the chain keeps no ABI, so their input stays bytes.
"""

import asyncio
from dataclasses import replace
from functools import cache
from typing import Any, Final

from bittensor.evm.precompiles import PRECOMPILES
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import function_abi_to_4byte_selector, get_abi_input_types
from eth_utils.address import to_checksum_address

from subnetlab.errors import ChainRejected
from subnetlab.network.explorer.block import ChainBlock, EthereumTransaction, Extrinsic
from subnetlab.network.explorer.values import text_of
from subnetlab.network.rejection import translated
from subnetlab.network.wire_client import WireClient
from subnetlab.text import plain

WEI_PER_RAO: Final = 10**9
_INPUT_SHOWN: Final = 66
"""Letters of an input that no ABI names: selector and two words less."""
_REASON: Final = 120


def carried(transaction: Any, events: list[dict[str, Any]]) -> tuple[EthereumTransaction, str]:
    """The transaction inside `Ethereum.transact`, and why it failed; empty where it did not.

    Args:
        transaction: as the SDK decodes it: its kind, and its fields.
        events: of that extrinsic.
    """
    fields: dict[str, Any] = next(iter(transaction.values())) if isinstance(transaction, dict) else {}
    executed = next((event["attributes"] for event in events if _executed(event)), None)
    told: dict[str, Any] = executed if isinstance(executed, dict) else {}
    action = fields.get("action")
    target = action.get("Call") if isinstance(action, dict) else None
    found = EthereumTransaction(
        hash=str(told.get("transaction_hash") or ""),
        sender=_checksum(told.get("from")),
        to=_checksum(target or told.get("to")),
        creates=target is None,
        value_wei=_number(fields.get("value")),
        gas_limit=_number(fields.get("gas_limit")),
        nonce=_number(fields.get("nonce")),
    )
    return found, _failure(told.get("exit_reason"), told.get("extra_data"))


async def with_receipts(client: WireClient, block: ChainBlock) -> ChainBlock:
    """A block whose Ethereum transactions know gas, price, logs and the call that they make."""
    found = await asyncio.gather(*(_with_receipt(client, each) for each in block.extrinsics))
    return replace(block, extrinsics=tuple(found))


async def _with_receipt(client: WireClient, extrinsic: Extrinsic) -> Extrinsic:
    inside = extrinsic.ethereum
    if inside is None or not inside.hash:
        return extrinsic
    try:
        with translated(client.endpoint):
            receipt = await client.rpc_async("eth_getTransactionReceipt", inside.hash)
            sent = await client.rpc_async("eth_getTransactionByHash", inside.hash)
    except ChainRejected:  # the node answers nothing of Ethereum's JSON-RPC
        return extrinsic
    if not isinstance(receipt, dict) or not isinstance(sent, dict):
        return extrinsic
    used, price = _quantity(receipt.get("gasUsed")), _quantity(receipt.get("effectiveGasPrice"))
    logs = receipt.get("logs")
    inside = replace(
        inside,
        to=_checksum(receipt.get("contractAddress")) if inside.creates else inside.to,
        gas_used=used,
        gas_price_wei=price,
        logs=len(logs) if isinstance(logs, list) else None,
        call=call_of(inside.to, str(sent.get("input") or "0x")),
    )
    fee = None if used is None or price is None else used * price // WEI_PER_RAO
    return replace(extrinsic, ethereum=inside, fee_rao=fee)


def call_of(to: str, given: str) -> str:
    """What a transaction's input asks of its receiver: of a precompile function and arguments.

    Args:
        to: the receiver, `0x…`.
        given: the input, `0x…`.
    """
    if len(given) <= len("0x"):
        return ""
    known = _functions().get((to.lower(), given[2:10].lower()))
    if known is None:
        return (
            given
            if len(given) <= _INPUT_SHOWN
            else f"{given[:_INPUT_SHOWN]}… ({(len(given) - 2) // 2} bytes)"
        )
    name, entry, types = known
    try:
        values = decode(types, bytes.fromhex(given[10:]))
    except (DecodingError, ValueError, OverflowError):
        return f"{name}.{entry['name']}(…)"
    names = [each.get("name") or "value" for each in entry["inputs"]]
    said = ", ".join(f"{one}={text_of(value)}" for one, value in zip(names, values, strict=True))
    return plain(f"{name}.{entry['name']}({said})", 400)


@cache
def _functions() -> dict[tuple[str, str], tuple[str, dict[str, Any], list[str]]]:
    """Every function of the chain's precompiles, by address and selector."""
    found: dict[tuple[str, str], tuple[str, dict[str, Any], list[str]]] = {}
    for precompile in PRECOMPILES.values():
        for entry in precompile.functions():
            selector = function_abi_to_4byte_selector(entry).hex()  # pyright: ignore[reportArgumentType]  # plain JSON
            types = get_abi_input_types(entry)  # pyright: ignore[reportArgumentType]
            found[precompile.address.lower(), selector] = (precompile.name, entry, types)
    return found


def _executed(event: dict[str, Any]) -> bool:
    return event["module_id"] == "Ethereum" and event["event_id"] == "Executed"


def _failure(exit_reason: Any, extra: Any) -> str:
    if not isinstance(exit_reason, dict) or "Succeed" in exit_reason:
        return ""
    kind, detail = next(iter(exit_reason.items()), ("failed", ""))
    if kind != "Revert":
        return plain(f"{str(kind).lower()}: {text_of(detail)}", _REASON)
    reason = plain(str(extra), _REASON) if extra else ""
    return f"reverted: {reason}" if reason else "reverted"


def _checksum(address: Any) -> str:
    try:
        return to_checksum_address(address) if address else ""
    except (ValueError, TypeError):
        return ""


def _number(value: Any) -> int:
    return value if type(value) is int else 0


def _quantity(value: Any) -> int | None:
    try:
        return int(str(value), 16)
    except ValueError:
        return None
