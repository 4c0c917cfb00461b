"""What runs learn, one file per kind of task, and how tasks travel in a manifest.

`base.Task` is the seam; `find` chooses a task for a model and its data; `check` tries a model on a task
before anything is spent on it.
"""

from dataclasses import fields
from typing import Any, Final, cast

from subnetlab.errors import ArgumentInvalid, ManifestInvalid, ManifestOfAnotherVersion
from subnetlab.train.tasks import code, metrics
from subnetlab.train.tasks.base import Batch, Items, Measures, Sample, Samples, Task
from subnetlab.train.tasks.classification import Classification
from subnetlab.train.tasks.code import Code
from subnetlab.train.tasks.metrics import Metric
from subnetlab.train.tasks.next_token import NextToken, of_model
from subnetlab.train.tasks.own import Own
from subnetlab.train.tasks.regression import Regression

__all__ = [
    "Batch",
    "Classification",
    "Items",
    "Measures",
    "NextToken",
    "Own",
    "Regression",
    "Sample",
    "Samples",
    "Task",
    "from_json",
    "of_model",
    "to_json",
]

_KINDS: Final[dict[str, type[NextToken | Classification | Regression | Own]]] = {
    "next_token": NextToken,
    "classification": Classification,
    "regression": Regression,
    "own": Own,
}


def to_json(task: Task) -> dict[str, Any]:
    """A task with every option in JSON types, and the unit of its loss for readers without torch.

    A field that only some runs use is left out where it has its default.
    """
    kind = next((name for name, known in _KINDS.items() if type(task) is known), type(task).__name__)
    found: dict[str, Any] = {"kind": kind}
    for one in fields(cast("Any", task)):
        value = getattr(task, one.name)
        if not one.metadata.get("seldom") or value != one.default:
            found[one.name] = _in_json(value)
    return {**found, "unit": task.unit}


def from_json(data: dict[str, Any], *, trusted: bool = True) -> Task:
    """Read a task back.

    Args:
        data: what `to_json` wrote.
        trusted: whether this peer runs code that the manifest names; always false for a manifest of others.

    Raises:
        ManifestInvalid: an unknown kind or option, a value out of range, or code that is not trusted.
    """
    kind = _KINDS.get(str(data.get("kind")))
    if kind is None:
        raise ManifestInvalid(f"No task is called {data.get('kind')!r}.", hint=f"Known: {', '.join(_KINDS)}.")
    if not trusted and ("code" in data or "metrics" in data):
        raise ManifestInvalid(
            "This manifest's task is code of its author.", hint="Read it, then join with trusted=True."
        )
    options = {key: value for key, value in data.items() if key not in ("kind", "unit")}
    try:
        return kind(**{key: _read_back(key, value) for key, value in options.items()})
    except (TypeError, ValueError, ArgumentInvalid) as error:
        raise ManifestOfAnotherVersion(f"The task's description does not fit: {error}.") from error


def _in_json(value: Any) -> Any:
    if isinstance(value, Code | Metric):
        return value.to_json()
    return [_in_json(one) for one in cast("tuple[Any, ...]", value)] if isinstance(value, tuple) else value


def _read_back(name: str, value: Any) -> Any:
    if name == "code":
        return code.from_json(value)
    if name == "metrics":
        return metrics.from_json(value)
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value
