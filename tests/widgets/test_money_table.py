"""The ledger and the receipts as tables: what is under way, what became of it, and what a notebook keeps."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from subnetlab.errors import RunError
from subnetlab.lab.run import Run
from subnetlab.lab.session import Net, connect
from subnetlab.lab.subnet import network_client
from subnetlab_widgets import ledger_view, receipts_view
from subnetlab_widgets.money.table import MOST, MoneyTable


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with connect(sealing="manual") as net:
        yield net


def until(table: MoneyTable, *states: str) -> list[dict[str, Any]]:
    """Wait until the newest rows say this; woken by the table itself."""
    come = threading.Event()

    def holds(state: dict[str, Any]) -> bool:
        return [row["state"] for row in state["rows"][: len(states)]] == list(states)

    table.observe(lambda change: come.set() if holds(change["new"]) else None, "state")
    table._beat()
    if not holds(table.state):
        assert come.wait(300), table.state
    rows: list[dict[str, Any]] = table.state["rows"]
    return rows


def test_a_spend_is_seen_from_the_pool_to_the_block(net: Net) -> None:
    table = ledger_view(net)
    paying = threading.Thread(target=lambda: net.pay(amount_tao="1.5", to="bob", wallet="alice"))
    look = threading.Event()
    ledger = network_client(net).ledger
    paying.start()
    while ledger.size == 0:
        look.wait(0.01)
    (row,) = until(table, "sent, no block yet")
    assert (row["what"], row["amount"], row["block"], row["bad"]) == ("pay", "1.5", "", False)
    net.seal()
    paying.join(300)
    (row,) = until(table, "final")
    assert row["block"] == net.block
    assert "1 entry: 1.5000 τ" in table.state["note"]
    assert "1.5" in table._drawn()
    assert "Spent on this chain. 1 entry" in table._said()
    for outcome in ("refused", "unknown"):
        ledger.add(what="pay", wallet="5G", to="\u202egnp.exe<b>", summary="x\n", outcome=outcome)
    rows = until(table, "not known", "refused", "final")
    assert [row["bad"] for row in rows] == [True, True, False]
    assert "<b>" not in table._drawn()
    table.close()
    again = ledger_view(net)  # as after a restart of the kernel
    assert again.state["rows"] == rows
    for _ in range(MOST):
        ledger.add(what="pay", wallet="5G")
    again._look(0)
    assert len(again.state["rows"]) == MOST


def test_a_run_without_a_job_has_no_receipts_to_show(net: Net, tmp_path: Path) -> None:
    run = Run(tmp_path)
    with pytest.raises(RunError, match="not connected"):
        receipts_view(run)
    run.net = net
    with pytest.raises(RunError, match="emission alone"):
        receipts_view(run)
