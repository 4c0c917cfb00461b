"""The steps of an epoch as a widget: shows one evaluation, and takes a weight that a reader moves.

What a page may say is three things: hello, move (one weight) and back (all weights as they were). Anything
else, and anything malformed, is dropped. Nothing is written to the chain.
"""

import math
from collections import deque
from typing import Any, Final

import traitlets

from subnetlab.errors import SubnetLabError
from subnetlab.report.evaluation import Evaluation
from subnetlab.text import plain_lines
from subnetlab_widgets.bundle import BundledWidget
from subnetlab_widgets.heartbeat import HEARTBEAT
from subnetlab_widgets.saved import Picture, Pictures
from subnetlab_widgets.yuma_view.state import state_of

MOST: Final = 8
"""Open at once; the oldest is closed first, so that a long session does not collect widgets."""
_OPEN: "deque[YumaSteps]" = deque()


def yuma_steps(found: Evaluation) -> "YumaSteps":
    """The steps of an evaluation, to go through and to try; the last line of a cell shows them.

    Example:
        >>> yuma_steps(subnet.yuma())  # doctest: +SKIP
    """
    made = YumaSteps(found)
    _OPEN.append(made)
    while len(_OPEN) > MOST:
        _OPEN.popleft().close()
    return made


class YumaSteps(BundledWidget):
    """One evaluation, and what becomes of it when weights are moved; every open page shows the same."""

    part = traitlets.Unicode("yuma").tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, found: Evaluation) -> None:
        """Show `found`; `now` is that evaluation with the weights a reader has moved."""
        self.first = self.now = found
        self._pictures = Pictures(Picture(self._drawn, self._said))
        super().__init__("views", state=state_of(found, found))
        self.on_msg(self._receive)

    def close(self) -> None:
        """Take the steps off the page."""
        HEARTBEAT.leave(id(self))
        super().close()

    def move(self, validator: int, miner: int, weight: float) -> None:
        """Move one weight and evaluate again.

        Raises:
            UnknownUid: no such validator or miner here.
            ArgumentInvalid: the weight is no share of one.
        """
        self._show(self.now.changed(validator, miner, weight))

    def back(self) -> None:
        """Every weight as it was read from the chain."""
        self._show(self.first)

    def _show(self, found: Evaluation) -> None:
        self.now = found
        self.state = state_of(found, self.first)
        self._pictures.update()

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict):
            return
        kind = content.get("k")
        if kind == "hello":
            HEARTBEAT.join(id(self), self._beat)
            self._beat()  # the answer: until it comes, the page says hello again
        elif kind == "back":
            self.back()
        elif kind == "move":
            self._moved(content.get("validator"), content.get("miner"), content.get("weight"))

    def _moved(self, validator: Any, miner: Any, weight: Any) -> None:
        if type(validator) is not int or type(miner) is not int or type(weight) not in (int, float):
            return
        if not math.isfinite(weight):
            return
        try:
            self.move(validator, miner, weight)
        except SubnetLabError:
            return  # a page that asks for what is not there gets nothing

    def _drawn(self) -> str:
        return self.now.page()

    def _said(self) -> str:
        return str(self.now)

    def _beat(self) -> None:
        if self.comm is not None:
            self.send({"k": "beat"})

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data:
            data["text/plain"] = plain_lines(f"Steps of Yuma on {self.now.where}")
        return bundle

    def _ipython_display_(self) -> None:
        HEARTBEAT.join(id(self), self._beat)  # a page's hello may wait for the next cell to end
        self._pictures.show(self._repr_mimebundle_())
