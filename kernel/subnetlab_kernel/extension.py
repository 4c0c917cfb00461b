"""What the kernel and `%load_ext subnetlab_kernel` have in common: magics, help, short errors, pictures."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final
from weakref import WeakKeyDictionary

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import publish_display_data

from subnetlab import waiting
from subnetlab.lab import remote
from subnetlab.network.keyring import KEYRING, LockedKey, Typed
from subnetlab_kernel import plain_errors, secret_guard
from subnetlab_kernel.inspection import allow_empty_body, spell_out_help
from subnetlab_kernel.magics import SubnetLabMagics
from subnetlab_kernel.outputs import NamedNets
from subnetlab_kernel.services import SERVICES
from subnetlab_widgets import formatters

WAITING: Final = "waiting-"
"""What the display id of an output begins with that tells what a cell waits for."""
_NAMED: "WeakKeyDictionary[InteractiveShell, NamedNets]" = WeakKeyDictionary()


def load(shell: InteractiveShell) -> None:
    """Register everything on a shell; loading twice changes nothing."""
    shell.register_magics(SubnetLabMagics)
    if spell_out_help not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(spell_out_help)
    if allow_empty_body not in shell.input_transformers_cleanup:
        # First, because IPython's own transformer of cell magics is one of these.
        shell.input_transformers_cleanup.insert(0, allow_empty_body)
    plain_errors.install(shell)
    if shell not in _NAMED:
        _NAMED[shell] = NamedNets(shell)
        shell.events.register("post_execute", _NAMED[shell].let_go)
    secret_guard.install(shell)
    KEYRING.usual = _PagePasswords()
    formatters.register(shell)
    remote.show_with(publish_display_data)
    waiting.show_with(OutputLine)


class OutputLine:
    """What a cell waits for: one output below it, written over itself and empty once the wait is over."""

    def __init__(self) -> None:
        self._display_id = ""

    def show(self, what: str, detail: str) -> None:
        """Write it, or write over it."""
        known, self._display_id = self._display_id, self._display_id or f"{WAITING}{secrets.token_hex(8)}"
        self._publish(waiting.sentence(what, detail), update=bool(known))

    def clear(self) -> None:
        """Leave nothing to read, in the page or in the saved notebook."""
        if self._display_id:
            self._publish("", update=True)

    def _publish(self, text: str, *, update: bool) -> None:
        publish_display_data({"text/plain": text}, transient={"display_id": self._display_id}, update=update)


class _PagePasswords:
    """Passwords are asked for in the page; the widget is loaded when the first one is."""

    def asking(self, locked: LockedKey[Any]) -> AbstractContextManager[Callable[[str], str]]:
        from subnetlab_widgets.password import IN_PAGE  # noqa: PLC0415

        return IN_PAGE.asking(locked)


def unload(shell: InteractiveShell) -> None:  # noqa: ARG001  (IPython passes it)
    """Stop what runs behind the cells; the magics stay known, as IPython cannot forget one."""
    KEYRING.usual = Typed()
    waiting.show_with(None)
    SERVICES.close()
