"""A password field in the page, for keys that are encrypted on disk.

What is typed goes over the widget's comm to the thread that waits for it, and nowhere else: it is part of no
state, no output, no history and no log. A page that never says hello cannot show the field, so
the notebook's own input line asks there instead; a notebook that runs without a person is told what to do.
"""

import contextlib
import secrets
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager
from typing import Any, Final

import traitlets
from IPython.core.getipython import get_ipython

from subnetlab.errors import KeyLocked
from subnetlab.network.keyring import LockedKey, Typed
from subnetlab.network.stages import current_spend
from subnetlab.text import NAME, capitalised, plain
from subnetlab_widgets.bundle import BundledWidget
from subnetlab_widgets.heartbeat import HEARTBEAT
from subnetlab_widgets.saved import show_widget

ANSWER_WITHIN_S: Final = 240.0
"""How long a person may take; shorter than the wait for a block, so that this ends first."""
HEARD_WITHIN_S: Final = 10.0
"""How long a page may take to say hello before the notebook's input line asks instead."""
_LONGEST: Final = 1024


class Passwords:
    """The password that one widget asks for; an `AskPassword`.

    Args:
        changed: called from any thread when `asks` has changed.
        within_s: how long a person may take.
    """

    def __init__(self, changed: Callable[[], None], *, within_s: float = ANSWER_WITHIN_S) -> None:
        self.asks: dict[str, Any] | None = None
        """What the page shows: id, key, spend, and what was wrong; None while nothing is asked."""
        self._changed, self._within_s = changed, within_s
        self._typed: Future[str] = Future()

    @contextmanager
    def asking(self, locked: LockedKey[Any]) -> Generator[Callable[[str], str]]:
        """See `AskPassword`; the page asks no more when the block ends, however it ends."""
        spend = current_spend()
        told: dict[str, Any] = {"id": "", "key": locked.name, "note": "", "busy": False, "spend": None}
        if spend is not None:
            network = plain(spend.network, NAME)
            told["spend"] = {"what": str(spend), "real": spend.real, "network": network}

        def ask(note: str) -> str:
            self._typed = Future()
            self._show({**told, "id": secrets.token_hex(8), "note": note})
            try:
                typed = self._typed.result(self._within_s)
            except TimeoutError:
                minutes = f"{self._within_s / 60:g} minutes"
                raise KeyLocked(
                    f"{capitalised(locked.name)} stays locked: no password was typed in {minutes}."
                ) from None
            self._typed = Future()  # or it would keep what was typed
            self._show({**told, "busy": True})
            return typed

        try:
            yield ask
        finally:
            self._show(None)

    def hear(self, content: dict[str, Any]) -> bool:
        """Whether a page speaks of a password; what is late, repeated or malformed is dropped."""
        if content.get("k") != "password":
            return False
        text = content.pop("text", None)  # the kernel keeps the last message of a page
        asks = self.asks
        if asks and asks["id"] and asks["id"] == content.get("id") and isinstance(text, str):
            self._end(text[:_LONGEST])
        return True

    def cancel(self) -> None:
        """Answer for the person, who would rather not."""
        self._end("")

    def _end(self, typed: str) -> None:
        with contextlib.suppress(InvalidStateError):  # two clicks, or two pages
            self._typed.set_result(typed)

    def _show(self, asks: dict[str, Any] | None) -> None:
        self.asks = asks
        self._changed()


class PasswordField(BundledWidget):
    """The field by itself, below the cell whose key is locked."""

    part = traitlets.Unicode("password").tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self) -> None:
        """Show nothing yet; `passwords.asking` does."""
        self.heard = threading.Event()
        self.passwords = Passwords(self._show)
        super().__init__("form", state={"asks": None})
        self.on_msg(self._receive)

    def close(self) -> None:
        """Take the field off the page; what is typed there from now on is heard by nothing."""
        HEARTBEAT.leave(id(self))
        self.passwords.cancel()
        super().close()

    def _show(self) -> None:
        self.state = {"asks": self.passwords.asks}

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and not self.passwords.hear(content) and content.get("k") == "hello":
            self.heard.set()
            HEARTBEAT.join(id(self), self._beat)
            self._beat()

    def _beat(self) -> None:
        if self.comm is not None:
            self.send({"k": "beat"})


class InPage:
    """Ask in the page below the cell that waits; where no page shows it, in the notebook's input line."""

    def __init__(self, *, heard_within_s: float = HEARD_WITHIN_S) -> None:
        self._heard_within_s = heard_within_s
        self._shows = True

    @contextmanager
    def asking(self, locked: LockedKey[Any]) -> Generator[Callable[[str], str]]:
        """See `AskPassword`."""
        if not self._shows or not _in_a_cell():
            with Typed().asking(locked) as ask:
                yield ask
            return
        field, place = PasswordField(), None
        try:
            with field.passwords.asking(locked) as ask:
                shown: list[bool] = []

                def asked(note: str) -> str:
                    nonlocal place
                    if not shown:
                        place = show_widget(field)
                        shown.append(field.heard.wait(self._heard_within_s))
                        self._shows = shown[0]
                    if shown[0]:
                        return ask(note)
                    field.close()
                    with Typed().asking(locked) as typed:
                        return typed(note)

                yield asked
        finally:
            field.close()
            if place is not None:  # a saved notebook would show a widget that it does not find
                place.update({"text/plain": "", "text/html": ""}, raw=True)


IN_PAGE = InPage()
"""One kernel, one way of asking; it remembers where no page shows a field."""


def _in_a_cell() -> bool:
    """Whether a cell of a notebook waits in this thread, with a person before it."""
    kernel: Any = getattr(get_ipython(), "kernel", None)
    if kernel is None or threading.current_thread() is not threading.main_thread():
        return False
    return bool(getattr(kernel, "_allow_stdin", False))
