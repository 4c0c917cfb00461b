"""A form in words and in plain HTML: for saved notebooks, terminals, and front ends without widgets.

Says what the form was last, and before anything was sent also how the same is written without a form.
"""

from html import escape
from typing import Any

from subnetlab.report import html


def words(setup: dict[str, Any], state: dict[str, Any]) -> str:
    """The form in a sentence or two."""
    where = f"{'REAL TAO' if setup['real'] else 'play money'}, {setup['network']}"
    step = state["step"]
    if step == "finalised":
        receipt = state["receipt"]
        return f"{_last_words(state)} (block {receipt['block']}, {receipt['tx']}; {where})"
    if step in ("sending", "failed", "unknown"):
        return f"{setup['title']} by form ({where}): {_last_words(state)}"
    # A page that was closed meanwhile cannot be told what came later, so this must stay true for ever.
    unsent = "nothing had been sent so far"
    return f"{setup['title']} by form ({where}): {unsent}. Without a form: {setup['written']}"


def plain_html(setup: dict[str, Any], state: dict[str, Any]) -> str:
    """The same, folded into one line."""
    money = f"{'REAL TAO' if setup['real'] else 'play money'}, {setup['network']}"
    said = words(setup, state)
    if state["step"] == "finalised":
        receipt = state["receipt"]
        said = f"■ {_last_words(state)}, block {receipt['block']}, {receipt['tx'][:10]}…"
    line = f'<span style="font-size:14px;margin-right:14px">{escape(said)}</span>'
    return html.block(line, html.badge(money, real=setup["real"]))


def _last_words(state: dict[str, Any]) -> str:
    if state["step"] == "finalised":
        return f"Finalised: {state['preview']['done']}"
    what = state["preview"]["money"] or state["preview"]["button"]
    if state["step"] == "sending":
        return f"{what} sent, the block is not known yet. Look at the balance: %sl wallet"
    return f"{what}: {state['note']}"
