"""`net.explorer()`: objects, frames, words, and refusals of what is no block."""

from html import unescape

import pytest

from subnetlab.errors import ArgumentInvalid, NodeUnreachable, NotOnChain
from subnetlab.lab.session import connect


def test_blocks_are_objects_a_frame_words_and_a_table() -> None:
    with connect(sealing="instant") as net:
        net.pay(amount_tao=1, to="bob", wallet="alice")
        explorer = net.explorer()
        newest = explorer.block()
        assert newest == explorer.blocks(1)[0] == explorer.block(net.block)
        assert explorer.between(1, 0) == []
        assert [block.number for block in explorer.between(0, 1)] == [1, 0]
        frame = explorer.frame(last=1)
        assert frame["call"].to_list() == ["Timestamp.set", "Balances.transfer_keep_alive"]
        assert frame["fee_rao"].to_list() == [None, newest.sent[0].fee_rao]
        assert explorer.find(newest.hash).block == newest
        page = unescape(explorer._repr_html_() or "")
        assert "transfer_keep_alive" in page
        assert "<script" not in page
        assert repr(explorer).startswith(f"explorer of devnet at block {net.block}")
        with pytest.raises(NotOnChain, match="There is no block"):
            explorer.block(10**6)
        for wrong in (-1, 1.5, "2", True, 2**32):
            with pytest.raises(ArgumentInvalid):
                explorer.block(wrong)  # pyright: ignore[reportArgumentType]
        for wrong in (0, 10**9, None):
            with pytest.raises(ArgumentInvalid):
                explorer.blocks(wrong)  # pyright: ignore[reportArgumentType]
        for wrong in (7, None, b"0x", "x"):
            with pytest.raises(ArgumentInvalid):
                explorer.find(wrong)  # pyright: ignore[reportArgumentType]
    assert repr(explorer) == "explorer of devnet: closed."
    assert explorer._repr_html_() is None
    with pytest.raises(NodeUnreachable):
        explorer.block()
