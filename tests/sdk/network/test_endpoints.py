"""A network is found by name or by endpoint, and nothing else is taken for one."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from bittensor import RpcPolicyError
from bittensor._transport.errors import RpcPolicyRejection
from bittensor.settings import FINNEY_GENESIS_HASH, NETWORKS

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, NodeUnreachable, NotInClass, UnknownNetwork
from subnetlab.membership import FILE, Membership, folder_of
from subnetlab.network.endpoints import ENDPOINTS, play_money, resolve, with_scheme
from subnetlab.network.rejection import translated
from subnetlab.record.files import make_private, write_private


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


@pytest.mark.parametrize("text", ["127.0.0.1:8866", "class.example.edu/monday", "localhost", "[::1]:8866"])
def test_an_address_without_its_scheme_is_asked_back(text: str) -> None:
    with pytest.raises(UnknownNetwork) as caught:
        resolve(text)
    assert caught.value.hint == f'Write "ws://{text}" for a node, or "http://{text}" with a code for a class.'
    assert with_scheme("finny") == with_scheme("a b.c") == with_scheme("host:99999") == ""
    with pytest.raises(ArgumentInvalid, match=re.escape(f'sl.connect("http://{text}", code=')):
        sl.connect(text, code="K7QD", name="Ada")


@pytest.fixture
def member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Membership:
    """Who joined a class at an address of this machine at which nothing answers."""
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path))
    at = "http://127.0.0.1:9/monday"
    one = Membership(
        address=at, asked=at, student="s1", name="Ada", token="t", netuid=2, seed=1, wallet="class-1"
    )
    write_private(make_private(folder_of(at)) / FILE, json.dumps(asdict(one)))
    return one


def test_the_chain_of_a_class_is_the_teachers_to_start(member: Membership) -> None:
    with pytest.raises(NodeUnreachable, match="ask your teacher"), translated(member.chain):
        raise OSError("refused")
    refused = RpcPolicyError("no", status_code=429)
    with pytest.raises(NodeUnreachable, match=r"\(no\)"), translated(member.chain):
        raise refused


def test_who_is_in_a_class_no_more_is_told_how_to_join_again(member: Membership) -> None:
    refused = (RpcPolicyError("no", status_code=401), RpcPolicyRejection("no", status_code=401))
    for error in refused:
        with pytest.raises(NotInClass, match='code="…", name="Ada"'), translated(member.chain):
            raise error
        with pytest.raises(NodeUnreachable), translated("ws://127.0.0.1:9"):
            raise error


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
