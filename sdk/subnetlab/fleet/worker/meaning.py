"""What goes into a saved model and what comes out, for people who have only the folder: in JSON and in words.

Of a table: the inputs with their features in order, the target, and the classes in the order of the outputs.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from subnetlab.train.manifest import Manifest
from subnetlab.train.tasks import Classification
from subnetlab.train.tasks.rows import Rows

_SHOWN: Final = 40
_LONGEST: Final = 80
"""Of a name on the card, in characters; the configuration has all of it."""


def meaning(manifest: Manifest) -> dict[str, Any]:
    """Inputs, features, target and classes in strict JSON types; empty for text and tokens."""
    task, data = manifest.task, manifest.data
    if not isinstance(task, Rows) or not data.columns:
        return {}
    inputs: list[dict[str, Any]] = []
    for column in data.inputs:
        dtype, divisor = task.given(column)
        inputs.append({
            "name": column.name, "dtype": dtype, "shape": list(column.shape),
            "features": list(column.names) or [column.name], "divided_by": divisor,
        })  # fmt: skip
    found: dict[str, Any] = {
        "inputs": inputs,
        "features": [name for one in inputs for name in one["features"]],
        "standardised": False,
    }
    if data.target is not None:
        coded = data.target.classes if data.target.coded else ()
        classes = task.classes if isinstance(task, Classification) else coded
        found["target"] = data.target.name
        found |= {"classes": list(classes)} if classes else {}
    return found


def in_words(found: dict[str, Any], config_file: str) -> str:
    """The same as a section of the card; empty where there is nothing to say."""
    if not found:
        return ""
    inputs: list[dict[str, Any]] = found["inputs"]
    first = (
        f"`{config_file}` has the same under `inputs`, `features`, `target` and `classes`. The model is "
        f"given the numbers of the data as they are, neither centred nor scaled{_but(inputs)}."
    )
    if any("=" in name for name in found["features"]):
        first += ' A feature such as "city=Rome" is 1 where the column holds that text, else 0.'
    parts = ["## What goes in and what comes out", first, *(part for one in inputs for part in _input(one))]
    if "classes" in found:
        alone = " A single output is the logit of the second class." if len(found["classes"]) == 2 else ""
        parts += [
            f"The outputs are of the classes of the target {_quoted(found['target'])}, in this order:{alone}",
            _listed(found["classes"]),
        ]
    elif "target" in found:
        parts.append(f"The output is trained on the target {_quoted(found['target'])}, as it is in the data.")
    return "\n\n".join(parts)


def _but(inputs: Sequence[dict[str, Any]]) -> str:
    scaled = [_quoted(one["name"]) for one in inputs if one["divided_by"] != 1]
    return f", but {', '.join(scaled)} are bytes divided by 255" if scaled else ""


def _input(one: dict[str, Any]) -> list[str]:
    """An input with its features in order."""
    shape = ", ".join(["B", *map(str, one["shape"])])
    said = f"The input {_quoted(one['name'])} is {one['dtype']} of shape ({shape}), of B items"
    if one["features"] == [one["name"]]:
        return [f"{said}."]
    return [f"{said}, with these features in order:", _listed(one["features"])]


def _listed(names: Sequence[object]) -> str:
    """Names by their places, as a block that Markdown leaves alone."""
    lines = [f"    {place}  {_plain(name)}" for place, name in enumerate(names[:_SHOWN])]
    more = len(names) - _SHOWN
    return "\n".join([*lines, f"    … and {more:,} more"] if more > 0 else lines)


def _plain(name: object) -> str:
    """A name in one line, as JSON writes it."""
    said = json.dumps(name, ensure_ascii=False)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"


def _quoted(name: str) -> str:
    """A name inside a sentence of Markdown."""
    fence = "``" if "`" in name else "`"
    pad = " " if "`" in name else ""
    return f"{fence}{pad}{_plain(name)[1:-1]}{pad}{fence}"
