"""A network is found by name or by endpoint, and nothing else is taken for one."""

import pytest
from bittensor.settings import NETWORKS

from subnetlab.errors import UnknownNetwork
from subnetlab.network.names import ENDPOINTS, resolve


def test_the_public_endpoints_are_the_sdk_s_own() -> None:
    assert {name: NETWORKS[name] for name in ("test", "finney")} == {
        name: ENDPOINTS[name] for name in ("test", "finney")
    }


def test_the_devnet_has_no_endpoint_before_it_runs() -> None:
    assert resolve().endpoint is None
    assert resolve("devnet") == resolve()


def test_an_endpoint_stands_for_itself_and_a_known_one_for_its_name() -> None:
    assert resolve("ws://host:9944").endpoint == "ws://host:9944"
    assert resolve("wss://entrypoint-finney.opentensor.ai:443/").name == "finney"


@pytest.mark.parametrize(
    "name", ["", "finny", "http://host", "ws://", "ws://:9944", "ws://host:99999", "ws://a b", "../devnet"]
)
def test_anything_else_is_refused_with_the_names_there_are(name: str) -> None:
    with pytest.raises(UnknownNetwork, match='Use "devnet", "local"'):
        resolve(name)
