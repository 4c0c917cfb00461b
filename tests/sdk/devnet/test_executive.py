"""What an extrinsic leaves behind: the golden order of events, the fee, the nonce, and who paid."""

from typing import Any

from bittensor_core import Keypair
from tests.sdk.devnet.signing import Signer
from tests.sdk.devnet.test_codec import GOLDEN

from subnetlab.devnet.chain import admission, executive
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances, system, transaction_payment

BOB = Keypair.from_uri("//Bob").ss58_address
RAO = 10**9


def events(node: Node, index: int) -> list[tuple[str, str, Any]]:
    """(pallet, event, fields) of one extrinsic of the head."""
    return [
        (record["event"]["module_id"], record["event"]["event_id"], record["event"]["attributes"])
        for record in node.ledger.get("System", "Events")
        if record.get("extrinsic_idx") == index
    ]


def test_a_transfer_leaves_the_golden_events(node: Node, signer: Signer) -> None:
    node.submit(signer.transfer(BOB, RAO))
    node.seal()
    golden = [(e["pallet"], e["event"], e["attributes"]) for e in GOLDEN["receipt_events"]]
    assert events(node, 1) == golden


def test_the_fee_leaves_the_issuance_where_nobody_earns_it(node: Node, signer: Signer) -> None:
    pending = admission.admit(signer.transfer(BOB, RAO), node.ledger, node.blocks)
    issued = int(node.ledger.get("Balances", "TotalIssuance"))
    executive.apply_extrinsic(node.ledger, 1, pending)
    assert issued - int(node.ledger.get("Balances", "TotalIssuance")) == pending.fee == GOLDEN["fee_rao"]


def test_the_fee_goes_to_an_author(node: Node, signer: Signer) -> None:
    node.ledger.author = Keypair.from_uri("//Author").ss58_address
    pending = admission.admit(signer.transfer(BOB, RAO), node.ledger, node.blocks)
    issued = int(node.ledger.get("Balances", "TotalIssuance"))
    executive.apply_extrinsic(node.ledger, 1, pending)
    assert int(node.ledger.get("Balances", "TotalIssuance")) == issued
    assert balances.free(node.ledger, node.ledger.author) == pending.fee


def test_a_failed_call_keeps_fee_and_nonce_and_nothing_else(node: Node, signer: Signer) -> None:
    before, bob = balances.free(node.ledger, signer.address), balances.free(node.ledger, BOB)
    node.submit(signer.transfer(BOB, 10**18))
    node.seal()
    names = [name for _, name, _ in events(node, 1)]
    assert names == ["Withdraw", "Deposit", "TransactionFeePaid", "ExtrinsicFailed"]
    assert events(node, 1)[-1][2]["dispatch_error"] == {"Token": "FundsUnavailable"}
    assert balances.free(node.ledger, BOB) == bob
    assert before - 200_000 < balances.free(node.ledger, signer.address) < before
    assert system.nonce(node.ledger, signer.address) == 1


def test_a_sudo_call_gives_its_fee_back(node: Node, signer: Signer) -> None:
    before = balances.free(node.ledger, signer.address)
    inner = signer.call("System", "remark", remark=b"x")
    node.submit(signer.sign(signer.call("Sudo", "sudo", call=inner), tip=7))
    node.seal()
    assert balances.free(node.ledger, signer.address) == before - 7
    last = events(node, 1)[-1]
    assert last[2]["dispatch_info"]["pays_fee"] == "No"


def test_what_fails_inside_sudo_is_still_free(node: Node, signer: Signer) -> None:
    before = balances.free(node.ledger, signer.address)
    inner = signer.call("Contracts", "remove_code", code_hash="0x" + "00" * 32)
    node.submit(signer.sign(signer.call("Sudo", "sudo", call=inner)))
    node.seal()
    assert balances.free(node.ledger, signer.address) == before


def test_a_hotkeys_calls_are_paid_by_its_owner(node: Node) -> None:
    hotkey, owner = Keypair.from_uri("//Hot"), Keypair.from_uri("//Bob").ss58_address
    signer = Signer(node, hotkey)
    serve = signer.call(
        "SubtensorModule", "serve_axon", netuid=1, version=1, ip=16843009, port=8080, ip_type=4,
        protocol=4, placeholder1=0, placeholder2=0,
    )  # fmt: skip
    decoded = node.codec.runtime.decode_call(serve)
    assert transaction_payment.payer(node.ledger, signer.address, decoded) == signer.address
    node.ledger.put("SubtensorModule", "Owner", signer.address, value=owner)
    assert transaction_payment.payer(node.ledger, signer.address, decoded) == owner
    before = balances.free(node.ledger, owner)
    node.submit(signer.sign(serve))
    node.seal()
    assert balances.free(node.ledger, owner) < before
    assert system.nonce(node.ledger, signer.address) == 1


def test_the_block_links_to_its_parent(node: Node) -> None:
    parent = node.blocks.head
    node.seal()
    assert node.ledger.get("System", "ParentHash") == f"0x{parent.hash.hex()}"
    assert node.ledger.get("System", "BlockHash", 0) == f"0x{parent.hash.hex()}"
    assert node.ledger.get("System", "Number") == 1
    assert node.ledger.get("Timestamp", "Now") == node.ledger.now_ms
