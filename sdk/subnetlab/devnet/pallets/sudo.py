"""Sudo: one account may act as root.

A failing inner call does not fail the extrinsic: the event carries its error, which clients read. Source:
Substrate's `pallet-sudo`.
"""

from typing import Any

from subnetlab.devnet.chain import transaction_error
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import ROOT, DispatchError, Origin, admission, call, ensure_signed
from subnetlab.devnet.pallets.balances import address


def ensure_sudo(ledger: Ledger, origin: Origin) -> None:
    """Pass for the sudo key and for root.

    Raises:
        DispatchError: Sudo.RequireSudo for anybody else.
    """
    if not origin.root and ensure_signed(origin) != ledger.get("Sudo", "Key"):
        raise DispatchError("Sudo", "RequireSudo")


@admission("Sudo", "sudo", "sudo_unchecked_weight", "sudo_as", "set_key", "remove_key")
def only_the_key(ledger: Ledger, signer: str, **_arguments: Any) -> None:
    """Keep what anybody else sends out of the pool (`SudoTransactionExtension`)."""
    if signer != ledger.get("Sudo", "Key"):
        raise transaction_error.invalid(transaction_error.BAD_SIGNER)


def outcome(ledger: Ledger, origin: Origin, inner: dict[str, Any]) -> Any:
    """Dispatch a call and say how it went, as events carry it: `{"Ok": []}` or `{"Err": …}`."""
    try:
        ledger.dispatch(origin, inner)
    except DispatchError as error:
        return {"Err": ledger.error_value(error)}
    return {"Ok": []}


@call("Sudo", "sudo")
def sudo(ledger: Ledger, origin: Origin, call: Any) -> None:
    """Run a call as root."""
    ensure_sudo(ledger, origin)
    ledger.deposit_event("Sudo", "Sudid", {"sudo_result": outcome(ledger, ROOT, call)})


@call("Sudo", "sudo_unchecked_weight")
def sudo_unchecked_weight(ledger: Ledger, origin: Origin, call: Any, weight: Any) -> None:  # noqa: ARG001
    """Run a call as root; the weight is taken as given."""
    sudo(ledger, origin, call)


@call("Sudo", "sudo_as")
def sudo_as(ledger: Ledger, origin: Origin, who: Any, call: Any) -> None:
    """Run a call as another account."""
    ensure_sudo(ledger, origin)
    result = outcome(ledger, Origin(account=address(who)), call)
    ledger.deposit_event("Sudo", "SudoAsDone", {"sudo_result": result})


@call("Sudo", "set_key")
def set_key(ledger: Ledger, origin: Origin, new: Any) -> None:
    """Hand the sudo key over."""
    ensure_sudo(ledger, origin)
    old = ledger.get("Sudo", "Key")
    ledger.put("Sudo", "Key", value=address(new))
    ledger.deposit_event("Sudo", "KeyChanged", {"old": old, "new": address(new)})


@call("Sudo", "remove_key")
def remove_key(ledger: Ledger, origin: Origin) -> None:
    """Give the sudo key up for good."""
    ensure_sudo(ledger, origin)
    ledger.remove("Sudo", "Key")
    ledger.deposit_event("Sudo", "KeyRemoved", {})
