"""Fees are the chain's, to the rao."""

from tests.sdk.devnet.test_codec import GOLDEN, unhex

from subnetlab.devnet.chain.call_weights import WEIGHTS, weight_of
from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.chain.extrinsic import parse
from subnetlab.devnet.chain.fees import BASE_REF_TIME, fee, weight_fee


def test_the_golden_transfer_costs_the_golden_fee(codec: Codec) -> None:
    raw = unhex(GOLDEN["receipt_extrinsic_hex"])
    weight = weight_of(codec.runtime.decode_call(parse(raw).call))
    assert fee(len(raw), weight) == GOLDEN["fee_rao"] == 166_247


def test_the_golden_event_carries_the_weight_with_its_base() -> None:
    info = GOLDEN["receipt_events"][-1]["attributes"]["dispatch_info"]["weight"]
    total = WEIGHTS["Balances", "transfer_keep_alive"].with_base()
    assert info == {"ref_time": total.ref_time, "proof_size": total.proof_size}


def test_a_half_rao_is_rounded_down() -> None:
    assert weight_fee(3_000) == 1
    assert weight_fee(3_001) == 2
    assert weight_fee(BASE_REF_TIME) == 54_078


def test_a_tip_comes_on_top() -> None:
    weight = WEIGHTS["Balances", "transfer_keep_alive"]
    assert fee(144, weight, tip=5) == fee(144, weight) + 5


def test_a_batch_costs_its_calls(codec: Codec) -> None:
    decoded = codec.runtime.decode_call(unhex(GOLDEN["nested_calls"][1]))
    assert decoded["call_function"] == "batch"
    one = WEIGHTS["Balances", "transfer_keep_alive"].ref_time
    assert weight_of(decoded).ref_time >= 2 * one
