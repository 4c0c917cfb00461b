"""What waits for a block, in which order, and what may not wait at all."""

from collections.abc import Callable

import pytest
from bittensor_core import Keypair
from tests.sdk.devnet.signing import Signer

from subnetlab.devnet.chain import transaction_error, transaction_pool
from subnetlab.devnet.chain.block import hexed
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import CALLS
from subnetlab.devnet.chain.transaction_error import TransactionError
from subnetlab.devnet.chain.transaction_pool import Status
from subnetlab.devnet.node.node import Node

BOB = Keypair.from_uri("//Bob").ss58_address


def code(refused: pytest.ExceptionInfo[TransactionError]) -> int:
    return refused.value.code


def test_a_gap_in_nonces_waits_until_it_is_filled(node: Node, signer: Signer) -> None:
    seen: list[Status] = []
    node.submit(signer.transfer(BOB, 1, nonce=1), seen.append)
    assert seen == ["future"]
    assert len(node.seal().extrinsics) == 1
    node.submit(signer.transfer(BOB, 1, nonce=0))
    block = node.seal()
    assert len(block.extrinsics) == 3
    assert seen[1:] == [{"inBlock": f"0x{block.hash.hex()}"}, {"finalized": f"0x{block.hash.hex()}"}]


def test_the_same_bytes_twice(node: Node, signer: Signer) -> None:
    raw = signer.transfer(BOB, 1)
    node.submit(raw)
    with pytest.raises(TransactionError) as refused:
        node.submit(raw)
    assert code(refused) == transaction_error.ALREADY_IMPORTED


def test_a_better_tip_takes_the_place(node: Node, signer: Signer) -> None:
    seen: list[Status] = []
    node.submit(signer.transfer(BOB, 1, tip=5), seen.append)
    with pytest.raises(TransactionError) as refused:
        node.submit(signer.transfer(BOB, 2, tip=5))
    assert code(refused) == transaction_error.TOO_LOW_PRIORITY
    assert refused.value.message == "Priority is too low: (5 vs 5)"
    winner = node.submit(signer.transfer(BOB, 2, tip=6))
    assert seen == ["ready", {"usurped": f"0x{winner.hex()}"}]
    assert len(node.seal().extrinsics) == 2


def test_better_tips_go_first_but_nobody_overtakes_himself(node: Node) -> None:
    alice, bob = (Signer(node, Keypair.from_uri(uri)) for uri in ("//Alice", "//Bob"))
    order = [
        node.submit(alice.transfer(BOB, 1, nonce=0, tip=0)),
        node.submit(alice.transfer(BOB, 1, nonce=1, tip=9)),
        node.submit(bob.transfer(alice.address, 1, nonce=0, tip=5)),
    ]
    ready = [pending.extrinsic.hash for pending in node.ready()]
    assert ready == [order[2], order[0], order[1]]


def test_a_mortal_extrinsic_leaves_when_its_era_ends(node: Node, signer: Signer) -> None:
    seen: list[Status] = []
    node.submit(signer.transfer(BOB, 1, nonce=1, period=4), seen.append)
    for _ in range(4):
        node.seal()
    assert seen == ["future", "invalid"]
    assert len(node.transaction_pool) == 0


def test_what_became_unaffordable_is_dropped_from_its_block(node: Node, signer: Signer) -> None:
    poor = Signer(node, Keypair.from_uri("//Poor"))
    node.endow(poor.address, 500_000)
    node.seal()
    seen: list[Status] = []
    node.submit(poor.transfer(BOB, 300_000, nonce=0))
    node.submit(poor.transfer(BOB, 1, nonce=1), seen.append)
    assert len(node.seal().extrinsics) == 2
    assert seen == ["ready", "invalid"]


def test_the_pool_is_full_by_bytes_too(node: Node, signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (signer.transfer(BOB, 1, nonce=n) for n in range(2))
    monkeypatch.setattr(transaction_pool, "LIMIT_BYTES", len(first) + len(second) - 1)
    node.submit(first)
    with pytest.raises(TransactionError, match="1016"):
        node.submit(second)
    node.seal()
    node.submit(second)


def divides(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def leaves_an_event_no_client_can_read(ledger: Ledger, _origin: object, **_: object) -> None:
    ledger.deposit_event("Balances", "Deposit", {"who": BOB, "amount": "much"})


@pytest.mark.parametrize("bug", [divides, leaves_an_event_no_client_can_read])
def test_a_pallets_bug_costs_the_extrinsic_that_met_it(
    node: Node,
    signer: Signer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    bug: Callable[..., None],
) -> None:
    monkeypatch.setitem(CALLS, ("Contracts", "migrate"), bug)
    seen: list[Status] = []
    node.submit(signer.transfer(BOB, 1, nonce=0))
    migrate = signer.call("Contracts", "migrate", weight_limit={"ref_time": 0, "proof_size": 0})
    node.submit(signer.sign(migrate, nonce=1), seen.append)
    block = node.seal()
    assert len(block.extrinsics) == 3
    assert seen == ["ready", {"inBlock": hexed(block.hash)}, {"finalized": hexed(block.hash)}]
    *_, last = node.ledger.get("System", "Events")
    assert (last["event"]["event_id"], last["event"]["attributes"]["dispatch_error"]) == (
        "ExtrinsicFailed",
        "Other",
    )
    caplog.clear()
