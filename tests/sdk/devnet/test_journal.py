"""A chain that is killed between two blocks, at every byte, and goes on."""

import errno
import os
from pathlib import Path

import pytest
from bittensor_core import Keypair
from tests.sdk.devnet.conftest import StillClock
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet import metadata
from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.metadata import document
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.storage import snapshot
from subnetlab.devnet.storage.journal import Journal
from subnetlab.errors import StateFileInvalid

BOB = Keypair.from_uri("//Bob").ss58_address


def killed(journal: Journal) -> None:
    """What the system does to a killed process: its files are closed, nothing more is written."""
    os.close(journal._file)
    journal._node.on_sealed.clear()
    journal._node.on_adopted.clear()


def restarted(node: Node, file: Path) -> Node:
    """Another node that goes on with the same file, and lets go of it."""
    again = Node(node.codec, StillClock())
    killed(Journal(again, file))
    return again


def same(one: Node, other: Node) -> bool:
    return (list(one.blocks), one.state.latest(), one.ledger.now_ms) == (
        list(other.blocks), other.state.latest(), other.ledger.now_ms,
    )  # fmt: skip


def test_a_killed_node_has_lost_no_sealed_block_and_builds_the_same_next_one(
    node: Node, signer: Signer, tmp_path: Path
) -> None:
    file = tmp_path / "deep" / "chain"
    journal = Journal(node, file)
    for nonce in range(3):
        node.submit(signer.transfer(BOB, 5, nonce=nonce))
        node.seal()
    killed(journal)
    again = restarted(node, file)
    assert same(again, node)
    assert balances.free(again.ledger.at(1), BOB) == balances.free(node.ledger.at(1), BOB)
    assert again.seal().hash == node.seal().hash
    assert not file.exists()


def test_a_line_that_was_cut_anywhere_costs_its_block_only(node: Node, tmp_path: Path) -> None:
    file = tmp_path / "chain"
    journal = Journal(node, file)
    node.seal()
    whole = journal._end
    node.seal()
    killed(journal)
    lines = tmp_path / "chain.journal"
    data = lines.read_bytes()
    for end in range(whole, len(data), 97):
        lines.write_bytes(data[:end])
        assert restarted(node, file).blocks.head.number == 1
        assert lines.read_bytes() == data[:whole]
    lines.write_bytes(data)
    assert restarted(node, file).blocks.head == node.blocks.head


def test_folding_keeps_the_chain_and_empties_the_journal(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "chain"
    journal = Journal(node, file)
    node.seal()
    monkeypatch.setattr("subnetlab.devnet.storage.journal.FOLD_BYTES", 0)
    node.seal()
    assert file.exists()
    assert journal._end < 300
    monkeypatch.undo()
    node.seal()
    killed(journal)
    assert same(restarted(node, file), node)


def test_killed_between_the_new_snapshot_and_the_new_journal(node: Node, tmp_path: Path) -> None:
    file = tmp_path / "chain"
    journal = Journal(node, file)
    held = snapshot.take(node)
    for _ in range(3):
        node.seal()
    ahead = (tmp_path / "chain.journal").read_bytes()
    snapshot.put_back(node, held)
    killed(journal)
    (tmp_path / "chain.journal").write_bytes(ahead)
    assert restarted(node, file).blocks.head.number == 0


def test_a_chain_that_was_put_back_stays_put_back(node: Node, signer: Signer, tmp_path: Path) -> None:
    file = tmp_path / "chain"
    journal = Journal(node, file)
    node.seal()
    held = snapshot.take(node)
    node.submit(signer.transfer(BOB, 5))
    node.seal()
    snapshot.put_back(node, held)
    killed(journal)
    again = restarted(node, file)
    assert same(again, node)
    journal = Journal(again, file)
    again.seal()
    killed(journal)
    assert same(restarted(node, file), again)


def test_a_full_disk_costs_persistence_and_never_the_chain(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "chain"
    journal = Journal(node, file)
    node.seal()
    kept = (tmp_path / "chain.journal").read_bytes()

    def full(descriptor: int, data: memoryview) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("subnetlab.devnet.storage.journal.os.write", full)
        node.seal()
        node.seal()
        assert (tmp_path / "chain.journal").read_bytes() == kept
        assert caplog.text.count("goes on unsaved: No space left on device") == 1
    monkeypatch.setattr("subnetlab.devnet.storage.journal._RETRY_S", 0.0)
    node.seal()
    killed(journal)
    assert same(restarted(node, file), node)


def test_a_changed_line_is_refused_and_nothing_is_cut(node: Node, tmp_path: Path) -> None:
    file, lines = tmp_path / "chain", tmp_path / "chain.journal"
    journal = Journal(node, file)
    node.seal()
    node.seal()
    killed(journal)
    data = lines.read_bytes()
    for wrong in (data.replace(b'"],["', b'"],["00', 1), data.replace(b'[[2,"', b'[[3,"', 1), b"rubbish\n"):
        assert wrong != data
        lines.write_bytes(wrong)
        with pytest.raises(StateFileInvalid):
            Journal(Node(node.codec, StillClock()), file)
        assert lines.read_bytes() == wrong


def test_another_genesis_and_another_node_are_refused(node: Node, tmp_path: Path) -> None:
    file = tmp_path / "chain"
    journal = Journal(node, file)
    node.seal()
    with pytest.raises(StateFileInvalid, match="Another node"):
        Journal(Node(node.codec, StillClock()), file)
    killed(journal)
    patched = document.with_constant(metadata.recorded(), "SlotDuration", (12_000).to_bytes(8, "little"))
    with pytest.raises(StateFileInvalid, match="another genesis"):
        Journal(Node(Codec(patched, 461, 1), StillClock()), file)
    assert same(restarted(node, file), node)
