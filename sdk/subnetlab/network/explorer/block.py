"""What a block is made of: extrinsics in order, each with its call, signer, fee, outcome and events.

Amounts are rao, of Ethereum's transactions wei. Nothing here asks a node.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from subnetlab.text import plain
from subnetlab.units import format_tao

INHERENTS: Final = frozenset({"Timestamp.set", "Drand.write_pulse", "ParachainSystem.set_validation_data"})
"""Calls that block authors put into blocks, as a rule into every one."""


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """One event: `Balances.Transfer`, and its attributes as the SDK decodes them."""

    name: str
    attributes: Any


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call, with the name and the type that the runtime gives it."""

    name: str
    type: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EthereumTransaction:
    """What an extrinsic of Ethereum carries; what the receipt tells is None where the node answers none."""

    hash: str
    sender: str
    to: str
    """Where it goes, or the contract that it created."""
    creates: bool
    value_wei: int
    gas_limit: int
    nonce: int
    call: str = ""
    """Function and arguments where it calls a precompile of the chain; else the first bytes of its input."""

    gas_used: int | None = None
    gas_price_wei: int | None = None
    logs: int | None = None

    @property
    def title(self) -> str:
        """What it does, in a few words."""
        if self.creates:
            return "Ethereum: create a contract"
        return f"Ethereum: {self.call.split('(')[0][:48] or 'transfer'}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Extrinsic:
    """One extrinsic of a block; an Ethereum transaction is one whose `ethereum` is set."""

    index: int
    """Its place in the block, from 0."""
    hash: str
    call: str
    """`Pallet.function`; empty where the SDK cannot decode the extrinsic."""
    arguments: tuple[Argument, ...] = ()
    signer: str = ""
    """An ss58 address, of an Ethereum transaction a `0x…` address; empty where it is unsigned."""
    nonce: int | None = None
    tip_rao: int = 0
    fee_rao: int | None = None
    """What it cost; None where it is not known, or nothing was to be paid."""
    ok: bool | None = None
    """Whether it did what it asks; None where the node has forgotten the block's events."""
    error: str = ""
    """Why it failed, in words."""
    events: tuple[ChainEvent, ...] = ()
    ethereum: EthereumTransaction | None = None

    @property
    def inherent(self) -> bool:
        """Whether the block's author put it in."""
        return self.call in INHERENTS

    @property
    def outcome(self) -> str:
        """What became of it, in words: `done`, `failed: …`, `unknown`."""
        if self.ok is None:
            return "unknown"
        return "done" if self.ok else f"failed: {self.error}"

    def __repr__(self) -> str:
        by = f" by {self.signer}" if self.signer else ""
        fee = f", fee {format_tao(self.fee_rao)}" if self.fee_rao else ""
        return f"{self.index}  {self.call or 'undecoded'}{by}: {plain(self.outcome)}{fee}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ChainBlock:
    """One block, read and decoded."""

    number: int
    hash: str
    parent: str
    time_s: float | None
    """Unix seconds of its clock; None where it has none, as the first block."""
    extrinsics: tuple[Extrinsic, ...] = ()
    events: tuple[ChainEvent, ...] = ()
    """Events of no extrinsic: what the chain does by itself, such as an epoch."""
    complete: bool = True
    """Whether the node still has the block's events; without them no outcome is known."""

    @property
    def sent(self) -> tuple[Extrinsic, ...]:
        """The extrinsics that somebody sent: all but the inherents."""
        return tuple(each for each in self.extrinsics if not each.inherent)

    @property
    def failed(self) -> int:
        """How many of its extrinsics failed."""
        return sum(each.ok is False for each in self.extrinsics)

    @property
    def event_count(self) -> int:
        """How many events it has in all."""
        return len(self.events) + sum(len(each.events) for each in self.extrinsics)

    def summary(self, most: int = 3) -> str:
        """What was sent in it, the most frequent first: `set_weights ×3, burned_register`."""
        found = Counter(_short(each) for each in self.sent)
        said = [name if count == 1 else f"{name} ×{count}" for name, count in found.most_common(most)]
        rest = len(found) - most
        return ", ".join(said) + (f" and {rest} other{'s' if rest > 1 else ''}" if rest > 0 else "")

    def __repr__(self) -> str:
        unknown = "" if self.complete else "; the node has forgotten their outcomes"
        head = f"block {self.number} {self.hash}, {self.event_count} events{unknown}"
        return "\n".join([head, *(f"  {each!r}" for each in self.extrinsics)])


def _short(extrinsic: Extrinsic) -> str:
    """A call without its pallet; of `sudo` what root does, of Ethereum what it is."""
    if extrinsic.ethereum is not None:
        return "Ethereum transaction"
    function = extrinsic.call.rpartition(".")[2] or "undecoded"
    inner = extrinsic.arguments[0].value if function == "sudo" and extrinsic.arguments else None
    if isinstance(inner, dict) and "call_function" in inner:
        return f"sudo {str(inner['call_function']).removeprefix('sudo_')}"
    return function
