"""The same options make the same chain, and other metadata another one: clients cache by genesis hash."""

from bittensor_core import Keypair
from tests.sdk.devnet.conftest import StillClock

from subnetlab.devnet import metadata
from subnetlab.devnet.chain import genesis
from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.chain.shield import public_key
from subnetlab.devnet.metadata import document
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances

TAO = 10**9


def test_two_nodes_have_one_genesis(codec: Codec) -> None:
    first, second = (Node(codec, StillClock()).blocks.genesis for _ in range(2))
    assert first == second
    assert first.parent_hash == bytes(32)


def test_time_has_no_part_in_it(codec: Codec) -> None:
    later = StillClock()
    later.advance(10**6)
    assert Node(codec, later).blocks.genesis == Node(codec, StillClock()).blocks.genesis


def test_other_metadata_makes_another_genesis(node: Node) -> None:
    patched = document.with_constant(metadata.recorded(), "SlotDuration", (12_000).to_bytes(8, "little"))
    slow = Node(Codec(patched, metadata.SPEC_VERSION, metadata.TRANSACTION_VERSION), StillClock())
    assert slow.blocks.genesis.hash != node.blocks.genesis.hash


def test_the_development_accounts_hold_their_endowments(node: Node) -> None:
    for name, amount in genesis.ENDOWMENTS_TAO.items():
        assert balances.free(node.ledger, Keypair.from_uri(f"//{name}").ss58_address) == amount * TAO
    assert node.ledger.get("Sudo", "Key") == Keypair.from_uri("//Alice").ss58_address


def test_the_shields_key_is_published(node: Node) -> None:
    assert bytes.fromhex(node.ledger.get("MevShield", "NextKey").removeprefix("0x")) == public_key()
    assert len(public_key()) == 1184
