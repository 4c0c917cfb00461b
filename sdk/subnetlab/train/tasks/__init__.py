"""What runs learn, one file per kind of task, and how tasks travel in a manifest.

`base.Task` is the seam; `check` tries a model on a task before anything is spent on it.
"""

from dataclasses import asdict
from typing import Any, Final, cast

from subnetlab.errors import ManifestInvalid
from subnetlab.train.tasks.base import Batch, Items, Sample, Samples, Task
from subnetlab.train.tasks.next_token import NextToken, of_model

__all__ = ["Batch", "Items", "NextToken", "Sample", "Samples", "Task", "from_json", "of_model", "to_json"]

_KINDS: Final[dict[str, type[NextToken]]] = {"next_token": NextToken}


def to_json(task: Task) -> dict[str, Any]:
    """A task with every option in JSON types, and the unit of its loss for readers without torch."""
    kind = next((name for name, known in _KINDS.items() if type(task) is known), type(task).__name__)
    return {"kind": kind, **asdict(cast("Any", task)), "unit": task.unit}


def from_json(data: dict[str, Any]) -> Task:
    """Read a task back.

    Raises:
        ManifestInvalid: an unknown kind or option, or a value out of range.
    """
    kind = _KINDS.get(str(data.get("kind")))
    if kind is None:
        raise ManifestInvalid(f"No task is called {data.get('kind')!r}.", hint=f"Known: {', '.join(_KINDS)}.")
    options = {key: value for key, value in data.items() if key not in ("kind", "unit")}
    try:
        return kind(**options)
    except (TypeError, ValueError) as error:
        raise ManifestInvalid(f"The task's description does not fit: {error}.") from error
