"""A development node's time and money, over plain HTTP; other nodes refuse in words."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.devnet_process import running_devnet

from subnetlab.errors import ChainRejected, DevnetNotYours, DevnetOnly, NodeUnreachable
from subnetlab.network.client import NetworkClient
from subnetlab.network.dev import DevControls
from subnetlab.network.wallets import dev_wallet


def test_sealing_is_under_control(network: NetworkClient) -> None:
    controls = network.dev
    controls.set_sealing("manual")
    before = network.head().number
    assert controls.seal().number == before + 1
    assert controls.seal(4).number == before + 5
    assert controls.seal(1) == network.head()
    controls.set_sealing(30.0)
    assert controls.info()["sealing"] == {"interval": 30.0}
    controls.set_sealing("instant")
    assert controls.info()["sealing"] == "instant"
    assert controls.available()


def test_the_faucet_mints_play_money(network: NetworkClient) -> None:
    address = dev_wallet("alice/thirsty").hotkey.ss58_address
    network.dev.faucet(address, 5 * 10**9)
    assert network.balance(address) == 5 * 10**9


def test_a_saved_chain_starts_again_where_it_was(tmp_path: Path) -> None:
    with running_devnet(tmp_path, "--manual", "--state", str(tmp_path / "chain")) as node:
        controls = DevControls(node.endpoint)
        head = controls.seal(3)
        controls.save(tmp_path / "state")
    with running_devnet(tmp_path, "--manual", "--state", str(tmp_path / "state")) as node:
        assert DevControls(node.endpoint).info()["head"] == {"number": head.number, "hash": head.hash}


def test_a_node_of_somebody_else_keeps_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_devnet(tmp_path, "--manual") as node:
        monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "elsewhere"))
        controls = DevControls(node.endpoint)
        with pytest.raises(DevnetNotYours, match="dev_seal"):
            controls.seal()
        assert not controls.available()


def test_an_unknown_snapshot_is_refused(network: NetworkClient) -> None:
    with pytest.raises(ChainRejected, match="dev_revert"):
        network.dev.revert("snapshot-of-nothing")


def test_nobody_there_is_one_clear_error() -> None:
    with pytest.raises(NodeUnreachable):
        DevControls("ws://127.0.0.1:9").seal()


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """A server that answers every request with the same bytes, as some other node would."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"ws://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


UNKNOWN_METHOD = json.dumps({"id": 1, "error": {"code": -32601, "message": "Method not found"}}).encode()


@pytest.mark.parametrize(
    "body", [UNKNOWN_METHOD, b"<html>", b"\xff\xfe"], ids=["other node", "no node", "noise"]
)
def test_only_a_development_node_can_do_this(body: bytes) -> None:
    with answering(body) as endpoint:
        controls = DevControls(endpoint)
        assert not controls.available()
        with pytest.raises(DevnetOnly, match="embedded devnet"):
            controls.seal()
