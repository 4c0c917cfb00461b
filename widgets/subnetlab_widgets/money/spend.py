"""A spend that happens at most once, however often and from however many tabs it is clicked.

editing → previewed → sending (signed, in a block) → finalised | failed | unknown. Every preview has a token
of its own; only the click that carries the newest token, in the state `previewed`, sends, and it leaves that
state under a lock before anything goes out. `unknown` (the connection broke while sending) is an end of its
own: it is never shown as failed, and this form sends nothing more after it.
"""

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Literal

from subnetlab.errors import NodeUnreachable, SecretRefused, SubnetLabError
from subnetlab.network.confirm import Spend
from subnetlab.network.keyring import AskPassword, asked_of
from subnetlab.network.receipt import Receipt
from subnetlab.network.secrets import refuse_secret
from subnetlab.network.stages import Stage, listening
from subnetlab_widgets.money.preview import Preview, refused

Step = Literal["editing", "previewed", "sending", "finalised", "failed", "unknown"]
Fields = dict[str, str]
SENT = "Sent once; a second click does nothing"
UNKNOWN = (
    "The connection broke while sending, so it may or may not have happened. "
    "Look at the balance (%sl wallet) before you open another form."
)


class Clicked:
    """The answer of a person who clicked: yes while a confirmed spend is being sent, no at any other time."""

    interactive = True

    def __init__(self) -> None:
        """No click yet."""
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
        preview: Callable[[Fields], Preview],
        send: Callable[[Fields], Receipt],
        clicked: Clicked,
        changed: Callable[[dict[str, Any]], None],
        passwords: AskPassword | None = None,
    ) -> None:
        """Begin with nothing previewed.

        Args:
            preview: what these fields would do.
            send: carries them out; called at most once per confirmed preview.
            clicked: the purse's confirmation.
            changed: told the new state, as JSON types.
            passwords: asked for the password of a key that is locked; the usual one where it is None.
        """
        self._preview, self._send, self._clicked, self._changed = preview, send, clicked, changed
        self._passwords = passwords
        self._lock = threading.Lock()
        self._telling = threading.RLock()
        self.step: Step = "editing"
        self.stage: Stage | None = None
        self.token = 0
        self._fields: Fields = {}
        self._shown: Preview | None = None
        self._note = ""
        self._receipt: Receipt | None = None
        self._forget = False
        self._clicked_at = self._took_s = 0.0

    def look(self, fields: Fields) -> None:
        """Preview other fields, unless a spend is on its way or over."""
        with self._lock:
            if self.settled:
                return
            self.token += 1
            token = self.token
        secret = False
        try:
            for typed in fields.values():  # before anything else is said about the other field
                refuse_secret(typed, "an amount or an address")
            shown = self._preview(fields)
            kept = {**fields, **shown.terms}
        except SecretRefused as error:
            shown, kept, secret = refused(error), {}, True  # what was pasted is forgotten at once
        except SubnetLabError as error:
            shown, kept = refused(error), {}
        with self._lock:
            if token != self.token or self.settled:
                return
            self._fields, self._shown, self._note, self._forget = kept, shown, shown.note, secret
            self.step, self.stage = ("previewed" if shown.can else "editing"), None
        self._tell()

    def look_again(self) -> None:
        """Preview the same fields anew, because somebody else has spent in between."""
        if self.step == "previewed":
            self.look(dict(self._fields))

    def confirm(self, token: int) -> threading.Thread | None:
        """Send what was previewed under this token; None where the click comes too late or twice."""
        with self._lock:
            if self.step != "previewed" or token != self.token:
                return None
            self.step, self._note = "sending", SENT
            self._clicked_at = time.monotonic()
            fields = dict(self._fields)
        self._tell()
        thread = threading.Thread(target=self._carry_out, args=(fields,), name="subnetlab-spend", daemon=True)
        thread.start()
        return thread

    def _carry_out(self, fields: Fields) -> None:
        # Whatever else may go wrong on the way, what was sent is not known to have failed.
        step: Step = "unknown"
        note, receipt = UNKNOWN, None
        try:
            asking = nullcontext() if self._passwords is None else asked_of(self._passwords)
            with listening(self._reach), asking:
                receipt = self._clicked.carry_out(lambda: self._send(fields))
            step, note = "finalised", receipt.summary
        except NodeUnreachable:
            pass
        except SubnetLabError as error:
            step, note = "failed", str(error)
        finally:
            with self._lock:
                self.step, self._note, self._receipt = step, note, receipt
                self._took_s = time.monotonic() - self._clicked_at
            self._tell()

    def _reach(self, stage: Stage) -> None:
        with self._lock:
            if self.step == "sending":
                self.stage = stage
        self._tell()

    def state(self) -> dict[str, Any]:
        """Everything the page shows; nothing of what was typed but what a preview has understood."""
        receipt = self._receipt
        return {
            "step": self.step,
            "stage": self.stage,
            "token": self.token,
            "note": self._note,
            "forget": self._forget,
            "preview": self._shown.as_json() if self._shown else None,
            "receipt": {"tx": receipt.tx, "block": receipt.block, "took_s": self._took_s}
            if receipt
            else None,
        }

    @property
    def settled(self) -> bool:
        """Whether the money is on its way, gone, or perhaps gone: nothing typed changes that."""
        return self.step in ("sending", "finalised", "unknown")

    def _tell(self) -> None:
        # Two threads may take two steps at once; the last to tell tells the newest.
        with self._telling:
            self._changed(self.state())
