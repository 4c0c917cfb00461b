"""EVM: money back from an Ethereum address, and contracts called or created by a chain key's extrinsic.

An account acts for the address that its first 20 bytes are, and for no other. The engine is loaded when a
call first needs it. Source: pallet-evm with `EnsureAddressTruncated`.
"""

from typing import Any

from subnetlab.devnet.chain.codec import array_of, bytes_of
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, Origin, call, ensure_root, ensure_signed
from subnetlab.devnet.evm import gas
from subnetlab.devnet.evm.addresses import mirror, truncated
from subnetlab.devnet.evm.apply import apply
from subnetlab.devnet.evm.engine import BLOCK_GAS_LIMIT, Message, Outcome
from subnetlab.devnet.evm.transaction import Authorization
from subnetlab.devnet.pallets import balances, system
from subnetlab.devnet.pallets.base_fee import base_fee

WEI_PER_RAO = 10**9


def ensure_address(origin: Origin, address: bytes) -> str:
    """The signer, whose key must be that of the address.

    Raises:
        DispatchError: BadOrigin for anybody else.
    """
    who = ensure_signed(origin)
    if truncated(who) != address:
        raise DispatchError("BadOrigin")
    return who


@call("EVM", "withdraw")
def withdraw(ledger: Ledger, origin: Origin, address: Any, value: int) -> None:
    """Move rao from an address's mirror to the account that the address is cut from."""
    source = array_of(address)
    who = ensure_address(origin, source)
    balances.transfer(ledger, mirror(source), who, value, keep_alive=False)


@call("EVM", "call")
def call_contract(ledger: Ledger, origin: Origin, source: Any, target: Any, **parts: Any) -> None:
    """Call a contract as the signer's address; the event says whether it did what it was asked."""
    sender, to = array_of(source), array_of(target)
    outcome = _apply(ledger, origin, sender, to=to, data=bytes_of(parts.pop("input")), **parts)
    event = "Executed" if outcome.succeeded else "ExecutedFailed"
    ledger.deposit_event("EVM", event, {"address": "0x" + to.hex()})


@call("EVM", "create", "create2")
def create_contract(ledger: Ledger, origin: Origin, source: Any, init: Any, **parts: Any) -> None:
    """Create a contract as the signer's address, where the address may."""
    sender = array_of(source)
    ensure_address(origin, sender)
    listed = [array_of(one) for one in ledger.get("EVM", "WhitelistedCreators")]
    if not ledger.get("EVM", "DisableWhitelistCheck") and sender not in listed:
        raise DispatchError("EVM", "NotAllowed")
    salt = parts.pop("salt", None)
    outcome = _apply(
        ledger, origin, sender, data=bytes_of(init), salt=None if salt is None else array_of(salt), **parts
    )
    event = "Created" if outcome.succeeded else "CreatedFailed"
    ledger.deposit_event("EVM", event, {"address": "0x" + (outcome.contract or b"").hex()})


@call("EVM", "set_whitelist")
def set_whitelist(ledger: Ledger, origin: Origin, new: Any) -> None:
    """Say who may create contracts by extrinsics, as root."""
    ensure_root(origin)
    ledger.put("EVM", "WhitelistedCreators", value=new)


@call("EVM", "disable_whitelist")
def disable_whitelist(ledger: Ledger, origin: Origin, disabled: bool) -> None:
    """Let everybody create contracts by extrinsics, or only those listed, as root."""
    ensure_root(origin)
    ledger.put("EVM", "DisableWhitelistCheck", value=disabled)


def _apply(
    ledger: Ledger,
    origin: Origin,
    sender: bytes,
    *,
    data: bytes,
    value: int,
    gas_limit: int,
    max_fee_per_gas: int,
    max_priority_fee_per_gas: int | None,
    nonce: int | None,
    access_list: Any,
    authorization_list: Any,
    to: bytes | None = None,
    salt: bytes | None = None,
) -> Outcome:
    ensure_address(origin, sender)
    tip = max_priority_fee_per_gas or 0
    message = Message(
        sender=sender, to=to, data=data, value=value, gas_limit=gas_limit, salt=salt,
        gas_price=min(max_fee_per_gas, base_fee(ledger) + tip),
        access_list=tuple((array_of(one), tuple(map(array_of, keys))) for one, keys in access_list),
        authorizations=tuple(map(_authorization, authorization_list)),
    )  # fmt: skip
    _validate(ledger, message, nonce, max_fee_per_gas, tip)
    return apply(ledger, message)


def _validate(ledger: Ledger, message: Message, nonce: int | None, max_fee: int, tip: int) -> None:
    account = mirror(message.sender)
    if nonce is not None and nonce != system.nonce(ledger, account):
        raise DispatchError("EVM", "InvalidNonce")
    if message.gas_limit < gas.least(message):
        raise DispatchError("EVM", "GasLimitTooLow")
    if message.gas_limit > BLOCK_GAS_LIMIT:
        raise DispatchError("EVM", "GasLimitTooHigh")
    if tip > max_fee or max_fee < base_fee(ledger):
        raise DispatchError("EVM", "GasPriceTooLow")
    reducible = max(balances.free(ledger, account) - balances.EXISTENTIAL_DEPOSIT, 0) * WEI_PER_RAO
    if reducible < message.value + max_fee * message.gas_limit:
        raise DispatchError("EVM", "BalanceLow")


def _authorization(fields: Any) -> Authorization:
    signature = fields["signature"]
    return Authorization(
        chain_id=int(fields["chain_id"]), address=array_of(fields["address"]), nonce=int(fields["nonce"]),
        parity=int(signature["odd_y_parity"]), r=int.from_bytes(array_of(signature["r"]), "big"),
        s=int.from_bytes(array_of(signature["s"]), "big"),
    )  # fmt: skip
