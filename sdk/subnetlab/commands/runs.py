"""`subnetlab runs`: the runs of this machine, as text or as JSON."""

import argparse
import json
import sys
from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from subnetlab.errors import SubnetLabError

if TYPE_CHECKING:
    from subnetlab.lab.run import Run


def main(arguments: Sequence[str]) -> int:
    """Run the command; the process's exit status."""
    from subnetlab.lab.runs import runs  # noqa: PLC0415  (only what the command needs)

    parser = argparse.ArgumentParser(prog="subnetlab runs", description=__doc__)
    parser.add_argument("--all", action="store_true", help="more than the newest ten")
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    options = parser.parse_args(list(arguments))
    found = runs(all=options.all)
    said = json.dumps([describe(run) for run in found], indent=2) if options.json else repr(found)
    sys.stdout.write(said + "\n")
    return 0


def describe(run: "Run") -> dict[str, Any]:
    """A run in JSON types; what its record does not say, or a record that cannot be read, is null."""
    known: dict[str, Any] = {"run": run.id, "folder": str(run.folder)}
    try:
        view, status = run.view, run.status
    except SubnetLabError as error:
        return known | {"status": "unreadable", "reason": str(error)}
    started, closed = view.started, view.last_closed
    manifest = started.manifest if started else {}
    loss = closed.val_loss if closed else None
    model: dict[str, Any] = manifest.get("model") or {}
    strategy: dict[str, Any] = manifest.get("strategy") or {}
    return known | {
        "status": str(status),
        "round": run.round,
        "rounds": view.rounds,
        "model": model.get("kind"),
        "strategy": strategy.get("kind"),
        "loss": loss if loss is not None and isfinite(loss) else None,
        "network": started.network if started else None,
        "netuid": started.netuid if started else None,
        "block": view.block,
        "manifest_hash": started.manifest_hash if started else None,
    }
