"""Held-out loss of a run before its first step, in the task's unit.

No record holds it, because it follows from the manifest: same seed, same weights, same held-out items. A
process that plans a small run measures it while model and data are at hand, so that a kernel need not load
torch for one number; where it was not measured, it is measured when it is asked for.
"""

import json
from math import isfinite
from pathlib import Path
from typing import Final

from subnetlab.record.files import write_private

_FILE: Final = "first_loss.json"
_MOST_PARAMETERS: Final = 1_000_000
"""Of a model that is measured before its run: a fraction of a second."""


def initial_loss(run_folder: Path) -> float:
    """The loss that was measured with the plan, else as it is measured now; errors as `plan.initial_loss`."""
    try:
        found = json.loads((run_folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if isinstance(found, float) and isfinite(found):
        return found
    from subnetlab.lab import plan  # noqa: PLC0415  (loads torch)

    return plan.initial_loss(run_folder)


def measure(run_folder: Path, *, parameters: int) -> None:
    """Measure the loss of a small model, and write it into its run's folder."""
    if parameters <= _MOST_PARAMETERS:
        from subnetlab.lab import plan  # noqa: PLC0415  (loads torch)

        write_private(run_folder / _FILE, json.dumps(plan.initial_loss(run_folder)))
