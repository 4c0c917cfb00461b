"""Wallets and money of a network, as the verbs of `net`: what is held, and what is paid, staked and moved.

Every verb goes through the network's purse (balance, budget, confirmation), keeps what was spent in
`net.spent`, and puts it on the record of the runs that go on there. Amounts are whole tokens as a person
types them; inside they are rao.
"""

import contextlib
from typing import TYPE_CHECKING, Any, Literal

from subnetlab.errors import SubnetLabError
from subnetlab.fleet.launch import is_running, report_spent
from subnetlab.lab.holdings import Holdings, holdings
from subnetlab.lab.runs import runs
from subnetlab.network.balance import Balance
from subnetlab.network.client import NetworkClient
from subnetlab.network.confirm import Confirm
from subnetlab.network.destination import destination
from subnetlab.network.evm.addresses import evm_address, looks_like_evm
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.keyring import KEYRING
from subnetlab.network.receipt import Receipt, moved_from
from subnetlab.network.wallets import Wallet, address, is_address
from subnetlab.record.events import Spent, SpentWhat
from subnetlab.signatures import known_arguments
from subnetlab.units import Amount, rao

if TYPE_CHECKING:
    import polars as pl


class MoneyVerbs:
    """The half of `Net` that opens wallets and spends; it holds no connection of its own."""

    _client: NetworkClient
    play_money: bool
    endpoint: str
    spent: list[Spent]

    def wallet(self, name: str | Wallet = "alice") -> Wallet:
        """A wallet by name: a development key on a devnet, a `bittensor.Wallet` elsewhere.

        Raises:
            UnknownWallet: no wallet has this name.
            SecretRefused: that was no name but a secret.
        """
        return self._client.wallet(name)

    def evm_wallet(self, name: str | EvmWallet = "alice") -> EvmWallet:
        """A key of the EVM by name: a development key on a devnet, an encrypted keystore elsewhere.

        A keystore is named as `wallet/key`; its password is asked for when it is about to sign.

        Raises:
            UnknownWallet: no key has this name.
            SecretRefused: that was no name but a secret.
        """
        return self._client.evm.wallet(name)

    def lock(self) -> int:
        """Forget every key that a password has opened in this process; how many there were.

        The next signature asks for its password again. Fifteen minutes without a signature do the same.
        """
        return KEYRING.lock()

    def address(self, account: str | Wallet | EvmWallet) -> str:
        """The ss58 address of a wallet's coldkey, or the mirror of an EVM address; errors as `wallet`."""
        return destination(self._account(account), development=self.play_money)

    def _account(self, account: str | Wallet | EvmWallet) -> str | Wallet | EvmWallet:
        return account if is_address(account) or isinstance(account, EvmWallet) else self.wallet(account)

    def balance(self, account: str | Wallet | EvmWallet = "alice") -> Balance:
        """What an address, a wallet, or the wallet of a name holds, free to spend: a `bittensor.Balance`."""
        return Balance(self._client.balance(self._account(account)))

    def holdings(self, account: str | Wallet | EvmWallet = "alice") -> Holdings:
        """What a wallet or an address holds: free TAO, stake by subnet and hotkey, the budget left.

        What the EVM keys of a wallet hold is part of it. Errors as `wallet`. Example:
        `net.holdings("alice").total_rao`.
        """
        return holdings(self._client, self._account(account))

    @known_arguments("net.pay")
    def pay(
        self, *, amount_tao: Amount, to: str | Wallet | EvmWallet, wallet: str | Wallet | EvmWallet,
        confirm: Confirm | None = None,
    ) -> Receipt:  # fmt: skip
        """Pay TAO from a wallet of either half (`wallet`, `evm_wallet`) to an address of either half.

        `confirm` is asked instead of the usual confirmer.

        Raises:
            MoneyError: nothing was spent; the message says why.
            WalletError: no address, no wallet, or a secret where none belongs.
        """
        receipt = self._asking(confirm).pay(amount_tao=amount_tao, to=to, wallet=wallet)
        itself = self.address(to) == self.address(wallet)
        self._note("pay", receipt, 0 if itself else rao(amount_tao), to=self._payee(to), wallet=wallet)
        return receipt

    @known_arguments("net.fund_evm")
    def fund_evm(
        self, *, amount_tao: Amount, to: str | EvmWallet = "alice", wallet: str | Wallet = "alice",
        confirm: Confirm | None = None,
    ) -> Receipt:  # fmt: skip
        """Move TAO from a coldkey to an address of the EVM, given as it is or by the name of its key.

        The holder of that key alone can move it afterwards. Errors as `pay`.
        """
        receipt = self._asking(confirm).evm.fund(amount_tao=amount_tao, to=to, wallet=wallet)
        to = to if is_address(to) else self.evm_wallet(to)
        self._note("fund", receipt, rao(amount_tao), to=self._payee(to), wallet=wallet)
        return receipt

    @known_arguments("net.withdraw_evm")
    def withdraw_evm(
        self, *, amount_tao: Amount, wallet: str | EvmWallet = "alice", to: str | Wallet = "alice",
        confirm: Confirm | None = None,
    ) -> Receipt:  # fmt: skip
        """Move TAO from a key of the EVM back to a coldkey; the key pays the gas. Errors as `pay`."""
        receipt = self._asking(confirm).evm.withdraw(amount_tao=amount_tao, to=to, wallet=wallet)
        self._note("withdraw", receipt, rao(amount_tao), to=self.address(to), wallet=self.evm_wallet(wallet))
        return receipt

    def _asking(self, confirm: Confirm | None) -> NetworkClient:
        return self._client if confirm is None else self._client.asking(confirm)

    def _payee(self, to: str | Wallet | EvmWallet) -> str:
        """A receiver as a record names it: an address of the EVM stays one."""
        if isinstance(to, EvmWallet):
            return to.address
        if isinstance(to, str) and looks_like_evm(to):
            return evm_address(to)
        return destination(to, development=self.play_money)

    @known_arguments("net.stake")
    def stake(
        self, *, amount_tao: Amount, hotkey_ss58: str, netuid: int, wallet: str | Wallet,
        confirm: Confirm | None = None, **options: Any,
    ) -> Receipt:  # fmt: skip
        """Stake TAO behind a hotkey on a subnet; `rate_tolerance` bounds how far the price may move.

        Raises:
            MoneyError: nothing was spent; the message says why.
        """
        receipt = self._asking(confirm).stake(
            amount_tao=amount_tao, hotkey_ss58=hotkey_ss58, netuid=netuid, wallet=wallet, **options
        )
        self._note("stake", receipt, rao(amount_tao), to=hotkey_ss58, wallet=wallet, netuid=netuid)
        return receipt

    @known_arguments("net.unstake")
    def unstake(
        self,
        *,
        amount_alpha: Amount | Literal["all"],
        hotkey_ss58: str,
        netuid: int,
        wallet: str | Wallet,
        confirm: Confirm | None = None,
        **options: Any,
    ) -> Receipt:
        """Take stake back from a hotkey, or `"all"` of it."""
        receipt = self._asking(confirm).unstake(
            amount_alpha=amount_alpha, hotkey_ss58=hotkey_ss58, netuid=netuid, wallet=wallet, **options
        )
        back = moved_from(receipt, address(self.wallet(wallet)))
        self._note("unstake", receipt, back, to=hotkey_ss58, wallet=wallet, netuid=netuid)
        return receipt

    def execute(self, intent: Any, *, wallet: str | Wallet, confirm: Confirm | None = None) -> Receipt:
        """Carry out any intent of the bittensor SDK, through the same budget and confirmation."""
        receipt = self._asking(confirm).execute(intent, wallet=wallet)
        moved = moved_from(receipt, address(self.wallet(wallet)))
        if moved:
            named = (getattr(intent, name, "") for name in ("dest_ss58", "hotkey_ss58"))
            to = str(next((account for account in named if account), ""))
            netuid = getattr(intent, "netuid", None)
            self._note("execute", receipt, moved, to=to, wallet=wallet, netuid=netuid)
        return receipt

    def ledger(self) -> "pl.DataFrame":
        """Everything that was spent on this chain, by this process and others: one row each, fees included.

        Peers of a run pay their own fees, which are not in it. Example: `net.ledger()["fee_rao"].sum()`.
        """
        return self._client.ledger.frame()

    def _note(
        self, what: SpentWhat, receipt: Receipt, amount_rao: int, *, to: str,
        wallet: str | Wallet | EvmWallet, netuid: int | None = None,
    ) -> None:  # fmt: skip
        """Keep a spend, and put it on the record of the runs that go on here: on one subnet, or on all."""
        spent = Spent(
            what=what, tx=receipt.tx, amount_rao=amount_rao, to=to,
            wallet=wallet.address if isinstance(wallet, EvmWallet) else self.address(wallet),
            fee_rao=receipt.fee_rao, block=receipt.block,
        )  # fmt: skip
        self.spent.append(spent)
        for run in runs(all=True):
            # What is spent is spent: a run that cannot be told of it changes nothing about that.
            with contextlib.suppress(SubnetLabError):
                here = is_running(run.folder) and run.endpoint == self.endpoint
                if here and netuid in (None, run.netuid):
                    report_spent(run.folder, spent)
