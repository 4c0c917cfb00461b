"""The chain's own runtime APIs, asked as a client asks: SCALE in, SCALE out."""

from typing import Any

import pytest
from bittensor_core import Keypair
from tests.sdk.devnet.signing import Signer
from tests.sdk.devnet.test_codec import GOLDEN, unhex

from subnetlab.devnet.chain.scale import Reader, prefixed
from subnetlab.devnet.node.node import BadArguments, Node, UnknownApi


def ask(node: Node, name: str, data: bytes) -> Any:
    api, method = name.split("_", 1)
    answer = node.call_api(name, data, node.blocks.head)
    return node.codec.decode(node.codec.apis[api][method]["output"], answer)


def test_metadata_is_served_in_both_versions_and_no_other(node: Node) -> None:
    for version, first in ((14, b"meta\x0e"), (15, b"meta\x0f")):
        name = "Metadata_metadata_at_version"
        answer = Reader(node.call_api(name, version.to_bytes(4, "little"), node.blocks.head))
        assert answer.byte() == 1
        assert answer.prefixed()[:5] == first
    assert node.call_api("Metadata_metadata_at_version", bytes(4), node.blocks.head) == b"\x00"
    assert ask(node, "Metadata_metadata_versions", b"") == [14, 15]


def test_the_version_is_the_recorded_one(node: Node) -> None:
    version = ask(node, "Core_version", b"")
    assert (version["spec_version"], version["transaction_version"]) == (461, 1)


def test_a_fee_query_answers_what_will_be_paid(node: Node) -> None:
    raw = unhex(GOLDEN["receipt_extrinsic_hex"])
    info = ask(node, "TransactionPaymentApi_query_info", raw + len(raw).to_bytes(4, "little"))
    assert info["partial_fee"] == GOLDEN["fee_rao"]
    details = ask(node, "TransactionPaymentApi_query_fee_details", raw + len(raw).to_bytes(4, "little"))
    assert sum(details["inclusion_fee"].values()) == GOLDEN["fee_rao"]


def test_a_bare_call_can_be_priced_too(node: Node, signer: Signer) -> None:
    call = signer.call("Balances", "transfer_keep_alive", dest=signer.address, value=1)
    info = ask(node, "TransactionPaymentCallApi_query_call_info", call + (144).to_bytes(4, "little"))
    assert info["partial_fee"] == GOLDEN["fee_rao"]


def test_an_extrinsic_nobody_can_read_costs_the_default(node: Node) -> None:
    info = ask(node, "TransactionPaymentApi_query_info", prefixed(b"\x84rubbish") + bytes(4))
    assert info["partial_fee"] > 0


def test_nonces_are_those_of_the_block_asked(node: Node, signer: Signer) -> None:
    account = bytes(signer.keys.public_key)
    before = node.seal()
    node.submit(signer.transfer(signer.address, 1))
    node.seal()
    assert ask(node, "AccountNonceApi_account_nonce", account) == 1
    output = node.codec.apis["AccountNonceApi"]["account_nonce"]["output"]
    assert node.codec.decode(output, node.call_api("AccountNonceApi_account_nonce", account, before)) == 0


def test_what_is_not_implemented_answers_zero_and_says_so_once(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert ask(node, "GrandpaApi_current_set_id", b"") == 0
    assert [record.getMessage() for record in caplog.records] == [
        "GrandpaApi_current_set_id is not implemented: it answers its type's zero value"
    ]


def asked(node: Node, raw: bytes) -> Any:
    """What the pool says of an extrinsic, asked as PAPI asks: from outside, at the head."""
    data = b"\x02" + raw + node.blocks.head.hash
    return ask(node, "TaggedTransactionQueue_validate_transaction", data)


def test_an_extrinsic_is_valid_where_the_pool_would_take_it(node: Node, signer: Signer) -> None:
    good = asked(node, signer.transfer(signer.address, 1, nonce=0, tip=7))["Ok"]
    assert (good["priority"], good["requires"], good["longevity"]) == (7, [], 2**64 - 1)
    assert len(good["provides"]) == 1
    later = asked(node, signer.transfer(signer.address, 1, nonce=1, period=64))["Ok"]
    assert later["requires"] == good["provides"]
    assert later["longevity"] == 64
    assert len(node.transaction_pool) == 0


def test_an_extrinsic_that_the_pool_refuses_is_invalid_for_the_same_reason(
    node: Node, signer: Signer
) -> None:
    node.submit(signer.transfer(signer.address, 1))
    node.seal()
    stale = asked(node, signer.transfer(signer.address, 1, nonce=0))
    assert stale == {"Err": {"Invalid": "Stale"}}
    forged = asked(node, signer.transfer(signer.address, 1, nonce=1, signature=bytes(64)))
    assert forged == {"Err": {"Invalid": "BadProof"}}
    poor = Signer(node, Keypair.from_uri("//Poor"))
    assert asked(node, poor.transfer(signer.address, 1)) == {"Err": {"Invalid": "Payment"}}
    sudo = Signer(node, Keypair.from_uri("//Bob"))
    call = sudo.call("Sudo", "sudo", call=sudo.call("System", "remark", remark=b""))
    assert asked(node, sudo.sign(call)) == {"Err": {"Invalid": "BadSigner"}}
    with pytest.raises(BadArguments):
        node.call_api("TaggedTransactionQueue_validate_transaction", b"\x02\x0c", node.blocks.head)


@pytest.mark.parametrize("name", ["BlockBuilder_apply_extrinsic", "ContractsApi_upload_code"])
def test_no_zero_says_that_something_was_done(node: Node, name: str) -> None:
    with pytest.raises(UnknownApi):
        node.call_api(name, b"", node.blocks.head)


def test_unknown_names_and_bad_arguments_are_told_apart(node: Node) -> None:
    with pytest.raises(UnknownApi):
        node.call_api("Core_fly", b"", node.blocks.head)
    with pytest.raises(BadArguments):
        node.call_api("AccountNonceApi_account_nonce", b"\x01", node.blocks.head)


ADDRESS = bytes(20)


@pytest.mark.parametrize(
    ("method", "data", "wanted"),
    [
        ("chain_id", b"", 42), ("account_basic", ADDRESS, {"balance": 0, "nonce": 0}),
        ("gas_price", b"", 17_500_400_000), ("account_code_at", ADDRESS, ""),
        ("author", b"", "0x" + "00" * 20),
        ("storage_at", ADDRESS + bytes(32), "0x" + "00" * 32), ("current_receipts", b"", []),
        ("current_transaction_statuses", b"", []), ("elasticity", b"", 125_000),
    ],
)  # fmt: skip
def test_ethereums_api_answers_in_the_runtimes_types(
    node: Node, method: str, data: bytes, wanted: object
) -> None:
    node.seal()
    assert ask(node, f"EthereumRuntimeRPCApi_{method}", data) == wanted


def test_ethereums_block_is_answered_and_cut_arguments_are_not(node: Node) -> None:
    node.seal()
    block, receipts, statuses = ask(node, "EthereumRuntimeRPCApi_current_all", b"")
    assert (block["header"]["number"], receipts, statuses) == (1, [], [])
    assert ask(node, "EthereumRuntimeRPCApi_current_block", b"") == block
    with pytest.raises(BadArguments):
        node.call_api("EthereumRuntimeRPCApi_account_basic", b"\1", node.blocks.head)
