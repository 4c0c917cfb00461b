"""The embedded node as a process that is killed and brought back."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from subnetlab.errors import NodeStartFailed
from subnetlab.lab import embedded
from subnetlab.lab.embedded import EmbeddedNode
from subnetlab.network.dev import DevControls
from subnetlab.settings import dev_token_file, nodes_folder


@pytest.fixture
def node(home: Path) -> Iterator[EmbeddedNode]:
    made = EmbeddedNode("--block-time", "3600", "--exit-when-idle", "600")
    yield made
    made.close()
    assert not made.alive


def killed(node: EmbeddedNode) -> None:
    process = psutil.Process(node.pid)
    process.kill()
    node._process.wait()
    assert not node.alive


def test_a_killed_node_comes_back_on_its_port_with_its_chain_and_holds_still(node: EmbeddedNode) -> None:
    controls = DevControls(node.endpoint)
    head = controls.seal(5)
    known = controls.info()
    killed(node)
    assert embedded.dead_nodes() == [node.folder.name]
    assert embedded.bring_back(node.folder.name)
    assert node.alive
    assert embedded.node_at(node.endpoint) == node.folder.name
    found = controls.info()
    assert (found["genesis"], found["head"]["hash"]) == (known["genesis"], head.hash)
    assert (known["sealing"], found["sealing"]) == ({"interval": 3600.0}, "manual")
    assert not embedded.bring_back(node.folder.name)


def test_however_many_bring_it_back_one_node_comes(node: EmbeddedNode) -> None:
    killed(node)
    with ThreadPoolExecutor(4) as hands:
        started = list(hands.map(embedded.bring_back, [node.folder.name] * 4))
    assert sorted(started) == [False, False, False, True]


def test_a_port_that_somebody_took_is_said(node: EmbeddedNode) -> None:
    killed(node)
    port = int(node.endpoint.rsplit(":", 1)[1])
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(NodeStartFailed, match=f"Port {port} cannot"),
    ):
        embedded.bring_back(node.folder.name)
    assert not node.alive


def test_only_what_nobody_needs_is_swept_away(node: EmbeddedNode) -> None:
    embedded.sweep(())
    assert node.folder.is_dir()
    killed(node)
    embedded.sweep((node.folder.name,))
    assert node.folder.is_dir()
    embedded.sweep(())
    assert not node.folder.exists()
    with pytest.raises(NodeStartFailed, match="was not kept"):
        embedded.bring_back(node.folder.name)
    assert embedded.dead_nodes() == []
    assert not [left for left in nodes_folder().iterdir() if left.stat().st_nlink == 1 or left.is_dir()]
    assert not dev_token_file(int(node.endpoint.rsplit(":", 1)[1])).exists()
