"""One real node for all tests of this package, turned back to the same prepared subnet before each.

Everything meets it on the wire, through the unmodified SDK.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bittensor
import pytest
from tests.devnet_process import DevnetProcess, running_devnet

from subnetlab.network.budget import Budget
from subnetlab.network.client import NetworkClient
from subnetlab.network.wallets import DevWallet, dev_wallet


@pytest.fixture(scope="session", autouse=True)
def _sdk_caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The SDK keeps metadata and token symbols on disk; the user's own folder is not ours to fill."""
    folder = tmp_path_factory.mktemp("sdk-caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BITTENSOR_RUNTIME_CACHE_DIR", str(folder))
        patch.setenv("BTCLI_TOKEN_SYMBOLS_CACHE", str(folder / "symbols.json"))
        yield


@dataclass(frozen=True)
class Prepared:
    """A node with a started subnet, one staked validator and one miner on it."""

    node: DevnetProcess
    netuid: int
    validator: DevWallet
    miner: DevWallet
    snapshot: str

    @property
    def endpoint(self) -> str:
        return self.node.endpoint


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with running_devnet(tmp_path_factory.mktemp("network"), "--instant") as node:
        network = NetworkClient(node.endpoint)
        netuid, _ = network.register_subnet("alice")
        network.start_call(netuid, "alice")
        admin = bittensor.calls.AdminUtils
        for call in (
            admin.sudo_set_admin_freeze_window(window=0),
            admin.sudo_set_tempo(netuid=netuid, tempo=8),
            admin.sudo_set_weights_set_rate_limit(netuid=netuid, weights_set_rate_limit=0),
            admin.sudo_set_commit_reveal_weights_enabled(netuid=netuid, enabled=False),
        ):
            network.sudo(call)
        validator, miner = dev_wallet("alice/validator-1"), dev_wallet("alice/miner-1")
        network.burned_register(netuid, validator)
        network.burned_register(netuid, miner)
        network.stake(
            amount_tao=50,
            hotkey_ss58=validator.hotkey.ss58_address,
            netuid=netuid,
            wallet="alice",
            rate_tolerance=None,
        )
        network.dev.seal(8)  # the epoch after the stake gives the permit
        snapshot = network.dev.snapshot()
        network.close()
        yield Prepared(node, netuid, validator, miner, snapshot)


@pytest.fixture
def network(prepared: Prepared, tmp_path: Path) -> Iterator[NetworkClient]:
    budget = Budget("devnet", unlimited=True, folder=tmp_path / "budgets")
    client = NetworkClient(prepared.endpoint, name="devnet", budget=budget)
    client.dev.set_sealing("instant")
    client.turn_back(prepared.snapshot)
    yield client
    client.close()
