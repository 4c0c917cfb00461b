"""The form as a widget: shows one spend's state and passes a page's messages on to it.

What a page may say is four things: hello, look (while typing), confirm (the click), and the password of the
key that is to sign. Anything else, and anything malformed, is dropped.
"""

from collections.abc import Callable
from typing import Any

import traitlets

from subnetlab.network.receipt import Receipt
from subnetlab_widgets.heartbeat import HEARTBEAT
from subnetlab_widgets.money.fields import filled
from subnetlab_widgets.money.latest import Latest
from subnetlab_widgets.money.plain import plain_html, words
from subnetlab_widgets.money.preview import Preview
from subnetlab_widgets.money.spend import Clicked, Fields, OneSpend
from subnetlab_widgets.password import Passwords
from subnetlab_widgets.saved import Picture, SavedWidget


class SpendForm(SavedWidget):
    """One spend, previewed while typing, sent by one click, folded into a line when final.

    The state lives in the kernel, so every tab shows the same form and a reload loses nothing. What is typed
    travels as a message; the notebook keeps only what a preview has understood. Made by `stake_form`,
    `pay_form` and their like.
    """

    part = traitlets.Unicode("form").tag(sync=True)
    setup = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        setup: dict[str, Any],
        *,
        preview: Callable[[Fields], Preview],
        send: Callable[[Fields], Receipt],
        clicked: Clicked,
        ended: Callable[[], None],
    ) -> None:
        """Wire the page's messages to one spend; `ended` is called when it is over, whichever way."""
        self._ended = ended
        super().__init__("form", Picture(self._drawn, self._said), setup=setup)
        self.passwords = Passwords(self._asks)
        self.spend = OneSpend(
            preview=preview, send=send, clicked=clicked, changed=self._show, passwords=self.passwords
        )
        # A quote asks the chain; the shell's own thread stays free for the person's next cell.
        self._looks: Latest[Fields] = Latest(self.spend.look, name="subnetlab-preview")
        self._show(self.spend.state())
        self._first = {field["name"]: field["value"] for field in setup["fields"]}
        if self._first.get("amount"):
            self._looks.put(dict(self._first))

    def close(self) -> None:
        """Take the form off the page; what is on its way still arrives."""
        self.passwords.cancel()
        super().close()

    def look_again(self) -> None:
        """Bring a preview up to date after somebody else has spent."""
        state: dict[str, Any] = dict(self.state)
        if self.spend.step == "previewed":
            self._looks.put({**self._first, **state["preview"]["typed"]})

    def _asks(self) -> None:
        self.state = {**dict(self.state), "asks": self.passwords.asks}

    def _show(self, state: dict[str, Any]) -> None:
        self.state = {**state, "asks": self.passwords.asks}
        if state["step"] in ("sending", "finalised", "failed", "unknown"):
            self._pictures.update()
        if state["step"] in ("finalised", "unknown"):
            HEARTBEAT.leave(id(self))
        if state["step"] in ("finalised", "failed", "unknown"):
            self._ended()

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        super()._receive(_widget, content, _buffers)
        if not isinstance(content, dict):
            return
        kind, token = content.get("k"), content.get("token")
        if kind == "look":
            fields = filled(self._first, content.get("fields"))
            if fields is not None:
                self._looks.put(fields)
        elif kind == "confirm" and type(token) is int:
            self.spend.confirm(token)
        else:
            self.passwords.hear(content)

    def _join(self) -> None:
        if self.spend.step not in ("finalised", "unknown"):
            super()._join()

    def _drawn(self) -> str:
        return plain_html(dict(self.setup), dict(self.state))

    def _said(self) -> str:
        return words(dict(self.setup), dict(self.state))
