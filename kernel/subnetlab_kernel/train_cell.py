"""`%%train`: read the cell, start the run, show it, and give the prompt back.

The body is ordinary Python on top of the notebook's variables; what it assigns under a name `Subnet.train`
knows becomes an option, other names are refused with the nearest one, and nothing is started.
"""

import argparse
import difflib
import inspect
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from subnetlab_kernel import live
from subnetlab_kernel.services import SERVICES
from subnetlab_kernel.verbs import Names

if TYPE_CHECKING:
    from subnetlab import LocalFleet
    from subnetlab.lab.subnet import Subnet

_FLEET_OPTIONS = ("miners", "validators", "free_riders")


def start(names: Names, arguments: argparse.Namespace, cell: str) -> None:
    """Start the run a `%%train` cell describes and put its live picture below the cell."""
    from subnetlab.lab.subnet import Subnet  # noqa: PLC0415  (only when a run is started)

    options = read_body(cell, names.user_ns, known=set(inspect.signature(Subnet.train).parameters) - {"self"})
    if arguments.rounds is not None:
        options["rounds"] = arguments.rounds
    if arguments.detach:
        options["detach"] = True
    fleet = {
        name: getattr(arguments, name) for name in _FLEET_OPTIONS if getattr(arguments, name) is not None
    }
    if fleet:
        from subnetlab import LocalFleet  # noqa: PLC0415

        try:
            options["fleet"] = LocalFleet(**fleet)
        except ValueError as error:
            raise UsageError(f"%%train: {error}. Nothing was started.") from None
    subnet = names.subnet(arguments.netuid)
    with live.foreseen(subnet, *_outline(Subnet, options)) as show:
        run = names.put(arguments.name, subnet.train(**options))
        show(run)
    SERVICES.add(live.follow(run))


def _outline(subnet: "type[Subnet]", options: dict[str, Any]) -> "tuple[int, LocalFleet]":
    """How many rounds and which peers a run is going to have; what is wrong with them, `train` says."""
    from subnetlab import LocalFleet  # noqa: PLC0415

    rounds = options.get("rounds", inspect.signature(subnet.train).parameters["rounds"].default)
    fleet = options.get("fleet")
    return rounds if isinstance(rounds, int) else 0, fleet if isinstance(fleet, LocalFleet) else LocalFleet()


def read_body(cell: str, user_ns: dict[str, Any], *, known: set[str]) -> dict[str, Any]:
    """What a cell assigns, checked against the names a run knows.

    Raises:
        UsageError: a name no run knows; the nearest one is in the message.
    """
    assigned: dict[str, Any] = {}
    # The cell is the user's own code in the user's own kernel, as any other cell is.
    exec(compile(cell, "<%%train>", "exec"), user_ns, assigned)  # noqa: S102
    options = {
        name: value
        for name, value in assigned.items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    for name in options:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            nearest = f"; did you mean {close[0]!r}?" if close else f"; it knows {', '.join(sorted(known))}."
            raise UsageError(f"%%train knows no option {name!r}{nearest} Nothing was started.")
    return options
