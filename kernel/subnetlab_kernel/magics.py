"""`%sl` and `%%train`: one Magics class for the kernel and for `%load_ext`.

Thin on purpose: a magic reads words, calls the SDK and returns an SDK object, which the registered pictures
show. The variables `net`, `subnet` and `run` are shared with ordinary cells in both directions.
"""

import difflib
import shlex
import sys
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from subnetlab.errors import SecretRefused
from subnetlab.network.secrets import find_secret
from subnetlab_kernel import commands, train_cell, verbs


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
