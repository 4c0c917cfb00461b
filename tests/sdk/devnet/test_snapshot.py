"""A chain held and put back, in memory and through a file."""

from pathlib import Path

import pytest
from bittensor_core import Keypair
from tests.sdk.devnet.conftest import StillClock
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet import metadata
from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.chain.transaction_pool import Status
from subnetlab.devnet.metadata import document
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.storage import snapshot
from subnetlab.errors import StateFileInvalid

BOB = Keypair.from_uri("//Bob").ss58_address


def test_what_was_held_comes_back_and_stays_held(node: Node, signer: Signer) -> None:
    node.seal()
    held = snapshot.take(node)
    head, rao = node.blocks.head, balances.free(node.ledger, BOB)
    for attempt in range(2):
        node.submit(signer.transfer(BOB, 5))
        node.seal()
        assert balances.free(node.ledger, BOB) == rao + 5
        snapshot.put_back(node, held)
        assert (node.blocks.head, balances.free(node.ledger, BOB)) == (head, rao), attempt


def test_money_not_yet_in_a_block_is_held_too(node: Node) -> None:
    node.endow(BOB, 7)
    held = snapshot.take(node)
    rao = balances.free(node.ledger, BOB)
    node.seal()
    node.endow(BOB, 9)
    snapshot.put_back(node, held)
    node.seal()
    assert balances.free(node.ledger.at(node.blocks.head.number), BOB) == rao


def test_more_money_than_the_chain_can_count_is_refused_whole(node: Node) -> None:
    rao, issued = balances.free(node.ledger, BOB), node.ledger.get("Balances", "TotalIssuance")
    with pytest.raises(ValueError, match="out of range"):
        node.endow(BOB, 2**64 - issued)
    assert balances.free(node.ledger, BOB) == rao
    assert node.ledger.get("Balances", "TotalIssuance") == issued


def test_what_waits_in_the_pool_is_dropped(node: Node, signer: Signer) -> None:
    held = snapshot.take(node)
    seen: list[Status] = []
    node.submit(signer.transfer(BOB, 5), seen.append)
    snapshot.put_back(node, held)
    assert seen == ["ready", "dropped"]
    assert len(node.transaction_pool) == 0


def test_a_saved_chain_goes_on_where_it_stopped(node: Node, signer: Signer, tmp_path: Path) -> None:
    node.submit(signer.transfer(BOB, 5))
    node.seal()
    file = tmp_path / "deep" / "chain"
    snapshot.save(node, file)
    again = Node(node.codec, StillClock())
    snapshot.load(again, file)
    assert list(again.blocks) == list(node.blocks)
    assert again.state.latest() == node.state.latest()
    assert again.seal().hash == node.seal().hash
    assert [p.name for p in file.parent.iterdir()] == ["chain"]


def test_a_chain_of_another_genesis_is_refused(node: Node, tmp_path: Path) -> None:
    snapshot.save(node, tmp_path / "chain")
    patched = document.with_constant(metadata.recorded(), "SlotDuration", (12_000).to_bytes(8, "little"))
    other = Node(Codec(patched, 461, 1), StillClock())
    with pytest.raises(StateFileInvalid, match="another genesis"):
        snapshot.load(other, tmp_path / "chain")
    assert other.blocks.head.number == 0


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "cut"])
def test_a_damaged_file_is_refused_and_changes_nothing(node: Node, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "chain"
    node.seal()
    snapshot.save(node, file)
    whole = file.read_bytes()
    match damage:
        case "missing":
            file.unlink()
        case "empty":
            file.write_bytes(b"")
        case "text":
            file.write_text("a saved chain")
        case _:
            file.write_bytes(whole[: len(whole) // 2])
    head = node.blocks.head
    with pytest.raises(StateFileInvalid):
        snapshot.load(node, file)
    assert node.blocks.head is head


def test_old_state_is_forgotten_but_blocks_are_kept(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subnetlab.devnet.node.node.PRUNE_EVERY", 4)
    monkeypatch.setattr("subnetlab.devnet.pallets.system.BLOCK_HASH_COUNT", 8)
    for _ in range(16):
        node.seal()
    assert node.pruned_before == 8
    assert node.blocks.at(3) is not None
    assert {number for number, _ in node.ledger.items("System", "BlockHash")} == set(range(8, 16))
