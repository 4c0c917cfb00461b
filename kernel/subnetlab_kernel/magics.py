"""`%sl` and the cell magics of SubnetLab: one Magics class for the kernel and for `%load_ext`.

Thin on purpose: a magic reads words, calls the SDK and returns an SDK object, which the registered pictures
show. The variables `net`, `subnet` and `run` are shared with ordinary cells in both directions.
"""

import difflib
import shlex
import sys
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class

from subnetlab.errors import SecretRefused
from subnetlab.network.secrets import find_secret
from subnetlab_kernel import commands, fleet_cell, function_cell, last_error, train_cell, verbs


@magics_class
class SubnetLabMagics(Magics):
    """The verbs of SubnetLab in a notebook."""

    @line_magic
    def sl(self, line: str) -> Any:
        """Do one thing on the network: `%sl network`, `%sl wallet`, `%sl pay` and so on.

        `%sl` alone lists the verbs, `%sl pay --help` says how one is written.
        """
        if find_secret(line):
            raise SecretRefused("That looks like a mnemonic or a private key.")
        words = _split(line)
        if not words:
            return verbs.overview(verbs.Names(self._user_ns()))
        name, *rest = words
        if name not in commands.LINE:
            raise UsageError(f"%sl has no verb {name!r}{_nearest(name)} `%sl` alone lists them.")
        parser = commands.line_parser(name)
        if _asks_for_help(rest):
            return verbs.Text(parser.format_help())
        return verbs.VERBS[name](verbs.Names(self._user_ns()), parser.parse_args(rest))

    @cell_magic
    def train(self, line: str, cell: str) -> None:
        """Start a run on the miners and return at once; the output keeps itself up to date.

        The body is Python: `rounds = 30`, `model = sl.models.TinyGPT("demo")`, `strategy = …`. Options on
        the first line win over the body. The run is in the variable `run` (or `--name`).
        """
        parser, words = commands.train_parser(), _split(line)
        if _asks_for_help(words):
            sys.stdout.write(parser.format_help())
            return
        train_cell.start(verbs.Names(self._user_ns()), parser.parse_args(words), cell)

    @line_magic
    def explain(self, line: str) -> Any:
        """Say what the last error means and what to do next; `%explain --traceback` shows all of it."""
        words = _split(line)
        if words not in ([], ["--traceback"]):
            raise UsageError("%explain takes nothing, or --traceback; why a miner earned: %sl explain UID.")
        error = getattr(sys, "last_value", None)
        if error is None:
            return verbs.Text("No cell of this notebook has failed yet.")
        return last_error.explained(error, unfolded=bool(words))

    @line_cell_magic
    def fleet(self, line: str, cell: str | None = None) -> Any:
        """Run a cell, or the rest of the line, in the processes of the run's miners.

        It sees `uid`, `miner`, `model`, `theta`, `round_number`, `manifest` and `torch`; its names stay for
        later cells. `%%fleet --targets 0,2 --noblock` as in ipyparallel; `%%fleet --help` lists the options.
        """
        words, code = fleet_cell.options_and_code(line)
        if _asks_for_help(words):
            return verbs.Text(commands.fleet_parser().format_help())
        if cell is not None and code:
            raise UsageError(f"%%fleet: the code belongs below the line, not behind it: {code}")
        arguments = commands.fleet_parser().parse_args(words)
        code = cell if cell is not None else code
        if arguments.local:
            shell: Any = self.shell
            shell.run_cell(code).raise_error()
        return fleet_cell.run_cell(verbs.Names(self._user_ns()), arguments, code)

    @line_magic
    def fleetresult(self, line: str) -> Any:
        """Wait for the last `%%fleet --noblock`, or the result in the variable that is named; show it."""
        fleet_cell.show_result(verbs.Names(self._user_ns()), line.strip())

    @cell_magic
    def miner(self, line: str, cell: str) -> Any:
        """Define what a miner answers: the cell's last function, which takes a task and returns an answer."""
        return function_cell.define(self.shell, "miner", line, cell)

    @cell_magic
    def validator(self, line: str, cell: str) -> Any:
        """Define what an answer is worth: the cell's last function, which takes a task and an answer."""
        return function_cell.define(self.shell, "validator", line, cell)

    def _user_ns(self) -> dict[str, Any]:
        shell: Any = self.shell
        return shell.user_ns


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"Could not read the line: {error}.") from None


def _asks_for_help(words: list[str]) -> bool:
    return bool({"-h", "--help"} & set(words))


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(name, commands.LINE, n=1)
    return f"; did you mean {close[0]!r}?" if close else "."
