"""A network is found by name or by endpoint, and nothing else is taken for one."""

import pytest
from bittensor.settings import FINNEY_GENESIS_HASH, NETWORKS

from subnetlab.errors import NodeUnreachable, UnknownNetwork
from subnetlab.network.endpoints import ENDPOINTS, play_money, resolve
from subnetlab.network.rejection import translated


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
    ("name", "meant"),
    [("testnet", "test"), ("mainnet", "finney"), ("Mainnet", "finney"), ("finny", "finney"),
     ("Finney", "finney"), ("TEST", "test"), ("localnet", "local"), ("devent", "devnet")],
)  # fmt: skip
def test_a_name_that_is_almost_one_is_asked_back(name: str, meant: str) -> None:
    with pytest.raises(UnknownNetwork, match=f'Did you mean "{meant}"'):
        resolve(name)


def test_a_public_network_that_does_not_answer_is_not_to_be_started_by_hand() -> None:
    for name in ("test", "finney"):
        with pytest.raises(NodeUnreachable) as caught, translated(ENDPOINTS[name]):
            raise OSError("no route")
        assert "internet" in str(caught.value)
        assert "subnetlab devnet" not in str(caught.value)
    with pytest.raises(NodeUnreachable, match="subnetlab devnet"), translated(ENDPOINTS["local"]):
        raise OSError("refused")


@pytest.mark.parametrize(
    "name", ["", "finny", "http://host", "ws://", "ws://:9944", "ws://host:99999", "ws://a b", "../devnet"]
)
def test_anything_else_is_refused_with_the_names_there_are(name: str) -> None:
    with pytest.raises(UnknownNetwork, match='Use "devnet", "local"'):
        resolve(name)


@pytest.mark.parametrize(
    ("chain_type", "genesis", "play"),
    [
        ("Development", "0x35b056", True),
        ("Local", "0x35b056", True),
        ("Live", "0x35b056", False),
        ("", "0x35b056", False),
        ("Development", FINNEY_GENESIS_HASH, False),
        ("Development", FINNEY_GENESIS_HASH.upper().replace("X", "x"), False),
        ("Local", "0x8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105", False),
    ],
)
def test_money_is_play_money_by_what_the_chain_says_and_never_on_a_public_one(
    chain_type: str, genesis: str, play: bool
) -> None:
    assert play_money(chain_type, genesis) is play
