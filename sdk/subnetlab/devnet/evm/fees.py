"""Who pays a transaction's gas, and who gets it.

Fees are taken and given back in whole rao, each amount rounded down on its own, as Subtensor does. The base
fee goes where all fees go, the tip to the author's mirror. Source: Subtensor's `SubtensorEvmFeeHandler`.
"""

from contextlib import suppress

import bittensor_core as core

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError
from subnetlab.devnet.evm.addresses import ZERO_ADDRESS, mirror
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.base_fee import base_fee
from subnetlab.units import U64_MAX

WEI_PER_RAO = 10**9


def author(ledger: Ledger) -> bytes:
    """The Ethereum address of who builds the block: bytes 4 to 24 of the key, zero where none earns."""
    return ZERO_ADDRESS if ledger.author is None else bytes(core.ss58_decode(ledger.author))[4:24]


def withdraw(ledger: Ledger, sender: bytes, wei: int) -> int:
    """Take the most that a transaction can cost; the rao taken.

    Raises:
        DispatchError: EVM.BalanceLow, EVM.FeeOverflow.
    """
    rao = wei // WEI_PER_RAO
    if wei == 0:
        return 0
    if rao > U64_MAX:
        raise DispatchError("EVM", "FeeOverflow")
    who = mirror(sender)
    try:
        balances.withdraw(ledger, who, rao)
    except DispatchError as error:
        raise DispatchError("EVM", "BalanceLow") from error
    ledger.deposit_event("Balances", "Withdraw", {"who": who, "amount": rao})
    return rao


def settle(ledger: Ledger, sender: bytes, gas_used: int, gas_price: int, paid: int) -> None:
    """Give back what was not used, and pass on the base fee and the tip."""
    if paid == 0:
        return
    cost = gas_used * gas_price // WEI_PER_RAO
    kept = paid - _give(ledger, mirror(sender), max(paid - cost, 0))
    fee = min(gas_used * base_fee(ledger) // WEI_PER_RAO, kept)
    given = 0 if ledger.author is None else _give(ledger, ledger.author, fee)
    given += _give(ledger, mirror(author(ledger)), kept - fee)
    balances.reduce_issuance(ledger, kept - given)


def _give(ledger: Ledger, who: str, rao: int) -> int:
    """Deposit rao where the account can hold them; the rao deposited."""
    if rao:
        with suppress(DispatchError), ledger.transaction():
            balances.deposit(ledger, who, rao)
            ledger.deposit_event("Balances", "Deposit", {"who": who, "amount": rao})
            return rao
    return 0
