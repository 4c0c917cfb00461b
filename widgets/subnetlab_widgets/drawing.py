"""Tables of the SDK's lists as plain HTML: what a cell shows and what a saved notebook keeps.

What a run, a verdict, a network, a subnet or a holding looks like is its own `_repr_html_`.
"""

from typing import TYPE_CHECKING

from subnetlab.report import html

if TYPE_CHECKING:
    from subnetlab.commands.doctor import Checkup
    from subnetlab.lab.runs import Runs


def runs_html(found: "Runs") -> str | None:
    """One row per run."""
    if not found:
        return None
    rows = [[run.id, run.status, str(run.round), str(run.view.block), run.headline] for run in found]
    return html.table(["run", "status", "rounds", "block", ""], rows, words=2)


def checkup_html(checkup: "Checkup") -> str:
    """One row per check, with what to do where something is not good enough."""
    rows = [[check.name, check.state, check.found, check.advice] for check in checkup.checks]
    return html.table(["", "", "found", "what to do"], rows, words=4)
