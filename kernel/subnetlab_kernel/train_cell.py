"""`%%train`: read the cell, start the run, show it, and give the prompt back.

The body is ordinary Python on top of the notebook's variables; what it assigns under a name `Subnet.train`
knows becomes an option, other names are refused with the nearest one, and nothing is started.
"""

import argparse
import contextlib
import inspect
import sys
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from subnetlab.signatures import nearest
from subnetlab_kernel import live
from subnetlab_kernel.services import SERVICES
from subnetlab_kernel.verbs import Names

if TYPE_CHECKING:
    from subnetlab import LocalFleet
    from subnetlab.lab.subnet import Subnet

_FLEET_OPTIONS = ("miners", "validators", "free_riders", "attackers")


def start(names: Names, arguments: argparse.Namespace, cell: str) -> None:
    """Start the run a `%%train` cell describes and put its live picture below the cell."""
    from subnetlab.lab.subnet import Subnet  # noqa: PLC0415  (only when a run is started)

    known = set(inspect.signature(Subnet.train).parameters) - {"self"}
    options = read_body(cell, names.user_ns, known=known | set(_FLEET_OPTIONS))
    if arguments.rounds is not None:
        options["rounds"] = arguments.rounds
    if arguments.detach:
        options["detach"] = True
    options |= _on_the_line(arguments)
    fleet = {name: options.pop(name) for name in _FLEET_OPTIONS if name in options}
    fleet |= {
        name: attackers_of(value) if name == "attackers" else value
        for name in _FLEET_OPTIONS
        if (value := getattr(arguments, name, None)) is not None
    }
    if fleet:
        options["fleet"] = _local_fleet(fleet, options)
    with contextlib.ExitStack() as until_started:
        if arguments.netuid is None and names.present_subnet() is None:
            until_started.enter_context(_tried_out(options))
        subnet = names.subnet(arguments.netuid)
        with live.foreseen(subnet, *_outline(Subnet, options)) as show:
            run = names.put(arguments.name, subnet.train(**options))
            show(run)
    if run.note:
        sys.stdout.write(f"{run.note}\n")
    SERVICES.add(live.follow(run))


def _on_the_line(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the magic's own line says of the training; it comes before what the body says."""
    found = {name: getattr(arguments, name) for name in ("optimizer", "lr")}
    said = {name: value for name, value in found.items() if value is not None}
    if arguments.baselines is not None:
        names = words_of(arguments.baselines)
        said["baselines"] = () if names == ["none"] else tuple(names)
    return said


def words_of(given: list[str]) -> list[str]:
    """The words of an option that is given several times, or once with commas."""
    return [word for text in given for word in text.split(",") if word]


def attackers_of(given: list[str]) -> dict[str, int]:
    """How many attack in which way, of `sign_flip=2,free_rider=1`; a word alone is one of them.

    Raises:
        UsageError: a number is none.
    """
    found: dict[str, int] = {}
    for word in words_of(given):
        kind, _, number = word.partition("=")
        if not (number or "1").isdigit():
            raise UsageError(f"%%train: --attackers {word}: write {kind}=2. Nothing was started.")
        found[kind] = found.get(kind, 0) + int(number or 1)
    return found


def _local_fleet(counts: dict[str, Any], options: dict[str, Any]) -> "LocalFleet":
    """A fleet of so many miners and validators.

    Raises:
        UsageError: the numbers make no fleet, or the body describes a fleet as well.
    """
    from subnetlab import LocalFleet  # noqa: PLC0415

    if "fleet" in options:
        raise UsageError(
            f"%%train: give either fleet or {' and '.join(sorted(counts))}, not both. Nothing was started."
        )
    try:
        return LocalFleet(**counts)
    except (TypeError, ValueError) as error:
        raise UsageError(f"%%train: {error}. Nothing was started.") from None


def _tried_out(options: dict[str, Any]) -> contextlib.AbstractContextManager[None]:
    """Refuse what `Subnet.train` would refuse, before a subnet is paid for just to train on it."""
    from subnetlab.lab import arguments, planning  # noqa: PLC0415  (only when a run is started)
    from subnetlab.lab.subnet import Subnet  # noqa: PLC0415

    arguments.baseline_names(options.get("baselines"), default=True)
    for name in ("detach", "deterministic"):
        arguments.flag(name, options.get(name, False))
    defaults = {name: given.default for name, given in inspect.signature(Subnet.train).parameters.items()}
    return planning.tried_out(planning.described({**defaults, **options}))


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
            close = nearest(name, sorted(known))
            meant = f"; did you mean {close!r}?" if close else f"; it knows {', '.join(sorted(known))}."
            raise UsageError(f"%%train knows no option {name!r}{meant} Nothing was started.")
    return options
