"""0x800 and 0x80e: paying from the EVM to any account, and reading balances.

`transfer` forwards the value it is sent from the precompile's own account; the other calls sign as the
caller. Amounts in arguments and answers are rao. Source: `balance_transfer.rs`, `balance.rs`.
"""

from collections.abc import Sequence
from typing import Any

from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.precompiles.dispatch import dispatch
from subnetlab.devnet.evm.precompiles.frame import Frame, rao_of
from subnetlab.devnet.evm.precompiles.words import Arguments, Call, Precompile, Read, Stored
from subnetlab.devnet.pallets import balances
from subnetlab.units import U64_MAX

_FORWARD = Call("Balances.transfer_allow_death", dest="data", value="amount")


def transfer(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """Forward the value that came with the call; less than one rao moves nothing and succeeds."""
    amount = rao_of(frame.value)
    if amount:
        call = _FORWARD.encoded(frame.ledger.codec, {**arguments, "amount": min(amount, U64_MAX)})
        dispatch(frame, call, signer=mirror(frame.address))
    return ()


BALANCE_TRANSFER = Precompile(
    name="balance-transfer",
    switch="BalanceTransfer",
    bodies={
        "transfer": transfer,
        "transferAll": Call("Balances.transfer_all", dest="destination"),
        "transferKeepAlive": Call("Balances.transfer_keep_alive", dest="destination", value="amount"),
    },
)

BALANCE = Precompile(
    name="balance",
    switch="AccountBalance",
    bodies={
        "getFreeBalance": Read(1, balances.free),
        "getTotalIssuance": Stored("Balances.TotalIssuance"),
        "upgradeAccounts": Call("Balances.upgrade_accounts", who="accounts"),
    },
)
