"""What the transport tells while somebody waits: the way of an extrinsic, and that its node has gone."""

import threading
from pathlib import Path

import pytest
from tests.devnet_process import running_devnet

from subnetlab.errors import NodeUnreachable
from subnetlab.network.client import NetworkClient
from subnetlab.network.stages import Stage, listening


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
