"""A node of each test's own, as the conformance tests have it; what `make peers` installs, or a skip."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import bittensor
import pytest
from tests.devnet_process import DevnetProcess, running_devnet
from tests.peers.place import MISSING, installed


@pytest.fixture(scope="session", autouse=True)
def _peers() -> None:
    if not installed():
        pytest.skip(MISSING)


@pytest.fixture
def devnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DevnetProcess]:
    monkeypatch.setenv("BITTENSOR_RUNTIME_CACHE_DIR", str(tmp_path / "runtime-cache"))
    with running_devnet(tmp_path, "--instant") as node:
        yield node


@pytest.fixture
async def client(devnet: DevnetProcess) -> AsyncIterator[bittensor.Client]:
    async with bittensor.Client(devnet.endpoint) as connected:
        yield connected
