"""A spend that happens at most once, however often and from however many tabs it is clicked.

editing → previewed → sending → finalised | failed | unknown. Every preview has a token of its own; only
the click that carries the newest token, in the state `previewed`, sends, and it leaves that state under a
lock before anything goes out. `unknown` (the connection broke while sending) is its own end, never shown as
failed.
"""

import threading
from collections.abc import Callable
from typing import Any, Literal

from subnetlab.errors import NodeUnreachable, SecretRefused, SubnetLabError
from subnetlab.network.confirm import Spend
from subnetlab.network.receipt import Receipt
from subnetlab_widgets.money.preview import Preview, refused

Step = Literal["editing", "previewed", "sending", "finalised", "failed", "unknown"]
UNKNOWN = (
    "The connection broke while sending, so it may or may not have happened. "
    "Look at the balance before you try again."
)


class Clicked:
    """The answer of a person who clicked: yes while a confirmed spend is being sent, no at any other time."""

    interactive = True

    def __init__(self) -> None:
        """Nobody has clicked."""
        self._open = threading.local()

    def ask(self, spend: Spend) -> bool:  # noqa: ARG002 - the person saw it in the form
        """Whether this thread is carrying out a click."""
        return bool(getattr(self._open, "yes", False))

    def carry_out(self, send: Callable[[], Receipt]) -> Receipt:
        """Run one spend with the click as its yes."""
        self._open.yes = True
        try:
            return send()
        finally:
            self._open.yes = False


class OneSpend:
    """The state of one form; `changed` is called after every step, from whichever thread took it."""

    def __init__(
        self,
        *,
        preview: Callable[[dict[str, str]], Preview],
        send: Callable[[dict[str, str]], Receipt],
        clicked: Clicked,
        changed: Callable[[dict[str, Any]], None],
    ) -> None:
        """Begin with nothing previewed.

        Args:
            preview: what these fields would do.
            send: carries them out; called at most once per confirmed preview.
            clicked: the purse's confirmation.
            changed: told the new state, as JSON types.
        """
        self._preview, self._send, self._clicked, self._changed = preview, send, clicked, changed
        self._lock = threading.Lock()
        self.step: Step = "editing"
        self.token = 0
        self._fields: dict[str, str] = {}
        self._shown: Preview | None = None
        self._note = ""
        self._receipt: Receipt | None = None

    def look(self, fields: dict[str, str]) -> None:
        """Preview other fields, unless a spend is on its way or done."""
        with self._lock:
            if self._settled():
                return
            self.token += 1
            token = self.token
        try:
            shown, kept = self._preview(fields), fields
        except SecretRefused as error:
            shown, kept = refused(error), {}  # what was pasted is forgotten at once
        except SubnetLabError as error:
            shown, kept = refused(error), fields
        with self._lock:
            if token != self.token or self._settled():
                return
            self._fields, self._shown, self._note = kept, shown, shown.note
            self.step = "previewed" if shown.can else "editing"
        self._tell()

    def confirm(self, token: int) -> threading.Thread | None:
        """Send what was previewed under this token; None where the click comes too late or twice."""
        with self._lock:
            if self.step != "previewed" or token != self.token:
                return None
            self.step, self._note = "sending", "Sent once; a second click does nothing"
            fields = dict(self._fields)
        self._tell()
        thread = threading.Thread(target=self._carry_out, args=(fields,), name="subnetlab-spend")
        thread.start()
        return thread

    def _carry_out(self, fields: dict[str, str]) -> None:
        try:
            receipt = self._clicked.carry_out(lambda: self._send(fields))
        except NodeUnreachable:
            self._end("unknown", UNKNOWN, None)
        except SubnetLabError as error:
            self._end("failed", str(error), None)
        else:
            self._end("finalised", receipt.summary, receipt)

    def _end(self, step: Step, note: str, receipt: Receipt | None) -> None:
        with self._lock:
            self.step, self._note, self._receipt = step, note, receipt
        self._tell()

    def state(self) -> dict[str, Any]:
        """Everything the page shows."""
        receipt = self._receipt
        return {
            "step": self.step,
            "token": self.token,
            "note": self._note,
            "preview": self._shown.as_json() if self._shown else None,
            "receipt": {"tx": receipt.tx, "block": receipt.block} if receipt else None,
        }

    def _settled(self) -> bool:
        """Whether the money is on its way or gone: nothing typed changes that."""
        return self.step in ("sending", "finalised")

    def _tell(self) -> None:
        self._changed(self.state())
