"""Pay between the two halves of a chain: from an address of the EVM to another, and to an ss58 account.

What a coldkey pays to an address of the EVM is an ordinary transfer to the mirror and needs nothing from
here. The other way, the precompile at 0x800 pays an ss58 account from the address that calls it. Source:
precompile `balance-transfer` of Subtensor, by the SDK's own ABI.
"""

from typing import TYPE_CHECKING, Final

from bittensor.evm import PRECOMPILES, encode_call
from eth_typing import HexStr

from subnetlab.errors import ChainRejected
from subnetlab.network.destination import destination
from subnetlab.network.evm.addresses import evm_address, looks_like_evm
from subnetlab.network.evm.connection import translated
from subnetlab.network.evm.transactions import Transaction
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.wallets import Wallet
from subnetlab.units import Rao, format_tao

if TYPE_CHECKING:
    from web3 import Web3

_BALANCE_TRANSFER = PRECOMPILES["balance-transfer"]
_NO_FUNCTION: Final = HexStr("0xffffffff")


def payment(
    amount: Rao, to: str | Wallet | EvmWallet, *, development: bool, what: str = "pay"
) -> Transaction:
    """A payment from an address of the EVM.

    Args:
        amount: in rao, so that none of it is too fine for the chain's ledger.
        to: an address of either half, a wallet of either half, or the name of a development wallet.
        development: whether the chain is a development chain.
        what: the kind of spend, as the ledger keeps it.

    Raises:
        SecretRefused: the receiver looks like a secret.
        WalletError: the receiver is no address.
    """
    if isinstance(to, EvmWallet) or (isinstance(to, str) and looks_like_evm(to)):
        address = to.address if isinstance(to, EvmWallet) else evm_address(to)
        summary = f"pay {format_tao(amount)} to {address}"
        return Transaction(summary=summary, what=what, to=address, amount_rao=amount)
    account = destination(to, development=development)
    return Transaction(
        summary=f"pay {format_tao(amount)} to {account}",
        what=what,
        to=_BALANCE_TRANSFER.address,
        amount_rao=amount,
        data=encode_call(_BALANCE_TRANSFER.function("transfer"), [account]),
        receiver=account,
    )


def check_precompile(w3: "Web3", address: str) -> None:
    """Refuse to pay through a precompile that the chain does not have: its address would keep the money.

    A precompile refuses a function that it does not know; where there is none, anything succeeds.

    Raises:
        ChainRejected: it is not there; nothing was sent.
        NodeUnreachable: the node does not answer.
    """
    try:
        with translated("the node"):
            w3.eth.call({"to": w3.to_checksum_address(address), "data": _NO_FUNCTION})
    except ChainRejected:
        return
    raise ChainRejected(
        f"This chain has no precompile at {address}, so what is paid through it would be lost.",
        pallet="EVM",
        code="NoPrecompile",
        hint="Use a chain that has it: net = sl.connect(), the embedded devnet.",
    )
