"""TAO between coldkeys and the subnets' own accounts, and the two ways TAO leaves circulation.

A subnet's TAO reserve is real: it lies in an account derived from the pallet and the netuid, so that the
free balances of all accounts always add up to the issuance. Source: `coinbase/tao.rs` at spec 425.
"""

import bittensor_core as core

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.pallets import balances
from subnetlab.devnet.pallets.subtensor.entries import error, exists, require, take
from subnetlab.units import ROOT_NETUID

_ACCOUNT_BYTES = 32
_SUBNET_PREFIX = b"modlsubtensr"


def _pallet_account(prefix: bytes) -> str:
    return core.ss58_encode(prefix.ljust(_ACCOUNT_BYTES, b"\0"))


BURN_ACCOUNT = _pallet_account(b"modlburntnsr")
"""Where burnt TAO lies for ever; it stays counted in the issuance."""


def subnet_account(netuid: int) -> str:
    """The ss58 address that holds a subnet's TAO."""
    return _pallet_account(_SUBNET_PREFIX + netuid.to_bytes(2, "little"))


def is_subnet_account(account: str) -> bool:
    """Whether an address is derived from this pallet, and so may not be a hotkey."""
    raw = bytes(core.ss58_decode(account))
    return raw.startswith(_SUBNET_PREFIX) and not any(raw[len(_SUBNET_PREFIX) + 2 :])


def spendable(ledger: Ledger, coldkey: str) -> int:
    """What a coldkey holds, its existential deposit included."""
    return balances.free(ledger, coldkey)


def _account_of(ledger: Ledger, netuid: int) -> str:
    require(netuid == ROOT_NETUID or exists(ledger, "NetworksAdded", netuid), "SubnetNotExists")
    return subnet_account(netuid)


def pay_subnet(ledger: Ledger, netuid: int, coldkey: str, amount: int) -> int:
    """Move TAO to a subnet, less where the coldkey's existential deposit is at stake.

    Returns:
        The rao that moved.

    Raises:
        DispatchError: InsufficientTaoBalance where nothing could move.
    """
    if amount == 0:
        return 0
    account = _account_of(ledger, netuid)
    moved = min(amount, max(balances.free(ledger, coldkey) - balances.EXISTENTIAL_DEPOSIT, 0))
    require(moved, "InsufficientTaoBalance")
    balances.transfer(ledger, coldkey, account, moved, keep_alive=True)
    return moved


def transfer(ledger: Ledger, source: str, dest: str, amount: int) -> None:
    """Move TAO, letting the sender's account end."""
    if balances.free(ledger, source) < amount:
        raise error("InsufficientTaoBalance")
    before = int(ledger.get("Balances", "TotalIssuance"))
    balances.transfer(ledger, source, dest, amount, keep_alive=False)
    dust = before - int(ledger.get("Balances", "TotalIssuance"))
    if dust:
        take(ledger, "TotalIssuance", amount=dust)


def pay_from_subnet(ledger: Ledger, netuid: int, coldkey: str, amount: int) -> None:
    """Move TAO out of a subnet's account, which keeps what is left, however little.

    The chain reaps an account that is left with less than the existential deposit. Its subnet's reserve would
    still count that dust, and the last staker could not unstake; here the two move together.

    Raises:
        DispatchError: InsufficientTaoBalance; Token.BelowMinimum where the receiver would hold too little.
    """
    account = _account_of(ledger, netuid)
    left = balances.free(ledger, account) - amount
    require(left >= 0, "InsufficientTaoBalance")
    balances.set_free(ledger, account, left)
    balances.deposit(ledger, coldkey, amount)
    ledger.deposit_event("Balances", "Transfer", {"from": account, "to": coldkey, "amount": amount})


def burn(ledger: Ledger, account: str, amount: int) -> None:
    """Put TAO out of reach without changing the issuance."""
    if amount:
        transfer(ledger, account, BURN_ACCOUNT, amount)


def recycle(ledger: Ledger, account: str, amount: int) -> None:
    """Destroy TAO so that it can be emitted again."""
    require(amount <= balances.free(ledger, account) - balances.EXISTENTIAL_DEPOSIT, "InsufficientTaoBalance")
    take(ledger, "TotalIssuance", amount=amount)
    balances.withdraw(ledger, account, amount)
    balances.reduce_issuance(ledger, amount)
