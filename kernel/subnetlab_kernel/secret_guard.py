"""Keep a secret that was pasted into a cell from being run, and out of IPython's history.

What counts as a secret is `subnetlab.network.secrets`' to say. The notebook's own file is the front end's: a
person has to delete the cell there.
"""

from collections.abc import Iterator
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from subnetlab.errors import SecretRefused

REFUSAL = (
    "raise __import__('subnetlab.errors', fromlist=['SecretRefused']).SecretRefused("
    "'This cell holds something that looks like a mnemonic or a private key; it was not run and not kept in"
    " history. Delete the cell too: the notebook file still has it.')"
)


def install(shell: InteractiveShell) -> None:
    """Take every cell that raised `SecretRefused` back from history; installing twice changes nothing."""
    events: Any = shell.events
    if _forget_refused not in events.callbacks["post_run_cell"]:
        events.register("post_run_cell", _forget_refused)


def _forget_refused(result: Any) -> None:
    if result is None or result.execution_count is None:
        return
    error = result.error_in_exec or result.error_before_exec
    if any(isinstance(cause, SecretRefused) for cause in _causes(error)):
        shell: Any = InteractiveShell.instance()
        forget(shell, result.execution_count)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def forget(shell: Any, line: int) -> None:
    """Blank one line of IPython's history: in memory, in the variables `_i…`, and in its database."""
    history: Any = shell.history_manager
    for kept in (history.input_hist_raw, history.input_hist_parsed):
        if len(kept) > line:
            kept[line] = ""
    history._i00 = ""  # noqa: SLF001  (IPython has no public way to take a line back)
    shell.user_ns[f"_i{line}"] = ""
    with history.db_input_cache_lock:  # the thread that writes the database holds it too
        history.db_input_cache = [entry for entry in history.db_input_cache if entry[0] != line]
        with history.db as database:
            database.execute("PRAGMA secure_delete = ON")
            database.execute(
                "DELETE FROM history WHERE session = ? AND line = ?", (history.session_number, line)
            )
