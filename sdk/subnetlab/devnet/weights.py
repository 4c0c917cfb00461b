"""Reference times of calls: benchmark results of the runtime, which its metadata does not carry.

A call that is missing costs DEFAULT. Calls that carry calls cost the sum of theirs on top of their own.
Source: `*/src/weights.rs` of the chain's pallets.
"""

from collections.abc import Mapping
from typing import Any

from subnetlab.devnet.fees import Weight

DEFAULT = Weight(224_051_000, 7_791)
"""A call whose benchmark is not in the table costs what a transfer costs."""

WEIGHTS: Mapping[tuple[str, str], Weight] = {
    ("Balances", "transfer_keep_alive"): Weight(224_051_000, 7_791),
    ("Balances", "transfer_allow_death"): Weight(224_051_000, 7_791),
}


def weight_of(call: dict[str, Any]) -> Weight:
    """The weight of a decoded call with the calls inside it."""
    own = WEIGHTS.get((call["call_module"], call["call_function"]), DEFAULT)
    inner = [weight_of(c) for argument in call["call_args"] for c in _calls_in(argument["value"])]
    return Weight(
        own.ref_time + sum(w.ref_time for w in inner), own.proof_size + sum(w.proof_size for w in inner)
    )


def _calls_in(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and "call_module" in value:
        return [value]
    if isinstance(value, list):
        return [item for item in value if isinstance(item, dict) and "call_module" in item]
    return []
