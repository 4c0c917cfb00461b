"""A network with money on its Ethereum half, on the node that the other tests of the client share."""

import pytest

from subnetlab.network.client import NetworkClient


@pytest.fixture
def funded(network: NetworkClient) -> NetworkClient:
    """Alice, bob and charlie of the EVM hold ten TAO each."""
    for name in ("alice", "bob", "charlie"):
        network.evm.fund(amount_tao=10, to=name, wallet="alice")
    return network
