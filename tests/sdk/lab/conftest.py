"""One embedded node for all tests of this folder that need a network; every test starts from its snapshot."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from subnetlab.lab.session import Net, connect


@pytest.fixture(scope="session")
def shared_net(session_home: Path) -> Iterator[Net]:
    """Its token is in the session's home, also where the module that asks first has one of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBNETLAB_HOME", str(session_home))
        net = connect(sealing="instant")
    yield net
    net.close()


@pytest.fixture
def net(shared_net: Net) -> Net:
    shared_net.reset()
    return shared_net
