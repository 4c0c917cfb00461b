"""The wallet in words and in plain HTML: for saved notebooks, terminals, and front ends without widgets."""

from html import escape
from typing import Any

from subnetlab.report import html


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
