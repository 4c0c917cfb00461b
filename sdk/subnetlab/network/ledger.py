"""Everything that was spent on a chain, kept across processes: the account book beside the budget.

One file per chain below `settings.home() / "budgets"`, one JSON object a line, only ever appended to. Every
spend that passes the purse is in it: payments, stakes, prices of subnets and seats, gas of the EVM, fees
alone, and what was refused in a block or lost on its way. A spend has a line from the moment it may have
left, and another for each step it takes; the newest line of a row counts. The peers of a run pay their fees
without a purse, so these are not in it. A line that cannot be read, because the machine went down while it
was written, is left out.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from subnetlab import settings
from subnetlab.record.files import make_private, open_log

if TYPE_CHECKING:
    import polars as pl

Outcome = Literal["pending", "in a block", "done", "refused", "unknown", "never sent"]
"""Sent; in a block that is not final; final; refused by the chain, which took the fee at most; lost, and
counted as spent; or found not to have reached the chain, which `entries` leaves out."""
_UNDER_WAY: Final = ("pending", "in a block")
_NAME: Final = 40
_LOST_AFTER_S: Final = 1800.0
"""What is under way for longer belongs to a process that has ended; no submission waits that long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One spend."""

    time: float
    """Unix seconds."""
    what: str
    """`pay`, `stake`, `unstake`, `register`, `fund`, `escrow` …; `execute` for any other intent."""
    wallet: str
    """Who paid: an ss58 address, or a `0x…` address of the EVM."""
    to: str = ""
    amount_rao: int = 0
    """What left the wallet beside the fee; below 0 where it came back."""
    fee_rao: int = 0
    outcome: Outcome = "done"
    block: int = 0
    tx: str = ""
    netuid: int | None = None
    summary: str = ""
    row: str = ""
    """What the lines of one spend have in common."""
    since: int = 0
    """Height of the chain before it was sent; 0 where that is not known."""
    fee_alone: bool = False
    """Whether the budget counts nothing but its fee."""
    brings_rao: int = 0
    """What comes back to the wallet, where the chain's events do not say it."""

    @property
    def counted_rao(self) -> int:
        """What the budget counts of it."""
        return self.fee_rao + (0 if self.fee_alone else max(0, self.amount_rao))

    @property
    def name(self) -> str:
        """What it was, in a word; an intent without a word of its own is named by its summary."""
        if self.what != "execute" or not self.summary:
            return self.what
        return self.summary if len(self.summary) <= _NAME else f"{self.summary[: _NAME - 1]}…"


class Ledger:
    """The ledger of one chain.

    Args:
        chain: what tells the chain from every other, as a file name (`NetworkClient.chain`).
        folder: where ledgers are kept; `settings.home() / "budgets"` unless given.
        settle: puts right what is unknown (`network.settling`), before the ledger is read.
    """

    def __init__(
        self, chain: str, *, folder: Path | None = None, settle: "Callable[[Ledger], None] | None" = None
    ) -> None:
        self.path: Final = (folder or settings.home() / "budgets") / f"{chain}.ledger"
        self._settle = settle

    def add(self, **spent: Any) -> None:
        """Append one spend, as `Entry` names its fields; the time is now."""
        self.put(Entry(time=time.time(), **spent))

    def put(self, entry: Entry) -> None:
        """Append an entry as it is."""
        make_private(self.path.parent)
        line = "\n" + json.dumps(asdict(entry))  # in front: a line that was torn before ends here
        descriptor = open_log(self.path)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def settle(self) -> None:
        """Look up what became of the spends that are unknown, where that can be asked."""
        if self._settle is not None:
            self._settle(self)

    def entries(self) -> list[Entry]:
        """Everything that was spent, in the order in which it was sent; what is unknown is looked up."""
        self.settle()
        return self.kept()

    def kept(self) -> list[Entry]:
        """As `entries`, without a look at the chain."""
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        rows: dict[str, Entry] = {}
        for number, line in enumerate(lines):
            entry = _read(line)
            if entry is not None:
                key = entry.row or str(number)
                rows[key] = _newer(rows.get(key), entry)
        return [_lost(entry) for entry in rows.values() if entry.outcome != "never sent"]

    @property
    def size(self) -> int:
        """Bytes on disk, which tell a reader whether something was added."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def frame(self) -> "pl.DataFrame":
        """Everything that was spent, one row each, in the order of `entries`."""
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        schema = {
            "time": pl.Float64, "what": pl.String, "wallet": pl.String, "to": pl.String,
            "amount_rao": pl.Int64, "fee_rao": pl.Int64, "outcome": pl.String, "block": pl.Int64,
            "tx": pl.String, "netuid": pl.Int64, "summary": pl.String,
        }  # fmt: skip
        rows = [{name: getattr(entry, name) for name in schema} for entry in self.entries()]
        return pl.DataFrame(rows, schema=schema)

    def forget(self) -> None:
        """Remove the ledger, because the chain is gone for good."""
        self.path.unlink(missing_ok=True)


def _newer(known: Entry | None, entry: Entry) -> Entry:
    """The line that counts: what is on its way is no news of a spend whose caller has stopped waiting.

    It may still tell under which hash it left.
    """
    if known is None or known.outcome in _UNDER_WAY or entry.outcome not in _UNDER_WAY:
        return entry
    return replace(known, tx=known.tx or entry.tx, since=known.since or entry.since)


def _lost(entry: Entry) -> Entry:
    """A spend whose process ended before it knew more, as the lost one that it is."""
    lost = entry.outcome in _UNDER_WAY and time.time() - entry.time > _LOST_AFTER_S
    return replace(entry, outcome="unknown") if lost else entry


def _read(line: str) -> Entry | None:
    known = {field.name for field in fields(Entry)}
    try:
        return Entry(**{name: value for name, value in json.loads(line).items() if name in known})
    except (ValueError, TypeError, AttributeError):
        return None
