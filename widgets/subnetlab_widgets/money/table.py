"""What was spent, and what became of it, as tables that follow: the ledger of a chain, the receipts of a job.

Rows come from the ledger on disk or from the escrow's own events, so neither a reload of the page nor a
restart of the kernel loses one. A table looks again when the ledger has grown; nothing here spends.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import traitlets

from subnetlab.errors import RunError, SubnetLabError
from subnetlab.lab.subnet import network_client
from subnetlab.network.ledger import Entry, Ledger
from subnetlab.report import html
from subnetlab.report.format import counted, short
from subnetlab.text import NAME, REASON, plain
from subnetlab.units import format_tao
from subnetlab_widgets.money.latest import Latest
from subnetlab_widgets.money.preview import money, unit
from subnetlab_widgets.saved import Picture, SavedWidget

if TYPE_CHECKING:
    from subnetlab.lab.run import Run
    from subnetlab.lab.session import Net

MOST: Final = 100
"""Rows that a page is told; `net.ledger()` has all of them."""
_SAVED: Final = 12
OUTCOMES: Final = {
    "pending": "sent, no block yet",
    "in a block": "in a block",
    "done": "final",
    "refused": "refused",
    "unknown": "not known",
    "never sent": "never sent",
}
"""What became of a spend, in words."""

Row = dict[str, Any]
Column = tuple[str, str, str]
"""The key in a row, the heading, and the kind: `time`, `text`, `number`, `address`, `state` or `tx`."""
_SPENT: Final[tuple[Column, ...]] = (
    ("time", "when", "time"), ("what", "what", "text"), ("amount", "amount", "number"),
    ("fee", "fee", "number"), ("to", "to", "address"), ("state", "state", "state"),
    ("block", "block", "number"), ("tx", "hash", "tx"),
)  # fmt: skip
_RECEIPTS: Final[tuple[Column, ...]] = (
    ("block", "block", "number"), ("event", "event", "state"), ("uid", "miner", "number"),
    ("rounds", "rounds", "number"), ("amount", "amount", "number"), ("account", "by", "address"),
    ("to", "to", "address"), ("tx", "hash", "tx"),
)  # fmt: skip


class MoneyTable(SavedWidget):
    """A table that looks again when the ledger has grown. Made by `ledger_view` and `receipts_view`."""

    part = traitlets.Unicode("ledger").tag(sync=True)
    setup = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(
        self, setup: dict[str, Any], *, ledger: Ledger, read: Callable[[], tuple[list[Row], str]]
    ) -> None:
        """Prepare a table.

        Args:
            setup: `title`, `network`, `real` and `columns`, which never change.
            ledger: tells by its size whether to look again.
            read: the rows, newest first, and what is said below them.
        """
        self._ledger, self._read, self._seen = ledger, read, -1
        self._looks: Latest[int] = Latest(self._look, name="subnetlab-ledger")
        picture = Picture(self._drawn, self._said)
        super().__init__("form", picture, setup=setup, state={"rows": [], "note": ""})
        self._look(ledger.size)

    def _look(self, size: int) -> None:
        try:
            rows, note = self._read()
        except SubnetLabError as error:
            rows, note = list(self.state["rows"]), str(error)
        self._seen = size
        now = {"rows": rows[:MOST], "note": note}
        if now != self.state:
            self.state = now
            self._pictures.update()

    def _beat(self) -> None:
        size = self._ledger.size
        if size != self._seen:
            self._looks.put(size)
        super()._beat()

    def _drawn(self) -> str:
        setup, state = dict(self.setup), dict(self.state)
        whose = f"{'REAL TAO' if setup['real'] else 'play money'}, {setup['network']}"
        labels, rows = self._rows(setup, state)
        return html.block(
            html.paragraph(f"{setup['title']}. {state['note']}"),
            html.table(labels, rows) if rows else "",
            html.badge(whose, real=setup["real"]),
        )

    def _said(self) -> str:
        setup, state = dict(self.setup), dict(self.state)
        lines = [" ".join(filter(None, row)) for row in self._rows(setup, state)[1]]
        return "\n".join([f"{setup['title']}. {state['note']}", *lines])

    def _rows(self, setup: dict[str, Any], state: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
        """Headings and the newest rows, as a saved notebook and a terminal show them."""
        kept = [column for column in setup["columns"] if column[2] != "time"]
        rows = [[_written(row.get(key), kind) for key, _, kind in kept] for row in state["rows"][:_SAVED]]
        return [label for _, label, _ in kept], rows


def ledger_view(net: "Net") -> MoneyTable:
    """Everything that was spent on this chain, live: sent, in a block, final, refused, or not known.

    Example:
        >>> ledger_view(net)  # doctest: +SKIP
    """
    client = network_client(net)

    def read() -> tuple[list[Row], str]:
        entries = client.ledger.entries()
        return [_spent(entry) for entry in reversed(entries)], _sum(net, entries)

    return MoneyTable(_setup(net, "Spent on this chain", _SPENT), ledger=client.ledger, read=read)


def receipts_view(run: "Run") -> MoneyTable:
    """What a run's escrow received, approved, paid and gave back, live.

    Raises:
        RunError: the run pays its miners by emission alone, or its chain is not connected.

    Example:
        >>> receipts_view(run)  # doctest: +SKIP
    """
    net = run.net
    if net is None:
        raise RunError("The run's chain is not connected.", hint="run = sl.attach(name) connects it.")
    run.receipts()  # what cannot be shown is said here, and not in the page

    def read() -> tuple[list[Row], str]:
        told = run.receipts().to_dicts()
        rows = [{**row, "amount": format_tao(row["amount_rao"], "").strip()} for row in reversed(told)]
        paid = sum(row["amount_rao"] for row in told if row["event"] == "approved")
        return rows, f"Approved for the miners so far: {format_tao(paid)}"

    setup = _setup(net, f"Receipts of {plain(run.folder.name, NAME)}", _RECEIPTS)
    return MoneyTable(setup, ledger=network_client(net).ledger, read=read)


def _setup(net: "Net", title: str, columns: Sequence[Column]) -> dict[str, Any]:
    client = network_client(net)
    tau = unit(client)
    return {
        "title": title, "network": plain(client.network.name, NAME), "real": not client.development,
        "columns": [
            [key, f"amount, {tau}" if key == "amount" else label, kind] for key, label, kind in columns
        ],
    }  # fmt: skip


def _spent(entry: Entry) -> Row:
    return {
        "time": entry.time, "what": plain(entry.name, NAME), "to": plain(entry.to, NAME) or "the chain",
        "amount": format_tao(entry.amount_rao, "").strip(), "fee": format_tao(entry.fee_rao, "").strip(),
        "state": OUTCOMES[entry.outcome], "block": entry.block or "", "tx": entry.tx,
        "summary": plain(entry.summary, REASON), "bad": entry.outcome in ("refused", "unknown"),
    }  # fmt: skip


def _sum(net: "Net", entries: Sequence[Entry]) -> str:
    out = sum(entry.amount_rao for entry in entries if entry.outcome not in ("pending", "in a block"))
    fees = sum(entry.fee_rao for entry in entries)
    left = net.budget.left_rao
    limit = "no limit" if left is None else f"{money(left)} τ left"
    told = counted(len(entries), "entry", plural="entries")
    return f"{told}: {money(out)} τ moved, {money(fees)} τ of fees; budget: {limit}"


def _written(value: Any, kind: str) -> str:
    text = "" if value is None else str(value)
    return short(text) if kind in ("address", "tx") and len(text) > _SAVED else text
