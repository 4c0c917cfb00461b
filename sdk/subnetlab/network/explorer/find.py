"""What a person types into an explorer: a block's number, a hash, an address; and where it leads.

A chain keeps no index of extrinsics by hash nor by account: both are looked for in the newest `LOOK_BACK`
blocks. Ethereum's transactions are found however old they are.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from bittensor.evm import h160_to_ss58
from bittensor_core import ss58_decode
from eth_utils.address import to_checksum_address

from subnetlab.errors import ArgumentInvalid, ChainRejected, NotOnChain
from subnetlab.network.explorer.block import ChainBlock, Extrinsic
from subnetlab.network.explorer.read import BlockReader
from subnetlab.network.rejection import translated
from subnetlab.network.secrets import secret_in
from subnetlab.text import plain, with_article

LOOK_BACK: Final = 100
"""Blocks in which extrinsics are looked for by hash or by account."""
LONGEST: Final = 200
MOST_NUMBER: Final = 2**32 - 1
"""The chain counts its blocks in 32 bits."""
_NUMBER: Final = re.compile(r"#?\s*([0-9][0-9_,\s]*)")
_HASH: Final = re.compile(r"0x[0-9a-f]{64}", re.IGNORECASE)
_H160: Final = re.compile(r"0x[0-9a-f]{40}", re.IGNORECASE)
_GIVE: Final = "Give a block's number, a hash (0x and 64 digits), or an address (5… or 0x and 40 digits)."


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountExtrinsic:
    """One extrinsic of an account: signed by it, or naming it in its call or events."""

    block: int
    extrinsic: Extrinsic
    signed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as the chain holds it, and what it did in the newest blocks."""

    address: str
    """ss58."""
    evm: str
    """The `0x…` address whose mirror it is; empty where it was not asked for by one."""
    free_rao: int
    nonce: int
    since: int
    """The first block that was looked through."""
    extrinsics: tuple[AccountExtrinsic, ...]
    """Newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a search leads: a block, an extrinsic of it, or an account."""

    kind: Literal["block", "extrinsic", "account"]
    block: ChainBlock | None = None
    index: int | None = None
    """Of the extrinsic in its block."""
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed, by its form; nothing was looked up yet."""

    kind: Literal["number", "hash", "account"]
    number: int = 0
    hash: str = ""
    address: str = ""
    evm: str = ""


def wanted(text: str) -> Wanted:
    """What a text asks for, before anything is sent to a node.

    Raises:
        ArgumentInvalid: it is no number, hash or address, or it looks like a secret.
        NotOnChain: no chain has a block of that number.
    """
    asked = text.strip()
    secret = secret_in(asked[:LONGEST])
    if secret in ("mnemonic", "keyfile", "private key"):
        raise ArgumentInvalid(
            f"That looks like {with_article(secret)}; it was not sent to the node.", hint=_GIVE
        )
    number = _NUMBER.fullmatch(asked)
    if number is not None and len(asked) <= LONGEST:
        return Wanted("number", number=_block_number(number[1]))
    if _HASH.fullmatch(asked):
        return Wanted("hash", hash=asked.lower())
    if _H160.fullmatch(asked):
        return Wanted("account", address=h160_to_ss58(asked), evm=asked)
    try:
        ss58_decode(asked[:LONGEST])
    except (ValueError, TypeError) as error:
        raise ArgumentInvalid(f"{plain(asked, 48)!r} is no number, hash or address.", hint=_GIVE) from error
    return Wanted("account", address=asked)


async def find(reader: BlockReader, asked: Wanted) -> Found:
    """What was asked for, on the chain.

    Raises:
        NotOnChain: the chain has no such thing, or it is older than what is looked through.
    """
    if asked.kind == "number":
        return Found(kind="block", block=await reader.numbered(asked.number))
    if asked.kind == "hash":
        return await _by_hash(reader, asked.hash)
    return Found(kind="account", account=await _account(reader, asked.address, asked.evm))


def _block_number(digits: str) -> int:
    found = int(re.sub(r"[_,\s]", "", digits)[:20])
    if found > MOST_NUMBER:
        raise NotOnChain(f"No chain has come to block {found:,}.")
    return found


async def _by_hash(reader: BlockReader, wanted: str) -> Found:
    header = await reader.client.rpc_async("chain_getHeader", wanted)
    if header is not None:
        return Found(kind="block", block=await reader.at(wanted))
    transaction = await _ethereum(reader, wanted)
    if transaction is not None:
        block = await reader.numbered(int(str(transaction["blockNumber"]), 16))
        for each in block.extrinsics:
            if each.ethereum is not None and each.ethereum.hash == wanted:
                return Found(kind="extrinsic", block=block, index=each.index)
    blocks, since = await _newest(reader)
    for block in blocks:
        for each in block.extrinsics:
            if each.hash == wanted:
                return Found(kind="extrinsic", block=block, index=each.index)
    raise NotOnChain(
        f"No block has the hash {wanted[:10]}…, and no extrinsic since block {since:,}.",
        hint="Extrinsics are looked for in the newest blocks only: the chain keeps no index of them.",
    )


async def _ethereum(reader: BlockReader, wanted: str) -> dict[str, Any] | None:
    """A transaction of Ethereum by its hash; None where there is none, or the node answers none."""
    try:
        with translated(reader.client.endpoint):
            found = await reader.client.rpc_async("eth_getTransactionByHash", wanted)
    except ChainRejected:
        return None
    return found if isinstance(found, dict) and found.get("blockNumber") else None


async def _newest(reader: BlockReader) -> tuple[list[ChainBlock], int]:
    """The newest blocks, newest first, and the number of the oldest of them."""
    head, _ = await reader.head()
    since = max(0, head - LOOK_BACK + 1)
    return await reader.several(range(head, since - 1, -1)), since


async def _account(reader: BlockReader, address: str, evm: str) -> Account:
    state: Any = await reader.client.substrate.query("System", "Account", [address])
    blocks, since = await _newest(reader)
    names = {address, evm.lower()} - {""}
    extrinsics = [
        AccountExtrinsic(
            block=block.number, extrinsic=each, signed=each.signer.lower() in {n.lower() for n in names}
        )
        for block in blocks
        for each in reversed(block.extrinsics)
        if _names(each, names)
    ]
    return Account(
        address=address,
        evm=to_checksum_address(evm) if evm else "",
        free_rao=int(state["data"]["free"]),
        nonce=int(state["nonce"]),
        since=since,
        extrinsics=tuple(extrinsics),
    )


def _names(extrinsic: Extrinsic, names: set[str]) -> bool:
    """Whether an extrinsic is signed by one of these addresses, or names one."""
    if extrinsic.signer in names or extrinsic.signer.lower() in names:
        return True
    inside = extrinsic.ethereum
    if inside is not None and inside.to.lower() in names:
        return True
    values = [each.value for each in extrinsic.arguments] + [each.attributes for each in extrinsic.events]
    return any(_holds(value, names, 0) for value in values)


def _holds(value: Any, names: set[str], depth: int) -> bool:
    if isinstance(value, str):
        return value in names
    if depth > 8 or not isinstance(value, dict | list | tuple):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return any(_holds(each, names, depth + 1) for each in inner)
