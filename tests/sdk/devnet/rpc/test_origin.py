"""A page in a browser cannot reach the node, and `dev_` methods can be kept to their owner."""

import stat
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from tests.devnet_process import DevnetProcess, running_devnet

from subnetlab.devnet.rpc.token import read_or_create
from subnetlab.errors import TokenFileInvalid
from subnetlab.settings import dev_token_file

ASK = b'{"jsonrpc": "2.0", "id": 1, "method": "system_chain"}'
SEAL = b'{"jsonrpc": "2.0", "id": 1, "method": "dev_seal"}'
APPS = "https://polkadot.js.org"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DevnetProcess, Path]]:
    """A node that lets one page in and keeps its `dev_` methods behind a token."""
    folder = tmp_path_factory.mktemp("guarded")
    token = folder / "token"
    with running_devnet(folder, "--manual", "--dev-token", str(token), "--allow-origin", APPS) as node:
        yield node, token


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[::1"},
        {"Origin": "http://[::1"},
    ],
)
def test_a_foreign_host_or_origin_is_refused(node: DevnetProcess, headers: dict[str, str]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        node.post(ASK, headers)
    assert refused.value.code == 403
    refused.value.close()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:1"},
        {"Origin": "http://localhost:8888"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "Titanoboa"},
    ],
)
def test_loopback_is_welcome(node: DevnetProcess, headers: dict[str, str]) -> None:
    assert node.post(ASK, headers)["result"] == "Development"


async def test_a_foreign_page_gets_no_socket(node: DevnetProcess) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(node.endpoint, origin="https://evil.example")
        assert refused.value.status == 403


def test_a_named_origin_is_let_in(guarded: tuple[DevnetProcess, Path]) -> None:
    assert guarded[0].post(ASK, {"Origin": APPS})["result"] == "Development"


def test_without_the_token_only_dev_methods_are_closed(guarded: tuple[DevnetProcess, Path]) -> None:
    node, _ = guarded
    assert node.post(ASK)["result"] == "Development"
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}):
        answer = node.post(SEAL, headers)
        assert answer["error"]["message"] == "RPC call is unsafe to be called externally"


def test_a_node_makes_a_token_of_its_own_and_removes_it_at_its_end(tmp_path: Path) -> None:
    with running_devnet(tmp_path, "--manual") as node:
        file = dev_token_file(node.port)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) & 0o022 == 0
        refused = node.post(SEAL, {"Authorization": ""})
        assert refused["error"]["message"] == "RPC call is unsafe to be called externally"
        assert node.post(SEAL)["result"]["number"] == 2
        assert node.token not in node.errors.read_text()
    assert not file.exists()


def test_the_token_opens_them(guarded: tuple[DevnetProcess, Path]) -> None:
    node, file = guarded
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = file.read_text()
    assert node.post(SEAL, {"Authorization": f"Bearer {token}"})["result"]["number"] == 2


async def test_the_token_opens_them_on_a_socket(guarded: tuple[DevnetProcess, Path]) -> None:
    node, file = guarded
    headers = {"Authorization": f"Bearer {file.read_text()}"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(node.endpoint, headers=headers) as socket,
    ):
        await socket.send_str('{"jsonrpc": "2.0", "id": 1, "method": "dev_info"}')
        assert "result" in await socket.receive_json()


def test_a_token_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert read_or_create(file) == read_or_create(file) == file.read_text()
    file.chmod(0o644)
    with pytest.raises(TokenFileInvalid, match="read by others"):
        read_or_create(file)
    file.chmod(0o600)
    file.write_text("\n")
    with pytest.raises(TokenFileInvalid, match="empty"):
        read_or_create(file)
    with pytest.raises(TokenFileInvalid, match="cannot be made"):
        read_or_create(tmp_path / "no" / "token")
