"""How a notebook of the course is shown: its own cells, and outputs where a test run left them.

Answers stay the reader's: cells of exercises are shown as the notebook has them, never as they were solved.
"""

import json
from pathlib import Path
from typing import Any

_STATIC = ("text/plain", "text/html", "image/svg+xml", "image/png", "text/markdown")


def show(path: Path, target: Path, *, executed: Path) -> None:
    """Write the notebook as the site shows it."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    found = executed / path.name
    if found.exists():
        _fill(notebook, json.loads(found.read_text(encoding="utf-8")))
    target.write_text(json.dumps(notebook), encoding="utf-8")


def _fill(notebook: dict[str, Any], run: dict[str, Any]) -> None:
    """Put outputs below the cells whose text is still what was run."""
    outputs = {cell["id"]: cell for cell in run["cells"] if cell["cell_type"] == "code"}
    for cell in notebook["cells"]:
        ran = outputs.get(cell["id"])
        if ran is None or cell["cell_type"] != "code" or cell["id"].startswith("ex-"):
            continue
        if _source(cell) == _source(ran):
            cell["outputs"] = [shown for one in ran["outputs"] if (shown := _static(one))]


def _static(output: dict[str, Any]) -> dict[str, Any] | None:
    """What a page without a kernel can show of an output; None where nothing is left."""
    if output["output_type"] not in ("display_data", "execute_result"):
        return output
    data = {kind: output["data"][kind] for kind in _STATIC if kind in output["data"]}
    return {**output, "data": data, "metadata": {}} if data else None


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return "".join(source) if isinstance(source, list) else source
