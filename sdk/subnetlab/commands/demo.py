"""`subnetlab demo`: the first tutorial executed on our kernel without a browser, and what came out.

The notebook on disk is left as it is. Writes the executed page, which needs nothing from the network to be
read, and a summary of numbers; prints the verdict.
"""

import argparse
import contextlib
import json
import re
import sys
import tempfile
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from subnetlab.commands.tutorials import find
from subnetlab.errors import RunError

if TYPE_CHECKING:
    from subnetlab.lab.run import Run

ROUNDS, INNER_STEPS = 50, 12
BATCH_SIZE = 2
MINERS, VALIDATORS = 9, 2
ATTACKERS = {"free_rider": 1, "sign_flip": 1}
BASELINES = ("alone", "alone_3x", "ddp")
"""One miner alone, one with three times the steps, by which "three times sooner" is measured, and DDP."""
CELL_LIMIT_S = 900
"""A cell may wait for a whole run, on a machine that is busy with other things."""
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL | re.IGNORECASE)
_ADDED = "subnetlab-demo"
"""Tag of the cell this command adds, which the page does not show."""

_SUMMARY_CELL = """\
import json, pathlib
from subnetlab.report.summary import summarise
from subnetlab.lab.first_loss import initial_loss
summary = summarise(run.view, net.spent, name=run.id, initial_loss=initial_loss(run.folder))
found = {{"summary": summary, "verdict": str(run.verdict())}}
pathlib.Path({path!r}).write_text(json.dumps(found))
if {keep!r}:
    run.save({keep!r}, model=False)
net.close()
"""
_BY_HAND: Final = "`subnetlab lab` opens it, to run that cell by hand."
_ROOM: Final = "Close other programs and try again; `subnetlab doctor` says what this machine lacks."


def demo(rounds: int = ROUNDS, *, seed: int = 0) -> "Run":
    """Start the demonstration run on a new devnet and return at once; `run.net` is its network.

    Seven honest miners, a free rider and a sign flipper train `TinyGPT("demo")` with MuLoCo.
    """
    from subnetlab.fleet.local import LocalFleet  # noqa: PLC0415  (the command itself needs neither)
    from subnetlab.lab.session import connect  # noqa: PLC0415
    from subnetlab.train.strategies import MuLoCo  # noqa: PLC0415

    net = connect()
    try:
        subnet = net.create_subnet("tiny-lm", wallet="alice")
        fleet = LocalFleet(miners=MINERS, validators=VALIDATORS, attackers=ATTACKERS)
        strategy = MuLoCo(inner_steps=INNER_STEPS)
        return subnet.train(
            strategy=strategy,
            rounds=rounds,
            batch_size=BATCH_SIZE,
            seed=seed,
            fleet=fleet,
            baselines=BASELINES,
        )
    except BaseException:
        net.close()
        raise


def main(arguments: Sequence[str]) -> int:
    """Run the command; the process's exit status.

    Raises:
        RunError: no tutorial here, Jupyter is missing, or a cell failed.
    """
    parser = argparse.ArgumentParser(prog="subnetlab demo", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("build/demo"), help="folder for the page and the numbers"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FILE.zip", help="keep the run too, without its weights, for sl.open"
    )
    options = parser.parse_args(list(arguments))
    if options.keep is not None and options.keep.exists():
        raise RunError(f"{options.keep} exists; nothing was run.", hint="Name a new file.")
    folder: Path = options.out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"{folder} cannot be made: {error.strerror}.", hint="Give --out another folder."
        ) from None
    began = monotonic()
    notebook = find("00")
    _say(f"{notebook.name}: executing on the subnetlab kernel, offline. About a minute and a half.")
    executed, found = execute(notebook, keep=options.keep)
    (folder / "00.html").write_text(page(executed), encoding="utf-8")
    summary = {**found["summary"], "wall_s": round(monotonic() - began, 3)}
    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    _say(
        f"\n{found['verdict']}\n\n{folder / '00.html'} is the whole story,"
        f" {folder / 'summary.json'} its numbers."
    )
    _say(f"That took {summary['wall_s']:.0f} s; now `make lab`")
    return 0


def _ended(said: str, why: str, hint: str) -> RunError:
    return RunError(f"{said}: {why.rstrip('.')}.", hint=hint)


def execute(path: Path, *, keep: Path | None = None) -> tuple[Any, dict[str, Any]]:
    """Execute a notebook on our kernel and return it with the summary and the verdict of its `run`.

    Args:
        path: the notebook, which is left as it is; its cells work in a folder that is gone afterwards.
        keep: where its `run` is kept as one file; None keeps nothing.

    Raises:
        RunError: Jupyter is missing, or a cell failed; the message is the cell's own.
    """
    try:
        import nbformat  # noqa: PLC0415  (part of the extra `lab`)
        from nbclient import NotebookClient  # noqa: PLC0415
        from nbclient.exceptions import (  # noqa: PLC0415
            CellExecutionError,
            CellTimeoutError,
            DeadKernelError,
        )
        from traitlets.config import Config  # noqa: PLC0415
    except ImportError as error:
        raise RunError(f"Jupyter is not installed ({error}).", hint="pip install 'subnetlab[lab]'") from error
    notebook: Any = nbformat.read(path, as_version=4)
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    done = 0

    def tell(cell: Any, cell_index: int, **_: Any) -> None:  # noqa: ARG001  (nbclient's own names)
        nonlocal done
        if not done:  # the kernel has its first cell, and this process time to spare
            threading.Thread(target=_load_exporter, name="exporter", daemon=True).start()
        if cell.cell_type == "code" and done < total:
            done += 1
            first = next((line for line in cell.source.splitlines() if line.strip()), "")
            _say(f"  [{done}/{total}] {first[:90]}")

    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "summary.json"
        kept = str(keep.resolve()) if keep else ""
        added: Any = nbformat.v4.new_code_cell(_SUMMARY_CELL.format(path=str(target), keep=kept))
        added.metadata["tags"] = [_ADDED]
        notebook.cells.append(added)
        client = NotebookClient(
            notebook,
            timeout=CELL_LIMIT_S,
            kernel_name="subnetlab",
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),
            resources={"metadata": {"path": scratch}},
            on_cell_execute=tell,
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise _ended(
                f"A cell of {path.name} failed", f"{error.ename}: {error.evalue}", _BY_HAND
            ) from error
        except (CellTimeoutError, DeadKernelError) as error:
            raise _ended(f"{path.name} did not come to its end", str(error).splitlines()[0], _ROOM) from error
        found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    notebook.cells = [cell for cell in notebook.cells if _ADDED not in cell.metadata.get("tags", [])]
    return notebook, found


def _load_exporter() -> None:
    """Load what makes the page while the notebook runs, instead of after it."""
    with contextlib.suppress(ImportError):  # `page` says so
        import_module("nbconvert.exporters")


def page(notebook: Any) -> str:
    """An executed notebook as one HTML page that loads nothing: our outputs need no script."""
    from nbconvert.exporters import HTMLExporter  # noqa: PLC0415  (part of the extra `lab`)

    text, _ = HTMLExporter(template_name="lab").from_notebook_node(notebook)
    return _SCRIPT.sub("", str(text))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
