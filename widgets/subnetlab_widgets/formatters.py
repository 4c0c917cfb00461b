"""Which of the SDK's objects a notebook shows how: as a table of plain HTML, or live by a widget.

Registered by the class's name, so that nothing is imported before an object of it exists. Text is the
object's own `repr`; what has an HTML form of its own brings it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from subnetlab.report import html

if TYPE_CHECKING:
    from subnetlab.commands.doctor import Checkup
    from subnetlab.lab.explorer import Explorer
    from subnetlab.lab.run import Run
    from subnetlab.lab.runs import Runs
    from subnetlab.lab.subnet import Subnet
    from subnetlab.report.attacks import Attacks
    from subnetlab.report.evaluation import Evaluation


def show_run(run: "Run") -> None:
    """A run that has begun is shown live; one that has not, in words."""
    if run.view.started is None:
        print(run)  # noqa: T201  (nothing to draw yet)
        return
    if run.note and run.view.ended is None:
        print(run.note)  # noqa: T201  (what attaching had to start again, or why it cannot go on)
    from subnetlab_widgets import boards  # noqa: PLC0415  (anywidget is loaded when a run is shown)

    boards.show(run)


def show_subnet(subnet: "Subnet") -> None:
    """The seats of a subnet, live; one whose network was closed in words."""
    if subnet.net.closed:
        print(subnet)  # noqa: T201  (a closed network has no live table)
        return
    from subnetlab_widgets.metagraph_view import metagraph  # noqa: PLC0415  (anywidget is loaded when it is shown)

    display(metagraph(subnet))


def show_explorer(found: "Explorer") -> None:
    """The blocks of a network, live; one that was closed in words."""
    if found.net.closed:
        print(found)  # noqa: T201  (a closed network has no live blocks)
        return
    from subnetlab_widgets.explorer_view import explorer  # noqa: PLC0415  (anywidget is loaded when it is shown)

    display(explorer(found))


def show_attacks(found: "Attacks") -> None:
    """The attacks on a run, as they go on."""
    from subnetlab_widgets.attack_view import attacks  # noqa: PLC0415  (anywidget is loaded when it is shown)

    display(attacks(found))


def show_evaluation(found: "Evaluation") -> None:
    """The steps of an epoch, to go through and to try."""
    from subnetlab_widgets.yuma_view import yuma_steps  # noqa: PLC0415  (anywidget is loaded when it is shown)

    display(yuma_steps(found))


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


HTML: dict[tuple[str, str], Callable[[Any], str | None]] = {
    ("subnetlab.lab.runs", "Runs"): runs_html,
    ("subnetlab.commands.doctor", "Checkup"): checkup_html,
}
"""One function per SDK class, by module and name."""


DRAW_THEMSELVES = (
    ("subnetlab.lab.session", "Net"),
    ("subnetlab.lab.subnet", "Subnet"),
    ("subnetlab.lab.explorer", "Explorer"),
    ("subnetlab.lab.run", "Run"),
    ("subnetlab.lab.holdings", "Holdings"),
    ("subnetlab.report.verdict", "Verdict"),
    ("subnetlab.report.explain", "Explanation"),
    ("subnetlab.report.evaluation", "Evaluation"),
    ("subnetlab.report.attacks", "Attacks"),
    ("subnetlab.lab.check.judge", "Checked"),
    ("subnetlab.lab.check.report", "Report"),
)
"""Classes whose objects have an HTML form of their own."""


def register(shell: InteractiveShell) -> None:
    """Teach a shell to show SubnetLab's objects."""
    formatter: Any = shell.display_formatter
    formatter.ipython_display_formatter.for_type_by_name("subnetlab.lab.run", "Run", show_run)
    formatter.ipython_display_formatter.for_type_by_name("subnetlab.lab.subnet", "Subnet", show_subnet)
    explorer = ("subnetlab.lab.explorer", "Explorer")
    formatter.ipython_display_formatter.for_type_by_name(*explorer, show_explorer)
    attacks = ("subnetlab.report.attacks", "Attacks")
    formatter.ipython_display_formatter.for_type_by_name(*attacks, show_attacks)
    evaluation = ("subnetlab.report.evaluation", "Evaluation")
    formatter.ipython_display_formatter.for_type_by_name(*evaluation, show_evaluation)
    html_formatter: Any = formatter.formatters["text/html"]
    text_formatter: Any = formatter.formatters["text/plain"]
    for (module, name), function in HTML.items():
        html_formatter.for_type_by_name(module, name, function)
    for module, name in (*HTML, *DRAW_THEMSELVES):
        text_formatter.for_type_by_name(module, name, _plain)
    text_formatter.for_type_by_name("subnetlab.network.receipt", "Receipt", _plain)
    for name in ("ChainBlock", "Extrinsic"):
        text_formatter.for_type_by_name("subnetlab.network.explorer.block", name, _plain)


def _plain(thing: Any, printer: Any, _cycle: bool) -> None:
    # A dataclass or a list would otherwise be taken apart by IPython's pretty printer.
    printer.text(str(thing))
