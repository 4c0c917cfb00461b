"""Show what SubnetLab refuses as one paragraph: what happened, where in the cell, what to do next.

A traceback through asyncio, websockets and two SDKs says nothing to the person who mistyped a wallet name.
Errors of any other kind keep IPython's full traceback.
"""

import linecache
import sys
from types import TracebackType
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from subnetlab.errors import SubnetLabError


def install(shell: InteractiveShell) -> None:
    """Let this shell show every SubnetLabError as a paragraph."""
    shell.set_custom_exc((SubnetLabError,), _show)


def _show(
    shell: Any,
    etype: type[SubnetLabError],
    value: SubnetLabError,
    trace: TracebackType | None,
    tb_offset: int | None = None,  # noqa: ARG001  (IPython passes it)
) -> list[str]:
    # As IPython does for every other error: %debug, %tb and %explain look there.
    sys.last_type, sys.last_value, sys.last_traceback = etype, value, trace
    where = _line_of_cell(shell, trace)
    lines = [f"{etype.__name__}: {value}", *([where] if where else [])]
    # The method that also answers the front end, as IPython's own handlers call it.
    shell._showtraceback(etype, value, lines)  # noqa: SLF001
    return lines


def _line_of_cell(shell: Any, trace: TracebackType | None) -> str:
    """The line a person typed that led here; empty where there is only one line or none of ours."""
    found = ""
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if filename in shell.compile._filename_map or "ipykernel_" in filename:  # noqa: SLF001
            cell = linecache.getlines(filename)
            source = linecache.getline(filename, trace.tb_lineno).strip()
            if source and len(cell) > 1:
                found = f"    line {trace.tb_lineno}: {source}"
        trace = trace.tb_next
    return found
