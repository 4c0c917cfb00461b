"""TransactionPayment: who pays an extrinsic's fee.

Most signers pay themselves. Seventeen calls are made by hotkeys, which hold no balance: their owner's coldkey
pays. Source: `runtime/src/fee_filters.rs`, `runtime/src/transaction_payment_wrapper.rs`.
"""

from collections.abc import Iterator
from typing import Any

from subnetlab.devnet.chain.ledger import Ledger

COLDKEY_PAYS = frozenset(
    {
        *(
            ("SubtensorModule", name)
            for name in (
                "set_weights",
                "set_mechanism_weights",
                "batch_set_weights",
                "commit_weights",
                "commit_mechanism_weights",
                "batch_commit_weights",
                "commit_crv3_mechanism_weights",
                "commit_timelocked_weights",
                "commit_timelocked_mechanism_weights",
                "reveal_weights",
                "reveal_mechanism_weights",
                "batch_reveal_weights",
                "serve_axon",
                "serve_axon_tls",
                "serve_prometheus",
                "associate_evm_key",
            )
        ),
        ("Commitments", "set_commitment"),
    }
)
FREE_IN = frozenset({"Sudo"})
"""Pallets whose calls give their fee back when they succeed."""
PAID_BY_GAS = frozenset({("EVM", "call"), ("EVM", "create"), ("EVM", "create2")})
"""Calls that pay by gas, and give their fee back when they could begin."""
BATCHES = frozenset({("Utility", "batch"), ("Utility", "batch_all"), ("Utility", "force_batch")})


def leaves(call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The calls that a decoded call comes down to, through batches and proxies."""
    name = call["call_module"], call["call_function"]
    arguments = {a["name"]: a["value"] for a in call["call_args"]}
    if name in BATCHES:
        for inner in arguments["calls"]:
            yield from leaves(inner)
    elif name == ("Proxy", "proxy"):
        yield from leaves(arguments["call"])
    else:
        yield call


def is_free(call: dict[str, Any]) -> bool:
    """Whether a call that succeeds gives its fee back, the tip aside."""
    return call["call_module"] in FREE_IN or (call["call_module"], call["call_function"]) in PAID_BY_GAS


def payer(ledger: Ledger, signer: str, call: dict[str, Any]) -> str:
    """The account that an extrinsic's fee is taken from."""
    if any((leaf["call_module"], leaf["call_function"]) in COLDKEY_PAYS for leaf in leaves(call)):
        owner = ledger.get("SubtensorModule", "Owner", signer)
        if ledger.has("SubtensorModule", "Owner", signer):
            return owner
    return signer
