"""The explorer of a network as a notebook holds it: blocks, and what a number, a hash or an address names.

As the last line of a cell `net.explorer()` is a live page; its methods give the same as objects and frames.
It reads, and nothing else.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from subnetlab.lab import arguments
from subnetlab.lab.payments import network_client
from subnetlab.network.explorer.block import ChainBlock
from subnetlab.network.explorer.ethereum import with_receipts
from subnetlab.network.explorer.find import MOST_NUMBER, Found, find, wanted
from subnetlab.network.explorer.read import BlockReader
from subnetlab.network.wire_client import WireClient
from subnetlab.report import html
from subnetlab.report.format import counted
from subnetlab.text import NAME, plain
from subnetlab.waiting import waiting

if TYPE_CHECKING:
    import polars as pl

    from subnetlab.lab.session import Net

MOST_BLOCKS: Final = 1000
_ON_PAGE: Final = 10


class Explorer:
    """Blocks, extrinsics and events of one network; made by `net.explorer()`."""

    def __init__(self, net: "Net") -> None:
        self.net = net
        self._reader = BlockReader(network_client(net).client)

    def block(self, number: int | None = None) -> ChainBlock:
        """A block with its extrinsics, their outcomes and events; the newest unless a number is given.

        Raises:
            NotOnChain: the chain has not come so far.
            NodeUnreachable: the node does not answer.
        """
        chosen = None if number is None else arguments.count("number", number, least=0, most=MOST_NUMBER)
        return self._client.run(self._whole(chosen))

    def blocks(self, last: int = _ON_PAGE) -> list[ChainBlock]:
        """The newest blocks, newest first; errors as `block`."""
        last = arguments.count("last", last, least=1, most=MOST_BLOCKS)
        with waiting("the blocks to be read"):
            return self._client.run(self._newest(last))

    def between(self, first: int, last: int) -> list[ChainBlock]:
        """The blocks from one number to another, both included, newest first; errors as `block`."""
        first = arguments.count("first", first, least=0, most=MOST_NUMBER)
        last = arguments.count("last", last, least=first - 1, most=first + MOST_BLOCKS - 1)
        with waiting("the blocks to be read"):
            return self._client.run(self._reader.several(range(last, first - 1, -1)))

    def find(self, text: str) -> Found:
        """What a block's number, a hash or an address names.

        Hashes of extrinsics, and what an account did, are looked for in the newest hundred blocks.

        Raises:
            ArgumentInvalid: it is none of these.
            NotOnChain: the chain has no such thing, or it is older than that.
            NodeUnreachable: the node does not answer.
        """
        asked = wanted(arguments.a_word("text", text, '"1024", "0x…" or "5…"'))
        with waiting("the chain to be looked through"):
            return self._client.run(find(self._reader, asked))

    def frame(self, last: int = 50) -> "pl.DataFrame":
        """The extrinsics of the newest blocks as a frame, newest first; errors as `block`.

        `fee_rao` and `ok` are null where they are not known.
        """
        import polars as pl  # noqa: PLC0415  (loaded by who wants a frame)

        rows = [
            (block.number, each.index, each.hash, each.call, each.signer, each.fee_rao, each.ok, each.error)
            for block in self.blocks(last)
            for each in block.extrinsics
        ]
        schema = {
            "block": pl.Int64(), "index": pl.Int64(), "hash": pl.String(), "call": pl.String(),
            "signer": pl.String(), "fee_rao": pl.Int64(), "ok": pl.Boolean(), "error": pl.String(),
        }  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")

    def __repr__(self) -> str:
        name = plain(self.net.name, NAME)
        if self.net.closed:
            return f"explorer of {name}: closed."
        return f"explorer of {name} at block {self.net.block:,}: block(n), blocks(), find(text), frame()"

    def page(self) -> str:
        """The newest blocks as an HTML table."""
        return html.block(
            html.paragraph(f"Blocks of {plain(self.net.name, NAME)}", bold=True), blocks_table(self.blocks())
        )

    def _repr_html_(self) -> str | None:
        return None if self.net.closed else self.page()  # a closed network is shown as text

    @property
    def _client(self) -> WireClient:
        return self._reader.client

    async def _whole(self, number: int | None) -> ChainBlock:
        reader = self._reader
        if number is None:
            number, _ = await reader.head()
        return await with_receipts(reader.client, await reader.numbered(number))

    async def _newest(self, last: int) -> list[ChainBlock]:
        head, _ = await self._reader.head()
        return await self._reader.several(range(head, max(0, head - last + 1) - 1, -1))


def blocks_table(blocks: Sequence[ChainBlock]) -> str:
    """Blocks as an HTML table: when, what was sent, how much failed."""
    rows = [
        (
            f"{block.number:,}",
            clock(block.time_s),
            block.summary() or "–",
            counted(len(block.sent), "extrinsic") + (f", {block.failed} failed" if block.failed else ""),
            str(block.event_count),
        )
        for block in blocks
    ]
    return html.table(("block", "UTC", "sent", "", "events"), rows, words=3)


def clock(time_s: float | None) -> str:
    """A block's time of day, UTC."""
    return "–" if time_s is None else datetime.fromtimestamp(time_s, UTC).strftime("%H:%M:%S")
