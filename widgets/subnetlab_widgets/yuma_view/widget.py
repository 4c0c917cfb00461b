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
from subnetlab_widgets.saved import Picture, SavedWidget
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


class YumaSteps(SavedWidget):
    """One evaluation, and what becomes of it when weights are moved; every open page shows the same."""

    part = traitlets.Unicode("yuma").tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, found: Evaluation) -> None:
        """Show `found`; `now` is that evaluation with the weights a reader has moved."""
        self.first = self.now = found
        super().__init__("views", Picture(self._drawn, self._said), state=state_of(found, found))

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
        super()._receive(_widget, content, _buffers)
        kind = content.get("k") if isinstance(content, dict) else None
        if kind == "back":
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

    def _name(self) -> str:
        return f"Steps of Yuma on {self.now.where}"
