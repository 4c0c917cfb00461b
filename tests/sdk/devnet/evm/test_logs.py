"""Logs by filter: what is meant, what a block rules out, and where a query ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sdk.devnet.evm.conftest import Wallet
from tests.sdk.devnet.evm.contracts import ask, box

from subnetlab.devnet.evm.engine import Log
from subnetlab.devnet.node.ethereum_history import MOST_HELD, History
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.rpc.ethereum import logs
from subnetlab.devnet.rpc.ethereum.logs import LogFilter, found
from subnetlab.devnet.rpc.method import RpcError

addresses = st.integers(0, 3).map(lambda n: bytes([n]) * 20)
topics = st.integers(0, 3).map(lambda n: bytes([n]) * 32)
ANY = LogFilter()


@given(
    st.builds(Log, addresses, st.lists(topics, max_size=4).map(tuple), st.just(b"")),
    st.frozensets(addresses, max_size=2),
    st.lists(st.frozensets(topics, max_size=2), max_size=4).map(tuple),
)
def test_what_logs_name_never_rules_out_what_is_meant(
    log: Log, wanted: frozenset[bytes], listed: tuple[frozenset[bytes], ...]
) -> None:
    one = LogFilter(addresses=wanted, topics=listed)
    meant = (not wanted or log.address in wanted) and len(log.topics) >= len(listed)
    meant = meant and all(not choices or log.topics[at] in choices for at, choices in enumerate(listed))
    assert one.matches(log) == meant
    assert not meant or one.may_match(frozenset((log.address, *log.topics)))


async def test_a_query_for_too_much_is_refused(
    node: Node, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract, history = wallet.create(box().code), History(node)
    for amount in range(1, 4):
        wallet.call(contract, ask("put(uint256)", amount))
    placed = await found(history, ANY, 0, history.head)
    assert [int.from_bytes(one.log.data, "big") for one in placed] == [1, 2, 3]
    assert [one.block.number for one in await found(history, ANY, 5, 5)] == [5]
    monkeypatch.setattr(logs, "MOST_LOGS", 2)
    with pytest.raises(RpcError, match="query returned more than 2 results"):
        await found(history, ANY, 0, history.head)
    monkeypatch.setattr(logs, "MOST_SECONDS", -1.0)
    with pytest.raises(RpcError, match="timeout"):
        await found(history, ANY, 4, 4)


def test_few_blocks_are_held(node: Node) -> None:
    history = History(node)
    for _ in range(2 * MOST_HELD):
        node.seal()
        assert history.full(history.head) is not None
    assert len(history._full) == MOST_HELD
    assert history.full(1) is not None
