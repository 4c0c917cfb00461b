"""What the wallet shows beside its keys: addresses as QR codes, the latest spends, and itself in plain words.

Codes are drawn by the library that the SDK brings along; spends come from the ledger on disk, so no restart
loses them; words are for saved notebooks, terminals, and front ends without widgets.
"""

from functools import lru_cache
from html import escape
from typing import Any

from subnetlab.network.ledger import Ledger
from subnetlab.report import html
from subnetlab.text import NAME, plain
from subnetlab.units import format_tao

_MOST = 8


@lru_cache(maxsize=64)
def qr_path(text: str) -> tuple[int, str]:
    """The side of the code in modules, quiet zone included, and its dark modules as a path of an SVG."""
    from qrcode.constants import ERROR_CORRECT_M  # noqa: PLC0415  (only where an address is shown)
    from qrcode.main import QRCode  # noqa: PLC0415

    code = QRCode(error_correction=ERROR_CORRECT_M, border=2)
    code.add_data(text, optimize=0)
    rows = code.get_matrix()
    dark = [(x, y) for y, row in enumerate(rows) for x, on in enumerate(row) if on]
    return len(rows), "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)


def spent_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """The newest first, amounts in words; `outcome` is done, refused or unknown."""
    return [
        {
            "what": plain(entry.name, NAME), "to": plain(entry.to, NAME),
            "wallet": entry.wallet,
            "amount": format_tao(entry.amount_rao, "").strip(), "fee": format_tao(entry.fee_rao, "").strip(),
            "outcome": entry.outcome, "block": entry.block, "tx": entry.tx,
        }
        for entry in reversed(ledger.entries()[-_MOST:])
    ]  # fmt: skip


def words(setup: dict[str, Any], state: dict[str, Any]) -> str:
    """Which addresses were connected, and on which network."""
    where = f"{'REAL TAO' if setup['real'] else 'play money'}, {setup['network']}"
    known = [account["address"] for account in state["accounts"][:1]]
    known += [state["evm"]["address"]] if state["evm"]["address"] else []
    return f"Wallet in the page ({where}): {', '.join(known) or 'none was connected'}"


def plain_html(setup: dict[str, Any], state: dict[str, Any]) -> str:
    """The same, folded into one line."""
    money = f"{'REAL TAO' if setup['real'] else 'play money'}, {setup['network']}"
    line = f'<span style="font-size:14px;margin-right:14px">{escape(words(setup, state))}</span>'
    return html.block(line, html.badge(money, real=setup["real"]))
