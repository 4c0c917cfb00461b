"""The unmodified SDK against a real node: what these tests ask, any client may ask.

`devnet` is a node of the test's own, instant sealing; `shared_devnet` serves the whole session and is only
read. Wallets are the development keys.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import bittensor
import pytest
from bittensor_core import Keypair
from tests.devnet_process import DevnetProcess, running_devnet


@pytest.fixture(scope="session", autouse=True)
def _runtime_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The SDK keeps metadata on disk by genesis hash; the user's own folder is not ours to fill."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BITTENSOR_RUNTIME_CACHE_DIR", str(tmp_path_factory.mktemp("runtime-cache")))
        yield


@pytest.fixture(scope="session")
def shared_devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevnetProcess]:
    with running_devnet(tmp_path_factory.mktemp("shared-devnet"), "--instant") as node:
        yield node


@pytest.fixture
def devnet(tmp_path: Path) -> Iterator[DevnetProcess]:
    with running_devnet(tmp_path, "--instant") as node:
        yield node


@pytest.fixture
async def client(devnet: DevnetProcess) -> AsyncIterator[bittensor.Client]:
    async with bittensor.Client(devnet.endpoint) as connected:
        yield connected


@pytest.fixture
async def reader(shared_devnet: DevnetProcess) -> AsyncIterator[bittensor.Client]:
    async with bittensor.Client(shared_devnet.endpoint) as connected:
        yield connected


@pytest.fixture
def alice() -> Keypair:
    return Keypair.from_uri("//Alice")


@pytest.fixture
def bob() -> Keypair:
    return Keypair.from_uri("//Bob")


@pytest.fixture
def charlie() -> Keypair:
    return Keypair.from_uri("//Charlie")
