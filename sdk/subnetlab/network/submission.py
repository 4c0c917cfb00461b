"""Send something through the SDK and bring back a receipt.

The SDK keeps the next nonce of an account; after a shielded extrinsic it is one behind, so it is asked of the
node anew for each submission, and again where another extrinsic was quicker to take it. The receipt's hash is
that of the bytes in the block: the SDK's result does not carry it.
"""

from collections.abc import Callable
from typing import Any

import bittensor

from subnetlab.errors import ChainRejected, NodeUnreachable
from subnetlab.network.receipt import Receipt
from subnetlab.network.rejection import rejected, translated
from subnetlab.network.transport import hash_of
from subnetlab.network.wire_client import WireClient
from subnetlab.waiting import waiting

_TAKEN = ("Stale", "PriorityTooLow")
"""Refusals of a nonce that another extrinsic of the same account already uses."""
_ATTEMPTS = 4
"""Two forms and a cell may spend from one account at the same moment."""


def send(
    client: WireClient,
    submit: Callable[[], bittensor.ExtrinsicResult],
    *,
    signer: str,
    summary: str,
    patience_s: float,
) -> Receipt:
    """Submit, wait until it is final, and return the receipt.

    Args:
        client: the connection.
        submit: calls one of the SDK's submitting methods.
        signer: the ss58 address that signs, whose nonce is asked for anew.
        summary: what it does, in words, for the receipt.
        patience_s: the longest wait for its block.

    Raises:
        ChainRejected: refused by the pool, or failed in its block.
        NodeUnreachable: no answer, no block took it in time, or the connection broke before that.
    """
    try:
        told = waiting(f"a block with: {summary}" if summary else "a block")
        with told, translated(client.endpoint), client.patience(patience_s):
            client.connect()
            result = _once(client, submit, signer)
            for _ in range(_ATTEMPTS - 1):
                if result.success or result.error is None or result.error.name not in _TAKEN:
                    break
                result = _once(client, submit, signer)
    except NodeUnreachable as error:
        if not isinstance(error.__cause__, TimeoutError):
            raise
        raise NodeUnreachable(
            f"It may be in the pool, but no block took it within {patience_s:g} s: {summary}.",
            hint="Where blocks are sealed by hand, seal one; look at the balance before trying again.",
        ) from error
    if not result.success:
        error = rejected(result.error, result.message)
        if isinstance(error, ChainRejected) and result.extrinsic_id and not result.data.get("shielded"):
            error.fee_rao = _paid(client, result, signer)
        raise error
    return _receipt(client, result, signer, summary)


def _once(
    client: WireClient, submit: Callable[[], bittensor.ExtrinsicResult], signer: str
) -> bittensor.ExtrinsicResult:
    client.substrate.raw.clear_nonce_cache_for_account(signer)
    return submit()


def _receipt(client: WireClient, result: bittensor.ExtrinsicResult, signer: str, summary: str) -> Receipt:
    number, _, index = (result.extrinsic_id or "").partition("-")
    extrinsics = client.rpc("chain_getBlock", result.block_hash)["block"]["extrinsics"]
    fee = int(result.fee.rao) if result.fee is not None else 0
    if result.data.get("shielded"):
        fee += _carrier_fee(client, str(result.block_hash), signer)
    return Receipt(
        tx=hash_of(str(extrinsics[int(index)])),
        block=int(number),
        fee_rao=fee,
        summary=summary,
        events=tuple(_event(entry) for entry in result.events),
        data=dict(result.data),
    )


def _paid(client: WireClient, result: bittensor.ExtrinsicResult, signer: str) -> int:
    """What an extrinsic that failed in its block cost its signer."""
    index = int(str(result.extrinsic_id).partition("-")[2])
    events = client.run(client.substrate.events(str(result.block_hash)))
    paid = [
        entry["attributes"]
        for entry in events
        if entry["extrinsic_idx"] == index and entry["event_id"] == "TransactionFeePaid"
    ]
    return sum(int(fee["actual_fee"]) for fee in paid if fee["who"] == signer)


def _carrier_fee(client: WireClient, block_hash: str, signer: str) -> int:
    """What the extrinsic that carried a shielded one cost; 0 where it went into an earlier block."""
    events = client.run(client.substrate.events(block_hash))
    carriers = {
        entry["extrinsic_idx"]
        for entry in events
        if (entry["module_id"], entry["event_id"]) == ("MevShield", "EncryptedSubmitted")
    }
    return sum(
        int(entry["attributes"]["actual_fee"])
        for entry in events
        if entry["event_id"] == "TransactionFeePaid"
        and entry["extrinsic_idx"] in carriers
        and entry["attributes"]["who"] == signer
    )


def _event(entry: dict[str, Any]) -> dict[str, Any]:
    return {"pallet": entry["module_id"], "name": entry["event_id"], "fields": entry.get("attributes")}
