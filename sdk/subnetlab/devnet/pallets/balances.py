"""Balances: accounts, existential deposit, transfers, issuance.

Source: Substrate's `pallet-balances` as the metadata describes it. Holds and freezes are kept at zero
(fidelity table). Amounts are rao.
"""

from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError, Origin, call, ensure_root, ensure_signed
from subnetlab.units import U64_MAX

EXISTENTIAL_DEPOSIT = 500


def address(destination: Any) -> str:
    """The ss58 address of a decoded MultiAddress."""
    return destination["Id"] if isinstance(destination, dict) else destination


def free(ledger: Ledger, who: str) -> int:
    """Free balance in rao."""
    return int(ledger.get("System", "Account", who)["data"]["free"])


def set_free(ledger: Ledger, who: str, amount: int) -> None:
    """Write a free balance; the account is reaped at zero and endowed from zero."""
    _set_free(ledger, who, ledger.get("System", "Account", who), amount)


def _set_free(ledger: Ledger, who: str, account: dict[str, Any], amount: int) -> None:
    """The same with the account as it was read; its nonce and counters are kept."""
    before = int(account["data"]["free"])
    account["data"]["free"] = amount
    if before == 0 and amount > 0:
        account["providers"] = 1
        ledger.deposit_event("System", "NewAccount", {"account": who})
        ledger.deposit_event("Balances", "Endowed", {"account": who, "free_balance": amount})
    elif amount == 0 and before > 0:
        account["providers"] = 0
        ledger.deposit_event("System", "KilledAccount", {"account": who})
    ledger.put("System", "Account", who, value=account)


def withdraw(ledger: Ledger, who: str, amount: int, *, keep_alive: bool = True) -> None:
    """Take rao from an account, leaving the existential deposit where `keep_alive`.

    The issuance does not change: the caller puts the rao somewhere, or calls `reduce_issuance`.

    Raises:
        DispatchError: Token.FundsUnavailable, or Token.NotExpendable below the existential deposit.
    """
    account = ledger.get("System", "Account", who)
    left = int(account["data"]["free"]) - amount
    if left < 0:
        raise DispatchError("Token", "FundsUnavailable")
    if left < EXISTENTIAL_DEPOSIT and (keep_alive or left != 0):
        if keep_alive:
            raise DispatchError("Token", "NotExpendable")
        reduce_issuance(ledger, left)  # dust below the deposit is lost with the account
        ledger.deposit_event("Balances", "DustLost", {"account": who, "amount": left})
        left = 0
    _set_free(ledger, who, account, left)


def deposit(ledger: Ledger, who: str, amount: int) -> None:
    """Give rao to an account.

    Raises:
        DispatchError: Token.BelowMinimum where a new account would stay below the existential deposit,
            Arithmetic.Overflow past what an account can hold.
    """
    account = ledger.get("System", "Account", who)
    after = int(account["data"]["free"]) + amount
    if after > U64_MAX:
        raise DispatchError("Arithmetic", "Overflow")
    if 0 < after < EXISTENTIAL_DEPOSIT:
        raise DispatchError("Token", "BelowMinimum")
    _set_free(ledger, who, account, after)


def issuance(ledger: Ledger) -> int:
    """All rao there is."""
    return int(ledger.get("Balances", "TotalIssuance"))


def issue(ledger: Ledger, amount: int) -> None:
    """Count newly created rao in the issuance, which stays within zero and the largest u64."""
    ledger.put("Balances", "TotalIssuance", value=min(max(issuance(ledger) + amount, 0), U64_MAX))


def reduce_issuance(ledger: Ledger, amount: int) -> None:
    """Count destroyed rao out of the issuance."""
    issue(ledger, -amount)


def transfer(ledger: Ledger, source: str, dest: str, amount: int, *, keep_alive: bool) -> None:
    """Move rao between accounts with the pallet's events."""
    if source == dest:
        if free(ledger, source) < amount:
            raise DispatchError("Token", "FundsUnavailable")
    else:
        withdraw(ledger, source, amount, keep_alive=keep_alive)
        deposit(ledger, dest, amount)
    ledger.deposit_event("Balances", "Transfer", {"from": source, "to": dest, "amount": amount})


@call("Balances", "transfer_keep_alive")
def transfer_keep_alive(ledger: Ledger, origin: Origin, dest: Any, value: int) -> None:
    """Move rao, refusing to reap the sender."""
    transfer(ledger, ensure_signed(origin), address(dest), value, keep_alive=True)


@call("Balances", "transfer_allow_death")
def transfer_allow_death(ledger: Ledger, origin: Origin, dest: Any, value: int) -> None:
    """Move rao, letting the sender's account end."""
    transfer(ledger, ensure_signed(origin), address(dest), value, keep_alive=False)


@call("Balances", "transfer_all")
def transfer_all(ledger: Ledger, origin: Origin, dest: Any, keep_alive: bool) -> None:
    """Move everything, or all but the existential deposit."""
    who = ensure_signed(origin)
    amount = free(ledger, who) - (EXISTENTIAL_DEPOSIT if keep_alive else 0)
    transfer(ledger, who, address(dest), max(amount, 0), keep_alive=keep_alive)


@call("Balances", "burn")
def burn(ledger: Ledger, origin: Origin, value: int, keep_alive: bool) -> None:
    """Destroy rao of one's own."""
    who = ensure_signed(origin)
    withdraw(ledger, who, value, keep_alive=keep_alive)
    reduce_issuance(ledger, value)
    ledger.deposit_event("Balances", "Burned", {"who": who, "amount": value})


@call("Balances", "force_transfer")
def force_transfer(ledger: Ledger, origin: Origin, source: Any, dest: Any, value: int) -> None:
    """Move anybody's rao, as root."""
    ensure_root(origin)
    transfer(ledger, address(source), address(dest), value, keep_alive=False)


@call("Balances", "force_set_balance")
def force_set_balance(ledger: Ledger, origin: Origin, who: Any, new_free: int) -> None:
    """Set anybody's balance, as root; below the existential deposit it is nothing."""
    ensure_root(origin)
    account = address(who)
    amount = new_free if new_free >= EXISTENTIAL_DEPOSIT else 0
    issue(ledger, amount - free(ledger, account))
    set_free(ledger, account, amount)
    ledger.deposit_event("Balances", "BalanceSet", {"who": account, "free": amount})
