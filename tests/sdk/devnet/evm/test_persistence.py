"""Contracts are part of the one state: held and put back, killed and gone on with, like everything else."""

from pathlib import Path

import pytest
from tests.sdk.devnet.conftest import StillClock
from tests.sdk.devnet.evm.conftest import TAO, Wallet, funded
from tests.sdk.devnet.evm.contracts import ask, box
from tests.sdk.devnet.evm.test_contract import total
from tests.sdk.devnet.signing import Signer
from tests.sdk.devnet.test_journal import killed, restarted, same

from subnetlab.devnet.chain import ledger
from subnetlab.devnet.node.ethereum_history import History
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import ethereum
from subnetlab.devnet.storage import snapshot
from subnetlab.devnet.storage.journal import Journal


def test_a_chain_that_was_put_back_has_the_contracts_of_then(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code)
    wallet.call(contract, ask("put(uint256)", 1))
    history = History(node)
    held, rao, head = snapshot.take(node), wallet.rao, history.hash_at(history.head)
    receipt = wallet.submit(to="", data=box().code, gas=3_000_000)
    node.seal()
    wallet.call(contract, ask("put(uint256)", 2), value=TAO)
    assert total(node, contract) == 3
    assert history.place_of(receipt.hash) is not None
    snapshot.put_back(node, held)
    assert (total(node, contract), wallet.rao) == (1, rao)
    assert history.hash_at(history.head) == head
    assert history.place_of(receipt.hash) is None
    assert wallet.call(contract, ask("put(uint256)", 4)).succeeded
    assert total(node, contract) == 5


def test_a_killed_node_goes_on_with_its_contracts(node: Node, signer: Signer, tmp_path: Path) -> None:
    journal = Journal(node, tmp_path / "chain")
    wallet = funded(node, signer)
    contract = wallet.create(box().code, value=TAO)
    transaction = wallet.submit(to="", data=box().code, gas=3_000_000)
    node.seal()
    wallet.call(contract, ask("put(uint256)", 7))
    killed(journal)
    again = restarted(node, tmp_path / "chain")
    assert same(again, node)
    assert total(again, contract) == 7
    history = History(again)
    number, index = history.place_of(transaction.hash) or (-1, -1)
    full = history.full(number)
    assert full is not None
    assert full.receipts[index].succeeded
    twin = Wallet(again)
    for one in (wallet, twin):
        one.call(contract, ask("put(uint256)", 1))
    assert again.blocks.head.hash == node.blocks.head.hash


def test_a_saved_chain_still_knows_its_receipts(node: Node, signer: Signer, tmp_path: Path) -> None:
    journal = Journal(node, tmp_path / "chain")
    wallet = funded(node, signer)
    contract = wallet.create(box().code)
    transaction = wallet.submit(to="", data=box().code, gas=3_000_000)
    node.seal()
    node.seal()
    wallet.call(contract, ask("put(uint256)", 7))
    before = History(node)
    told = [before.full(number) for number in range(before.head + 1)]
    journal.fold()
    killed(journal)
    again = Node(node.codec, StillClock())
    journal = Journal(again, tmp_path / "chain")
    history = History(again)
    assert [history.full(number) for number in range(history.head + 1)] == told
    assert history.place_of(transaction.hash) == before.place_of(transaction.hash)
    killed(journal)


def test_receipts_outlive_the_states_that_are_forgotten(node: Node, wallet: Wallet) -> None:
    contract = wallet.create(box().code)
    wallet.call(contract, ask("put(uint256)", 7))
    node.seal()
    history = History(node)
    told = [history.full(number) for number in range(history.head + 1)]
    for _ in range(3):
        node.seal()
    node.pruned_before = node.blocks.head.number
    node.state.prune(node.pruned_before, node.kept)
    assert [history.full(number) for number in range(len(told))] == told
    assert node.state.get(node.codec.key("System", "Number"), 2) is None


def test_a_chain_from_before_goes_on_with_ethereum(
    node: Node, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file saved by a node without an Ethereum half opens, and its next block has one."""
    own = {ethereum.begin, ethereum.store_block}
    with monkeypatch.context() as before:
        for name in ("HOOKS", "FINAL_HOOKS"):
            kept = [entry for entry in getattr(ledger, name) if entry[1] not in own]
            before.setattr(ledger, name, kept)
        for _ in range(3):
            node.seal()
        document = snapshot.document(node)
        snapshot.write(document, tmp_path / "chain")
    assert not node.ledger.has("EVMChainId", "ChainId")
    again = Node(node.codec, StillClock())
    snapshot.load(again, tmp_path / "chain")
    wallet = funded(again, Signer(again, signer.keys))
    assert wallet.send(value=TAO).succeeded
    history = History(again)
    assert [history.full(number) is None for number in range(history.head + 1)] == [
        False, True, True, True, False, False, False,
    ]  # fmt: skip
    assert again.ledger.get("EVMChainId", "ChainId") == 42
