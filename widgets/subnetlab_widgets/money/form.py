"""The form as a widget: shows one spend's state and passes a page's messages on to it.

What a page may say is three things: hello, look (while typing) and confirm (the click). Anything else, and
anything malformed, is dropped.
"""

from collections.abc import Callable
from typing import Any

import traitlets

from subnetlab.network.receipt import Receipt
from subnetlab.text import plain_lines
from subnetlab_widgets.bundle import BundledWidget
from subnetlab_widgets.heartbeat import HEARTBEAT
from subnetlab_widgets.money.latest import Latest
from subnetlab_widgets.money.plain import plain_html, words
from subnetlab_widgets.money.preview import Preview
from subnetlab_widgets.money.spend import Clicked, Fields, OneSpend
from subnetlab_widgets.saved import Picture, Pictures

_LONGEST_FIELD = 2000
"""Characters; a whole keyfile fits, so that one that was pasted is still recognised and refused."""


class SpendForm(BundledWidget):
    """One stake or payment, previewed while typing, sent by one click, folded into a line when final.

    The state lives in the kernel, so every tab shows the same form and a reload loses nothing. What is typed
    travels as a message; the notebook keeps only what a preview has understood. Made by `stake_form` and
    `pay_form`.
    """

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
        self._pictures = Pictures(Picture(self._drawn, self._said))
        self._ended = ended
        super().__init__("form", setup=setup)
        self.spend = OneSpend(preview=preview, send=send, clicked=clicked, changed=self._show)
        # A quote asks the chain; the shell's own thread stays free for the person's next cell.
        self._looks: Latest[Fields] = Latest(self.spend.look, name="subnetlab-preview")
        self._show(self.spend.state())
        self.on_msg(self._receive)
        if setup["amount"]:
            self._looks.put({"amount": setup["amount"], "target": setup["target"]})

    def close(self) -> None:
        """Take the form off the page; what is on its way still arrives."""
        HEARTBEAT.leave(id(self))
        super().close()

    def look_again(self) -> None:
        """Bring a preview up to date after somebody else has spent."""
        if self.spend.step == "previewed":
            self._looks.put(
                {"amount": self.state["preview"]["amount"], "target": self.state["preview"]["target"]}
            )

    def _show(self, state: dict[str, Any]) -> None:
        self.state = state
        if state["step"] in ("sending", "finalised", "failed", "unknown"):
            self._pictures.update()
        if state["step"] in ("finalised", "unknown"):
            HEARTBEAT.leave(id(self))
        if state["step"] in ("finalised", "failed", "unknown"):
            self._ended()

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict):
            return
        kind, token = content.get("k"), content.get("token")
        if kind == "hello":
            self._beat_until_over()
            self._beat()  # the answer: until it comes, the page says hello again
        elif kind == "look":
            fields = {name: content.get(name) for name in ("amount", "target")}
            if all(isinstance(value, str) and len(value) <= _LONGEST_FIELD for value in fields.values()):
                self._looks.put({name: str(value) for name, value in fields.items()})
        elif kind == "confirm" and type(token) is int:
            self.spend.confirm(token)

    def _beat_until_over(self) -> None:
        if self.spend.step not in ("finalised", "unknown"):
            HEARTBEAT.join(id(self), self._beat)

    def _beat(self) -> None:
        if self.comm is not None:
            self.send({"k": "beat"})

    def _drawn(self) -> str:
        return plain_html(dict(self.setup), dict(self.state))

    def _said(self) -> str:
        return words(dict(self.setup), dict(self.state))

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data:
            data["text/plain"] = plain_lines(self._said())
        return bundle

    def _ipython_display_(self) -> None:
        self._beat_until_over()  # a page's hello may wait for the next cell to end; the beat does not
        self._pictures.show(self._repr_mimebundle_())
