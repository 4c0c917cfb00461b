"""One embedded node for all tests of this folder that need a network; every test starts from its snapshot."""

from collections.abc import Iterator

import pytest

from subnetlab.lab.session import Net, connect


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBNETLAB_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def shared_net(_home: None) -> Iterator[Net]:
    with connect(sealing="instant") as net:
        yield net


@pytest.fixture
def net(shared_net: Net) -> Net:
    shared_net.reset()
    return shared_net
