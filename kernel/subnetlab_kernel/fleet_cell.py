"""`%%fleet`: send a cell to the miners of the run in a variable, and show what they say, labelled by uid.

Labels are ipyparallel's: `[stdout:3]` before each line as it comes, `Out[3]` and `[error:3]` in the order of
uids at the end; what several miners say alike is shown once. What a cell is and sees says
`lab.running.Running.execute`.
"""

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from IPython.core.error import UsageError

from subnetlab_kernel.services import SERVICES
from subnetlab_kernel.verbs import Names

if TYPE_CHECKING:
    from subnetlab.fleet.cells import FleetResult, PeerOutput, Stream

_LAST = "_fleet"
"""The variable that holds the last result that was not waited for."""
_TAKES_VALUE = ("-t", "--targets", "-o", "--out", "--name")
_MOST_UID = 65_535


def options_and_code(line: str) -> tuple[list[str], str]:
    """The options at the beginning of a line, and what follows them as it is written."""
    words: list[str] = []
    rest = line.lstrip()
    while rest.startswith("-"):
        word, *after = rest.split(None, 1)
        words.append(word)
        rest = after[0] if after else ""
        if word in _TAKES_VALUE and rest:
            value, *after = rest.split(None, 1)
            words.append(value)
            rest = after[0] if after else ""
    return words, rest.rstrip()


def uids_of(text: str) -> list[int] | None:
    """The uids of `2`, `0,2` or `1:4`; None for all.

    Raises:
        UsageError: something else.
    """
    if text in ("", "all"):
        return None
    uids: list[int] = []
    for word in text.split(","):
        first, colon, end = word.partition(":")
        if (
            not first.isdecimal()
            or (colon and not end.isdecimal())
            or max(map(int, (first, end or "0"))) > _MOST_UID
        ):
            raise UsageError(
                f"%%fleet: --targets {text!r}: write uids such as 2, 0,2 or 1:4. Nothing was run."
            )
        uids += range(int(first), int(end)) if colon else [int(first)]
    return uids


def run_cell(names: Names, arguments: argparse.Namespace, code: str) -> "FleetResult | None":
    """Run code on the miners; the result where it is not waited for."""
    if not code.strip():
        raise UsageError("%%fleet: there is no code to run.")
    run, targets = names.run(arguments.name), uids_of(arguments.targets)
    if arguments.noblock and not arguments.block:
        result = names.put(_LAST, run.execute(code, targets, block=False))
        SERVICES.add(result)
        if arguments.out:
            names.put(arguments.out, result)
        return result
    labels = _Labels()
    result = run.send_cell(code, targets, on_output=labels.add)
    if arguments.out:
        names.put(arguments.out, result)
    try:
        result.see_through()
    finally:
        labels.end()
        _show_ends(result.outputs.values())
    result.raise_for_errors()
    return None


def show_result(names: Names, variable: str) -> None:
    """Wait for a result that was not waited for, and show it.

    Raises:
        UsageError: the variable holds none.
        CellFailed: the cell failed on a miner.
    """
    from subnetlab.fleet.cells import FleetResult  # noqa: PLC0415  (only once a cell was run)

    result = names.user_ns.get(variable or _LAST)
    if not isinstance(result, FleetResult):
        raise UsageError("%fleetresult: there is no result of a %%fleet --noblock.")
    try:
        result.see_through()
    finally:
        labels = _Labels()
        for output in result.outputs.values():
            labels.add(output.uid, "stdout", output.stdout)
            labels.add(output.uid, "stderr", output.stderr)
        labels.end()
        _show_ends(result.outputs.values())
    result.raise_for_errors()


class _Labels:
    """Writes whole lines, each with the miner it comes from."""

    def __init__(self) -> None:
        self._unfinished: dict[tuple[Stream, int], str] = {}

    def add(self, uid: int, stream: "Stream", text: str) -> None:
        """Take what a miner printed."""
        *lines, rest = (self._unfinished.get((stream, uid), "") + text).split("\n")
        self._unfinished[stream, uid] = rest
        if lines:
            _stream(stream).write("".join(f"[{stream}:{uid}] {line}\n" for line in lines))

    def end(self) -> None:
        """Write the lines that were not finished."""
        for (stream, uid), rest in sorted(self._unfinished.items()):
            if rest:
                _stream(stream).write(f"[{stream}:{uid}] {rest}\n")
        self._unfinished.clear()


def _stream(name: "Stream") -> TextIO:
    return sys.stderr if name == "stderr" else sys.stdout


def _show_ends(outputs: Iterable["PeerOutput"]) -> None:
    """Results, then errors, in the order of uids; what is alike is shown once."""
    results: dict[str, list[int]] = {}
    errors: dict[str, list[int]] = {}
    for output in outputs:
        if output.result is not None:
            results.setdefault(output.result, []).append(output.uid)
        elif output.status not in ("ok", "running"):
            errors.setdefault(output.traceback or output.evalue, []).append(output.uid)
    for text, uids in results.items():
        sys.stdout.write(f"Out[{_listed(uids)}]: {text}\n")
    for text, uids in errors.items():
        sys.stderr.write(f"[error:{_listed(uids)}] {text.rstrip()}\n")


def _listed(uids: list[int]) -> str:
    return ",".join(map(str, uids))
