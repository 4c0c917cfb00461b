"""Reference times of calls: benchmark results of the runtime, which its metadata does not carry.

The numbers are those of spec 425, the newest published with their sources; transfers are spec 461's, from the
golden receipt. A call that is missing costs DEFAULT. Calls that carry calls cost theirs on top of their own.
Source: `*/src/weights.rs` and the `pallet::weight` of the chain's calls, a read at 25 and a write at 100 µs.
"""

from collections.abc import Mapping
from typing import Any

from subnetlab.devnet.chain.fees import REF_TIME_PER_GAS, CallWeight

DEFAULT = CallWeight(224_051_000, 7_791)
"""A call whose benchmark is not in the table costs what a transfer costs."""
PER_BATCHED_CALL = CallWeight(5_450_264, 0)

WEIGHTS: Mapping[tuple[str, str], CallWeight] = {
    ("Balances", "transfer_keep_alive"): CallWeight(224_051_000, 7_791),
    ("Balances", "transfer_allow_death"): CallWeight(224_051_000, 7_791),
    ("Commitments", "set_max_space"): CallWeight(102_856_000, 0),
    ("MevShield", "submit_encrypted"): CallWeight(207_223_000, 0),
    ("SubtensorModule", "add_stake"): CallWeight(3_064_064_000, 8_727),
    ("SubtensorModule", "add_stake_limit"): CallWeight(3_253_005_000, 8_727),
    ("SubtensorModule", "burned_register"): CallWeight(4_086_815_000, 6_148),
    ("SubtensorModule", "decrease_take"): CallWeight(304_895_000, 4_295),
    ("SubtensorModule", "increase_take"): CallWeight(362_710_000, 4_388),
    ("SubtensorModule", "move_stake"): CallWeight(1_391_061_000, 7_919),
    ("SubtensorModule", "register_limit"): CallWeight(5_529_200_000, 0),
    ("SubtensorModule", "register_network"): CallWeight(6_077_125_000, 9_947),
    ("SubtensorModule", "register_network_with_identity"): CallWeight(5_950_041_000, 9_883),
    ("SubtensorModule", "remove_stake"): CallWeight(2_569_198_000, 10_557),
    ("SubtensorModule", "remove_stake_full_limit"): CallWeight(2_729_292_000, 10_591),
    ("SubtensorModule", "remove_stake_limit"): CallWeight(2_715_696_000, 10_591),
    ("SubtensorModule", "root_register"): CallWeight(2_178_934_000, 4_981),
    ("SubtensorModule", "set_activity_cutoff_factor"): CallWeight(414_193_000, 4_364),
    ("SubtensorModule", "set_auto_parent_delegation_enabled"): CallWeight(178_023_000, 4_364),
    ("SubtensorModule", "set_childkey_take"): CallWeight(428_870_000, 4_498),
    ("SubtensorModule", "set_children"): CallWeight(3_369_000_000, 0),
    ("SubtensorModule", "set_identity"): CallWeight(207_040_000, 6_829),
    ("SubtensorModule", "set_pending_childkey_cooldown"): CallWeight(102_805_000, 0),
    ("SubtensorModule", "set_subnet_identity"): CallWeight(142_513_000, 4_060),
    ("SubtensorModule", "set_tempo"): CallWeight(496_407_000, 4_440),
    ("SubtensorModule", "start_call"): CallWeight(364_454_000, 4_583),
    ("SubtensorModule", "sudo_set_max_childkey_take"): CallWeight(125_006_000, 0),
    ("SubtensorModule", "sudo_set_min_childkey_take"): CallWeight(125_006_000, 0),
    ("SubtensorModule", "sudo_set_tx_childkey_take_rate_limit"): CallWeight(105_760_000, 0),
    ("SubtensorModule", "swap_stake"): CallWeight(4_317_019_000, 10_920),
    ("SubtensorModule", "swap_stake_limit"): CallWeight(4_519_515_000, 11_077),
    ("SubtensorModule", "transfer_stake"): CallWeight(1_333_541_000, 7_994),
    ("SubtensorModule", "trigger_epoch"): CallWeight(442_539_000, 4_447),
    ("SubtensorModule", "try_associate_hotkey"): CallWeight(400_337_000, 4_283),
    ("SubtensorModule", "unstake_all"): CallWeight(176_830_000, 9_189),
    ("SubtensorModule", "unstake_all_alpha"): CallWeight(4_275_873_000, 11_306),
    ("SubtensorModule", "update_symbol"): CallWeight(228_313_000, 9_074),
    ("Swap", "set_fee_rate"): CallWeight(140_063_000, 3_994),
    ("Utility", "as_derivative"): CallWeight(65_378_000, 3_983),
    ("Utility", "batch"): CallWeight(69_446_696, 3_983),
    ("Utility", "batch_all"): CallWeight(63_428_230, 3_983),
    ("Utility", "dispatch_as"): CallWeight(6_893_000, 0),
    ("Utility", "force_batch"): CallWeight(62_134_867, 3_983),
    ("Utility", "if_else"): CallWeight(71_831_000, 3_983),
}


BY_GAS = frozenset({("EVM", "call"), ("EVM", "create"), ("EVM", "create2")})
"""Calls that weigh what the gas they may use does."""


def weight_of(call: dict[str, Any]) -> CallWeight:
    """The weight of a decoded call with the calls inside it."""
    name = call["call_module"], call["call_function"]
    if name in BY_GAS:
        gas = next(argument["value"] for argument in call["call_args"] if argument["name"] == "gas_limit")
        return CallWeight(int(gas) * REF_TIME_PER_GAS, 0)
    parts = [WEIGHTS.get(name, DEFAULT)]
    for argument in call["call_args"]:
        inner = _calls_in(argument["value"])
        parts += [weight_of(one) for one in inner]
        if isinstance(argument["value"], list):
            parts += [PER_BATCHED_CALL] * len(inner)
    return CallWeight(sum(part.ref_time for part in parts), sum(part.proof_size for part in parts))


def _calls_in(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and "call_module" in value:
        return [value]
    if isinstance(value, list):
        return [item for item in value if isinstance(item, dict) and "call_module" in item]
    return []
