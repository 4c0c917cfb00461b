"""Blocks and accounts as the page draws them: text that is ready to show, in JSON types, bounded.

A block may hold thousands of extrinsics and a stranger's words; the first of each are shown and the rest is
counted.
"""

from typing import Any, Final

from subnetlab.lab.explorer import clock
from subnetlab.network.explorer.block import ChainBlock, ChainEvent, EthereumTransaction, Extrinsic
from subnetlab.network.explorer.ethereum import WEI_PER_RAO
from subnetlab.network.explorer.find import Account, AccountExtrinsic
from subnetlab.network.explorer.values import text_of
from subnetlab.text import plain
from subnetlab.units import format_tao

MOST_EXTRINSICS: Final = 200
MOST_EVENTS: Final = 60
MOST_OF_ACCOUNT: Final = 100


def row_of(block: ChainBlock) -> list[Any]:
    """A block in the list: number, hash, time, what was sent, how many, failed, events."""
    return [
        block.number, block.hash, clock(block.time_s), block.summary(), len(block.sent), block.failed,
        block.event_count,
    ]  # fmt: skip


def block_state(block: ChainBlock) -> dict[str, Any]:
    """Everything the page shows of an opened block."""
    return {
        "number": block.number,
        "hash": block.hash,
        "parent": block.parent,
        "time": clock(block.time_s),
        "complete": block.complete,
        "extrinsics": [_extrinsic(each) for each in block.extrinsics[:MOST_EXTRINSICS]],
        "more": max(0, len(block.extrinsics) - MOST_EXTRINSICS),
        "events": _events(block.events),
    }


def account_state(account: Account) -> dict[str, Any]:
    """Everything the page shows of an account."""
    return {
        "address": account.address,
        "evm": account.evm,
        "fields": [["free", format_tao(account.free_rao)], ["nonce", f"{account.nonce:,}"]],
        "since": account.since,
        "extrinsics": [_of_account(each) for each in account.extrinsics[:MOST_OF_ACCOUNT]],
        "more": max(0, len(account.extrinsics) - MOST_OF_ACCOUNT),
    }


def _of_account(found: AccountExtrinsic) -> list[Any]:
    each = found.extrinsic
    words = "signed" if found.signed else "named in it"
    return [found.block, each.index, each.call or "undecoded", words, each.ok, _outcome(each)]


def _extrinsic(each: Extrinsic) -> dict[str, Any]:
    inside = each.ethereum
    return {
        "i": each.index,
        "hash": each.hash,
        "call": inside.title if inside else each.call or "undecoded",
        "by": each.signer,
        "fee": "–" if each.fee_rao is None else format_tao(each.fee_rao),
        "ok": each.ok,
        "said": _outcome(each),
        "fields": _fields(each),
        "arguments": [
            [given.name, given.type, text_of(given.value, given.type)]
            for given in (() if inside else each.arguments)
        ],
        "events": _events(each.events),
    }


def _outcome(each: Extrinsic) -> str:
    return plain(each.error) if each.ok is False else each.outcome


def _fields(each: Extrinsic) -> list[list[str]]:
    """What else is said of an extrinsic, by name."""
    fields = [["hash", each.hash]]
    if each.ethereum is not None:
        return [*_ethereum(each.ethereum), ["extrinsic", each.hash]]
    if each.nonce is not None:
        fields.append(["nonce", str(each.nonce)])
    if each.tip_rao:
        fields.append(["tip", format_tao(each.tip_rao)])
    return fields


def _ethereum(inside: EthereumTransaction) -> list[list[str]]:
    gas = f"{inside.gas_limit:,} allowed"
    if inside.gas_used is not None:
        gas = f"{inside.gas_used:,} of {gas}"
    price = "" if inside.gas_price_wei is None else f" at {inside.gas_price_wei / WEI_PER_RAO:g} gwei"
    logs = [] if inside.logs is None else [["logs", str(inside.logs)]]
    return [
        ["transaction", inside.hash],
        ["creates" if inside.creates else "to", inside.to or "–"],
        ["value", _wei(inside.value_wei)],
        ["call", inside.call or "–"],
        ["gas", gas + price],
        ["nonce", str(inside.nonce)],
        *logs,
    ]


def _wei(wei: int) -> str:
    whole, rest = divmod(wei, WEI_PER_RAO)
    return format_tao(whole) if not rest else f"{wei:,} wei"


def _events(events: tuple[ChainEvent, ...]) -> list[list[str]]:
    said = [[event.name, text_of(event.attributes)] for event in events[:MOST_EVENTS]]
    rest = len(events) - MOST_EVENTS
    return [*said, [f"and {rest} more", ""]] if rest > 0 else said
