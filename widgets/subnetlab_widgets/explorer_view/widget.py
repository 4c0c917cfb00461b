"""The explorer as a widget: tells of new blocks, and answers what its pages ask.

A page may say hello and ack, and ask three things: open (a block by its number), find (what was typed) and
older (blocks before one). Anything else, and anything malformed, is dropped. An answer names the page and the
turn that it belongs to.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from subnetlab.errors import SubnetLabError
from subnetlab.lab.explorer import Explorer
from subnetlab.network.explorer.block import ChainBlock
from subnetlab.network.explorer.find import LONGEST, MOST_NUMBER
from subnetlab.network.explorer.follow import BlockFollowing
from subnetlab.text import NAME, plain
from subnetlab_widgets.explorer_view.asks import Asks
from subnetlab_widgets.explorer_view.state import account_state, block_state, row_of
from subnetlab_widgets.live import LiveWidget
from subnetlab_widgets.saved import Picture

KEPT: Final = 240
"""Blocks in the list."""
OLDER: Final = 24
"""Blocks that one press on "earlier blocks" brings."""
_LONGEST_ID: Final = 40


class ExplorerView(LiveWidget):
    """Blocks of one network, live; `see` and `state` take what `BlockFollowing` tells."""

    def __init__(
        self,
        header: dict[str, Any],
        explorer: Explorer,
        *,
        picture: Picture | None = None,
        follow: "Callable[[ExplorerView], BlockFollowing] | None" = None,
    ) -> None:
        """Prepare an empty list.

        Args:
            header: `network` and `real`, which never change.
            explorer: answers what pages ask.
            picture: what a saved notebook keeps of it; nothing where there is none.
            follow: begins to follow the chain.
        """
        self._explorer = explorer
        self._rows: dict[int, list[Any]] = {}
        self._new: dict[int, list[Any]] = {}
        self._fresh = True
        self._asks = Asks(self._answer)
        super().__init__(
            "explorer",
            header,
            picture=picture or Picture(str, lambda: repr(explorer)),
            follow=None if follow is None else lambda: follow(self),
        )

    def see(self, blocks: Sequence[ChainBlock], *, fresh: bool) -> None:
        """Take newer blocks, newest first; or other blocks than before, where the chain was turned back."""
        with self._lock:
            if fresh:
                self._rows.clear()
                self._fresh = True
            self._take(blocks)
            for number in sorted(self._rows)[:-KEPT]:
                del self._rows[number]
        self._flush()

    def _take(self, blocks: Sequence[ChainBlock]) -> None:
        rows = {block.number: row_of(block) for block in blocks}
        self._rows |= rows
        self._new |= rows

    def _news(self) -> dict[str, Any] | None:
        rows = self._rows if self._fresh else self._new
        if not rows:
            return None
        news = {"k": "blocks", "fresh": self._fresh, "rows": [rows[number] for number in sorted(rows)]}
        self._new, self._fresh = {}, False
        return news

    def _forget(self) -> None:
        self._fresh = True

    def _name(self) -> str:
        return f"Live blocks of {plain(str(self.header['network']), NAME)}"

    # -- what pages ask ----------------------------------------------------------------------------

    def _asked(self, content: dict[str, Any]) -> None:
        page, turn = content.get("page"), content.get("turn")
        if type(page) is not str or not 0 < len(page) <= _LONGEST_ID or type(turn) is not int:
            return
        kind, number, text = content.get("k"), content.get("number"), content.get("text")
        to = {"page": page, "turn": turn}
        if kind in ("open", "older"):
            if type(number) is int and 0 <= number <= MOST_NUMBER:
                self._asks.put(page, {"k": kind, "number": number, "to": to})
        elif kind == "find" and type(text) is str and text.strip():
            self._asks.put(page, {"k": kind, "text": text[: LONGEST + 1], "to": to})

    def _answer(self, question: dict[str, Any]) -> None:
        """Answer a question; what the network or the chain refuses is a sentence on the page."""
        try:
            answer = self._found(question)
        except SubnetLabError as error:
            answer = {"k": "none", "sentence": plain(str(error))}
        with self._lock:
            self._transmit({**answer, **question["to"]})

    def _found(self, question: dict[str, Any]) -> dict[str, Any]:
        if question["k"] == "open":
            return {"k": "block", "block": block_state(self._explorer.block(question["number"]))}
        if question["k"] == "older":
            before = question["number"]
            blocks = self._explorer.between(max(0, before - OLDER), before - 1)
            with self._lock:
                self._take(blocks)
            self._flush()
            return {"k": "older"}
        found = self._explorer.find(question["text"])
        if found.account is not None:
            return {"k": "account", "account": account_state(found.account)}
        assert found.block is not None
        block = self._explorer.block(found.block.number)
        return {"k": "block", "block": block_state(block), "index": found.index}
