"""A network with money on its Ethereum half, on the node that the other tests of the client share."""

from collections.abc import Iterator

import pytest

from subnetlab.network.client import NetworkClient

from ..conftest import Prepared as Prepared
from ..conftest import _sdk_caches as _sdk_caches
from ..conftest import network as network
from ..conftest import prepared as prepared


@pytest.fixture
def funded(network: NetworkClient) -> Iterator[NetworkClient]:
    """Alice, bob and charlie of the EVM hold ten TAO each."""
    for name in ("alice", "bob", "charlie"):
        network.evm.fund(amount_tao=10, to=name, wallet="alice")
    yield network
