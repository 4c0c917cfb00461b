"""The Ethereum half of one network, through the network's own purse: keys, web3, and money across the halves.

`NetworkClient.evm` holds it; budget, confirmation and ledger are those of the network, so a spend counts
once, whichever half it leaves. Nothing is connected before the first question.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import bittensor

from subnetlab.network.destination import ss58_account
from subnetlab.network.evm.addresses import evm_address, looks_like_evm
from subnetlab.network.evm.connection import connected, http_endpoint
from subnetlab.network.evm.payments import check_precompile, payment
from subnetlab.network.evm.transactions import Gas, Sender, Transaction, estimate, free_rao, gas_cost
from subnetlab.network.evm.wallet import EvmWallet, evm_wallet
from subnetlab.network.receipt import Receipt
from subnetlab.network.wallets import Wallet, is_address
from subnetlab.units import Amount, Rao, rao

if TYPE_CHECKING:
    from web3 import Web3

    from subnetlab.network.client import NetworkClient


class EvmHalf:
    """What a network can do with addresses of the EVM.

    Every method that moves money raises as `NetworkClient.pay`, and `NotYetSupported` where the node answers
    nothing of the EVM, `WrongChain` where another chain answers.
    """

    def __init__(self, client: "NetworkClient") -> None:
        self._client = client

    def wallet(self, name: str | EvmWallet) -> EvmWallet:
        """A key of the EVM by name; see `wallet.evm_wallet`."""
        return evm_wallet(name, development=self._client.development)

    @property
    def w3(self) -> "Web3":
        """The web3 object of this network; one connection for all that ask."""
        return self._client.w3

    def connect(self) -> "Web3":
        """A new web3 object, once it is certain that it is of this network's chain."""
        client = self._client

        def chain_id() -> int:
            with client.client.question():
                return int(client.client.query(("EVMChainId", "ChainId")) or 0)

        return connected(
            client.network.name, client.endpoint, answer_s=client.client.answer_s, chain_id=chain_id
        )

    @property
    def url(self) -> str:
        """Where web3 reaches this network."""
        return http_endpoint(self._client.network.name, self._client.endpoint)

    def balance(self, address: str | EvmWallet) -> Rao:
        """What an address may spend and stay alive, in rao."""
        found = address.address if isinstance(address, EvmWallet) else evm_address(address)
        return Rao(free_rao(self.w3, found))

    def gas_cost(self, gas: int) -> Rao:
        """What so much gas may cost in the next blocks."""
        return Rao(gas_cost(self.w3, gas))

    def gas(self, wallet: EvmWallet, transaction: Transaction) -> Gas:
        """What a transaction would use now; it raises `ChainRejected`, in words, where it would fail."""
        return estimate(self.w3, wallet.address, transaction)

    def pay(
        self, amount: Rao, to: str | Wallet | EvmWallet, wallet: str | EvmWallet, *, what: str = "pay",
        own: bool = False,
    ) -> Receipt:  # fmt: skip
        """Pay from an address of the EVM to an address of either half."""
        opened = self.wallet(wallet)
        paid = payment(amount, to, development=self._client.development, what=what)
        if paid.receiver:
            check_precompile(self.w3, str(paid.to))
        return self.send(opened, replace(paid, own=own))

    def fund(self, *, amount_tao: Amount, to: str | EvmWallet, wallet: str | Wallet) -> Receipt:
        """Move TAO from a coldkey to an address of the EVM: a transfer to its mirror, at the usual fee.

        To a key that is held here it is no spend but for its fee; to an address alone it is a payment.
        """
        address = to.address if isinstance(to, EvmWallet) else self._named(to)
        own = isinstance(to, EvmWallet) or not looks_like_evm(to)
        amount: Any = bittensor.Balance.from_rao(int(rao(amount_tao)))
        return self._client.execute(
            bittensor.FundEvmKey(evm_address=address, amount_tao=amount), wallet=wallet, own=own
        )

    def withdraw(self, *, amount_tao: Amount, to: str | Wallet, wallet: str | EvmWallet) -> Receipt:
        """Move TAO from an address of the EVM to a coldkey; the address pays the gas.

        To a wallet it is no spend but for its fee; to an address alone it is a payment.
        """
        account = to if is_address(to) else self._client.wallet(to)
        receiver = ss58_account(account)
        return self.pay(rao(amount_tao), receiver, wallet, what="withdraw", own=not is_address(to))

    def send(self, wallet: str | EvmWallet, transaction: Transaction) -> Receipt:
        """Send any transaction through the purse."""
        client = self._client
        sender = Sender(
            w3=self.w3, purse=client.purse, network=client.network.name, real=not client.development,
            patience_s=client.patience_s,
        )  # fmt: skip
        return sender.send(self.wallet(wallet), transaction)

    def _named(self, to: str) -> str:
        """A `0x…` address as it is, or that of a wallet's name."""
        return evm_address(to) if looks_like_evm(to) else self.wallet(to).address
