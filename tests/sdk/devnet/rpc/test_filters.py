"""Filters and subscriptions of logs: what they cost others, what is kept of them, and when they end."""

from typing import Any

import aiohttp
import pytest
from tests.devnet_process import DevnetProcess
from tests.sdk.devnet.rpc.conftest import RawSocket, serving

from subnetlab.devnet.evm import block
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.rpc import subscriptions
from subnetlab.devnet.rpc.ethereum import filters
from subnetlab.devnet.rpc.ethereum.filters import LIFETIME_S, MOST_FILTERS, Filter, Filters
from subnetlab.devnet.rpc.ethereum.logs import LogFilter
from subnetlab.devnet.rpc.method import RpcError

MANY = ["0x" + number.to_bytes(20, "big").hex() for number in range(1024)]


async def test_a_block_costs_the_same_however_many_addresses_are_waited_for(
    chain: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[bytes] = []
    plain = block.keccak
    monkeypatch.setattr(block, "keccak", lambda data: hashed.append(data) or plain(data))

    def hashes_of_a_block() -> int:
        hashed.clear()
        chain.seal()
        return len(hashed)

    async with serving(chain) as (_, url), aiohttp.ClientSession() as session:
        opened = RawSocket(await session.ws_connect(url))
        await opened.ask("eth_subscribe", "logs")
        hashes_of_a_block()  # the first asks for the blocks before it
        before = hashes_of_a_block()
        for _ in range(4):
            await opened.ask("eth_subscribe", "logs", {"address": MANY})
        assert hashes_of_a_block() == before
        await opened.socket.close()


async def test_what_log_subscriptions_name_is_counted(chain: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MAX_CONNECTION_KEYS", 1500)
    monkeypatch.setattr(subscriptions, "MAX_WATCHED_KEYS", 2500)
    async with serving(chain) as (_, url), aiohttp.ClientSession() as session:
        first, second = RawSocket(await session.ws_connect(url)), RawSocket(await session.ws_connect(url))
        wanted = {"address": MANY, "topics": [None, ["0x" + "11" * 32]]}
        named = (await first.ask("eth_subscribe", "logs", wanted))["result"]
        refused = (await first.ask("eth_subscribe", "logs", wanted))["error"]
        assert refused["code"] == -32006
        assert refused["message"].endswith("on the connection")
        assert "result" in await second.ask("eth_subscribe", "logs", {"address": MANY[:475]})
        assert "result" in await second.ask("eth_subscribe", "logs", {"address": MANY[:1000]})
        refused = (await first.ask("eth_subscribe", "logs", {"address": MANY[0]}))["error"]
        assert refused["message"].endswith("on the node")
        assert (await first.ask("eth_unsubscribe", named))["result"] is True
        assert "result" in await first.ask("eth_subscribe", "logs", {"address": MANY[0]})
        for one in (first, second):
            await one.socket.close()


@pytest.mark.parametrize("name", ["fromBlock", "toBlock", "blockHash"])
def test_what_a_filter_says_of_blocks_is_read_before_it_is_kept(node: DevnetProcess, name: str) -> None:
    for wrong in ("x" * 1000, {"blockHash": "0x12"}, ["latest"]):
        assert node.ask("eth_newFilter", {name: wrong})["error"]["code"] == -32602


async def test_a_subscription_is_read_before_it_is_kept(socket: RawSocket) -> None:
    wrong = await socket.ask("eth_subscribe", "logs", {"fromBlock": "x" * 1000})
    assert wrong["error"]["code"] == -32602


def test_a_filter_means_the_newest_block_of_the_time_it_is_asked(node: DevnetProcess) -> None:
    made = node.rpc("eth_newFilter", {"fromBlock": "latest", "toBlock": "latest"})
    node.seal()
    assert node.rpc("eth_getFilterChanges", made) == node.rpc("eth_getFilterLogs", made) == []
    unknown = node.rpc("eth_newFilter", {"blockHash": "0x" + "07" * 32})
    assert node.ask("eth_getFilterLogs", unknown)["error"]["message"] == "unknown block"


def test_a_full_pool_takes_one_more(node: DevnetProcess) -> None:
    polled = node.rpc("eth_newBlockFilter")
    node.rpc("eth_getFilterChanges", polled)
    for _ in range(MOST_FILTERS + 1):
        newest = node.rpc("eth_newBlockFilter")
    for one in (polled, newest):
        assert isinstance(node.rpc("eth_getFilterChanges", one), list)


class Pool:
    """Filters, and a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.filters = Filters(clock=lambda: self.now)

    def add(self, **parts: Any) -> int:
        return int(self.filters.add(Filter(0, **parts)), 16)

    def has(self, identifier: int) -> bool:
        try:
            self.filters.get(identifier)
        except RpcError:
            return False
        return True


def test_a_filter_that_is_not_polled_ends() -> None:
    pool = Pool()
    forgotten, polled = pool.add(), pool.add()
    pool.now = LIFETIME_S - 1
    assert pool.has(polled)
    pool.now = LIFETIME_S + 1
    assert pool.has(polled)
    assert not pool.has(forgotten)
    assert len(pool.filters.by_id) == 1


def test_who_was_never_polled_gives_way_first_and_then_who_was_polled_longest_ago() -> None:
    pool = Pool()
    first, second = pool.add(), pool.add()
    assert pool.has(second)
    assert pool.has(first)
    unpolled = [pool.add() for _ in range(MOST_FILTERS)]
    assert [at for at in (first, second, *unpolled) if at not in pool.filters.by_id] == unpolled[:2]
    for one in unpolled[2:]:
        assert pool.has(one)
    pool.add()
    assert second not in pool.filters.by_id
    assert first in pool.filters.by_id


def test_filters_together_name_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "MOST_CHOICES", 10)
    pool = Pool()
    wanted = LogFilter(addresses=frozenset(bytes([n]) * 20 for n in range(4)))
    made = [pool.add(logs=wanted) for _ in range(3)]
    assert list(pool.filters.by_id) == made[1:]
