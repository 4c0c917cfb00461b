"""A subnet whose owner announces what a test wants, on a node that all tests of commands share."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from tests.devnet_process import running_devnet
from tests.sdk.public.stage import close, close_wire

from subnetlab.cli import main
from subnetlab.errors import ObjectExists
from subnetlab.lab.preset import network_rules, subnet_rules
from subnetlab.network.client import NetworkClient
from subnetlab.network.peer_chain import PeerChain
from subnetlab.network.wallets import dev_wallet
from subnetlab.store.objects import open_store
from subnetlab.train import object_paths
from subnetlab.train.announcement import Announcement
from subnetlab.train.hashing import digest

MANIFEST: dict[str, Any] = {
    "form": "subnetlab-manifest/3", "run_id": "tiny", "netuid": 0, "rounds": 3, "first_block": 1_000_000,
    "blocks_per_round": 10, "offsets": [3, 5, 8], "model": {"kind": "TinyGPT"}, "data": {},
    "task": {"kind": "next_token"}, "versions": {"torch": version("torch")},
}  # fmt: skip


@dataclass
class Owner:
    """A subnet whose owner announces what a test wants."""

    client: NetworkClient
    netuid: int
    other: int
    """A second subnet, without a run."""
    folder: Path

    def announce(self, *, said_rounds: int = 3, **changes: Any) -> None:
        """Announce a manifest with some fields changed."""
        store = self.folder / "store"
        manifest = {**MANIFEST, "netuid": self.netuid, **changes}
        data = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
        hash_ = digest("manifest", data)
        with suppress(ObjectExists):
            open_store(store).put(object_paths.manifest(hash_.hex()), data)
        self.commit(Announcement(manifest=hash_, rounds=said_rounds, store=str(store)).to_bytes())

    def commit(self, data: bytes) -> None:
        """Put bytes on chain as the owner's commitment; a block holds them at once."""
        chain = PeerChain(self.client.endpoint, self.netuid, "//Alice//hotkey")
        chain.commit(data)
        close_chain(chain)

    def refused(self, role: str, wallet: str, capsys: pytest.CaptureFixture[str], *more: str) -> str:
        """What the command says when it refuses."""
        where = ("--endpoint", self.client.endpoint, "--wallet", wallet)
        netuid = () if "--netuid" in more else ("--netuid", str(self.netuid))
        assert main([role, *where, *netuid, *more]) == 1
        said = capsys.readouterr().err.strip()
        assert "\n" not in said
        return said


def close_chain(chain: PeerChain) -> None:
    wire = chain._client
    chain.close()
    close_wire(wire)


@pytest.fixture(scope="package")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    folder = tmp_path_factory.mktemp("refusals")
    with running_devnet(folder, "--instant") as node:
        client = NetworkClient(node.endpoint, name="devnet")
        network_rules(client)
        netuids: list[int] = []
        for _ in range(2):
            netuid, _ = client.register_subnet("alice")
            subnet_rules(client, netuid)
            client.start_call(netuid, "alice")
            netuids.append(netuid)
        client.burned_register(netuids[0], "alice", hotkey_ss58=dev_wallet("bob/m1").hotkey.ss58_address)
        yield Owner(client, netuids[0], netuids[1], folder)
        close(client)
