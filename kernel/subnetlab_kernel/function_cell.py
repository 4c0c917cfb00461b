"""`%%miner` and `%%validator`: a cell that defines one of a subnet's two functions, checked as it is defined.

The cell runs like any other, and its last function is the one that is meant; helpers may come before it.
Whether it does what its role takes is said here, before a run is thought of.
"""

import ast
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError

from subnetlab.answers import functions
from subnetlab_kernel.verbs import Text

_ASKS = {"miner": "answers tasks", "validator": "judges answers"}
_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef)


def define(shell: Any, role: str, line: str, cell: str) -> Text:
    """Run a cell, and mark its last function as a role's; what may be done with it.

    Raises:
        UsageError: the line holds something, or the cell defines no function; nothing was run.
        ArgumentInvalid: the function does not do what its role takes.
    """
    if line.strip():
        raise UsageError(f"%%{role}: the function belongs below the line, not behind it: {line.strip()}")
    name = last_function(role, shell.transform_cell(cell))
    shell.run_cell(cell).raise_error()
    mark: Callable[[Any], Any] = functions.miner if role == "miner" else functions.validator
    mark(shell.user_ns[name])
    other = "judge" if role == "miner" else "answer"
    call = f"{name}, {other}" if role == "miner" else f"{other}, {name}"
    return Text(f"{name} {_ASKS[role]}. Run the subnet with subnet.run({call}, tasks=[…]).")


def last_function(role: str, source: str) -> str:
    """The name of the last function that a cell defines.

    Raises:
        UsageError: it defines none, or is no Python.
    """
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise UsageError(f"%%{role}: line {error.lineno} is no Python: {error.msg}.") from None
    names = [node.name for node in body if isinstance(node, _DEFINES)]
    if not names:
        example = "def answer(task): …" if role == "miner" else "def judge(task, answer): …"
        raise UsageError(f"%%{role}: the cell defines no function. Write {example}")
    return names[-1]
