"""Tables of the SDK's lists as plain HTML: what a cell shows and what a saved notebook keeps.

What a run, a verdict, a network or a subnet looks like is its own `_repr_html_`, drawn by `subnetlab.report`.
"""

from typing import TYPE_CHECKING

from subnetlab.report import html

if TYPE_CHECKING:
    from subnetlab.commands.doctor import Checkup
    from subnetlab.lab.holdings import Holdings
    from subnetlab.lab.run import Runs


def runs_html(found: "Runs") -> str | None:
    """One row per run."""
    if not found:
        return None
    rows = [[run.id, run.status, str(run.round), str(run.view.block), run.headline] for run in found]
    return html.table(["run", "status", "rounds", "block", ""], rows, words=2)


def holdings_html(held: "Holdings") -> str:
    """Whose money, where it is, and what may still be spent."""
    header, *rows = held.rows()
    money = f"{'play money' if held.play_money else 'REAL TAO'}, {held.network}"
    return html.block(
        html.paragraph(held.name, bold=True),
        html.paragraph(f"{held.address}, at block {held.block}", faint=True),
        html.table(header, rows, words=3),
        html.paragraph(f"Budget: {held.budget}"),
        html.badge(money, real=not held.play_money),
    )


def checkup_html(checkup: "Checkup") -> str:
    """One row per check, with what to do where something is not good enough."""
    rows = [[check.name, check.state, check.found, check.advice] for check in checkup.checks]
    return html.table(["", "", "found", "what to do"], rows, words=4)
