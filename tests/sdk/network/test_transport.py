"""What the transport tells while somebody waits: the way of an extrinsic, and that its node has gone."""

import asyncio
import select
import signal
import threading
from pathlib import Path

import pytest
from tests.devnet_process import running_devnet

from subnetlab.errors import NodeUnreachable
from subnetlab.network.client import NetworkClient
from subnetlab.network.stages import Stage, listening
from subnetlab.network.transport import Transport

from .conftest import Prepared


def test_an_extrinsic_is_told_on_its_way_and_only_to_whoever_listens(tmp_path: Path) -> None:
    with running_devnet(tmp_path, "--instant") as node:
        client, told = NetworkClient(node.endpoint), list[Stage]()
        client.pay(amount_tao=1, to="bob", wallet="alice")
        with listening(told.append):
            client.pay(amount_tao=1, to="bob", wallet="alice")
        client.pay(amount_tao=1, to="bob", wallet="alice")
        assert told == ["signed", "in a block"]
        client.close()


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_whoever_waits_for_a_block_learns_that_the_node_has_gone(tmp_path: Path, end: str) -> None:
    with running_devnet(tmp_path, "--manual") as node:
        client, signed = NetworkClient(node.endpoint), threading.Event()
        ending = threading.Thread(target=lambda: (signed.wait(30), getattr(node.process, end)()))
        ending.start()
        with listening(lambda _stage: signed.set()), pytest.raises(NodeUnreachable):
            client.pay(amount_tao=1, to="bob", wallet="alice")
        ending.join()
        client.close()


@pytest.mark.parametrize("turns", range(8))
async def test_closing_ends_whichever_turn_of_the_loop_an_answer_arrives_in(
    prepared: Prepared, turns: int
) -> None:
    before = asyncio.all_tasks()
    transport = Transport(prepared.endpoint)
    await transport.connect()
    socket = transport.raw._session._ws
    await socket.send('{"jsonrpc": "2.0", "id": -1, "method": "system_chain", "params": []}')
    select.select([socket.transport.get_extra_info("socket")], [], [])  # the answer is here, and unread
    for _ in range(turns):
        await asyncio.sleep(0)
    closing = asyncio.ensure_future(transport.close())
    done, _ = await asyncio.wait({closing}, timeout=60)  # what cancels it would end what it waits for
    assert closing in done
    assert asyncio.all_tasks() == before


async def test_closing_leaves_nothing_where_the_node_stands_still(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    with running_devnet(tmp_path, "--instant") as node:
        transport = Transport(node.endpoint)
        await transport.connect()
        socket = transport.raw._session._ws.transport
        node.process.send_signal(signal.SIGSTOP)
        try:
            closing = asyncio.ensure_future(transport.close())
            done, _ = await asyncio.wait({closing}, timeout=60)
            assert closing in done
            assert socket.is_closing()
            assert asyncio.all_tasks() == before
        finally:
            node.process.send_signal(signal.SIGCONT)
