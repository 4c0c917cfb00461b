"""One network as a notebook holds it: the SDK's client, plus money that is asked about and lasting receipts.

A thin face: reads and calls beyond these few go through `.client`, which is the SDK's own. Every extrinsic
passes the purse (balance, budget, confirmation) when it moves money, waits until it is final, and returns a
`Receipt` or raises in words: any method `NodeUnreachable`, and `ChainRejected` with the chain's own names.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

import bittensor

from subnetlab.errors import ChainRejected, DevnetOnly, UnknownNetwork
from subnetlab.network.budget import Budget
from subnetlab.network.chain import Block
from subnetlab.network.confirm import Confirm, Spend, checked, confirm_default
from subnetlab.network.destination import check_addresses, check_opens, destination, ss58_account
from subnetlab.network.dev import DevControls
from subnetlab.network.endpoints import Network, play_money, resolve
from subnetlab.network.evm.addresses import looks_like_evm
from subnetlab.network.evm.half import EvmHalf
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.ledger import Ledger
from subnetlab.network.metagraph import MetagraphSnapshot, read_metagraph
from subnetlab.network.outflow import outflow, transferred
from subnetlab.network.receipt import Receipt
from subnetlab.network.rejection import translated
from subnetlab.network.settling import Settling
from subnetlab.network.spending import Purse
from subnetlab.network.stake_limits import check_stake
from subnetlab.network.stake_quote import StakeQuote, protection, stake_quote, unstake_quote
from subnetlab.network.submission import send
from subnetlab.network.wallet_files import signing_wallet
from subnetlab.network.wallets import Wallet, lifetime, open_wallet
from subnetlab.network.wire_client import ANSWER_LIMIT_S, WireClient
from subnetlab.units import AlphaRao, Amount, Rao, rao

RATE_TOLERANCE = 0.05
"""How far the price may move while a stake is on its way, as a share; the SDK's own default."""


class NetworkClient:
    """A network by its endpoint; connects on first use.

    Args:
        endpoint: `ws://host:port`, or a name such as `test`.
        name: what to call it; the endpoint's own name unless given (`devnet` for the embedded node).
        confirm: who is asked before money is spent; by default a person, for real money only.
        budget: what may be spent; the one kept for this network unless given.
        real: treat play money as real money, to rehearse for a public network; never the other way round.
        patience_s: the longest wait for the block of anything submitted.
        answer_s: the longest wait for an answer.

    `client` is the SDK's client, `dev` the controls of a development node.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        name: str | None = None,
        confirm: Confirm | None = None,
        budget: Budget | None = None,
        real: bool = False,
        patience_s: float = 300.0,
        answer_s: float = ANSWER_LIMIT_S,
    ) -> None:
        found = resolve(endpoint)
        if found.endpoint is None:
            raise UnknownNetwork("The embedded devnet has no endpoint of its own.", hint="Start it first.")
        self.network = Network(name=name or found.name, endpoint=found.endpoint)
        self.endpoint = found.endpoint
        self.client = WireClient(found.endpoint, answer_s=answer_s)
        self.dev = DevControls(found.endpoint, answer_s=answer_s)
        self._confirm, self._budget, self._real = checked(confirm), budget, real
        self.patience_s = patience_s

    @cached_property
    def development(self) -> bool:
        """Whether the chain calls itself a development chain: its money is play money."""
        try:
            return not self._real and play_money(str(self.client.rpc("system_chainType")), self.genesis)
        except ChainRejected:
            return False

    @cached_property
    def genesis(self) -> str:
        """The hash of the first block, `0x…`."""
        return str(self.client.rpc("chain_getBlockHash", 0))

    @cached_property
    def chain(self) -> str:
        """What tells this chain from every other, as a file name: its genesis.

        Development chains share one, so the first block, which has the time in it, is added there.
        """
        genesis = self.genesis[2:34]
        if self._real:
            return f"{genesis}-rehearsal"
        first = self.client.rpc("chain_getBlockHash", 1) if self.development else None
        return genesis if first is None else f"{genesis}-{str(first)[2:34]}"

    @cached_property
    def purse(self) -> Purse:
        """The budget and the confirmer, which all spending passes."""
        budget = self._budget or Budget(self.chain, unlimited=self.development, network=self.network.name)
        confirm = self._confirm or confirm_default(real=not self.development)
        return Purse(budget=budget, confirm=confirm, ledger=Ledger(self.chain, settle=Settling(self)))

    @cached_property
    def evm(self) -> EvmHalf:
        """Keys, web3 and money of the EVM on this network."""
        return EvmHalf(self)

    @cached_property
    def w3(self) -> Any:
        """The web3 object of this network, connected when it is first asked for; errors as `evm`."""
        return self.evm.connect()

    @property
    def budget(self) -> Budget:
        """What may be spent on this network."""
        return self.purse.budget

    @property
    def ledger(self) -> Ledger:
        """What was spent on this chain, by every process of this user."""
        return self.purse.ledger or Ledger(self.chain)

    def forget_budget(self) -> None:
        """Remove what is kept of budget and ledger, because this chain is gone for good."""
        if "purse" in vars(self):
            self.budget.forget()
            self.ledger.forget()

    def asking(self, confirm: Confirm) -> "NetworkClient":
        """The same connection and the same budget, with somebody else to ask before money is spent.

        Leave the network by closing the first one.
        """
        other = copy(self)
        other.purse = replace(self.purse, confirm=checked(confirm))
        vars(other).pop("evm", None)
        return other

    # -- reading -------------------------------------------------------------------------------------------

    def wallet(self, wallet: str | Wallet) -> Wallet:
        """Open a wallet by name, or check that one may be used on this network; see `wallets.open_wallet`."""
        return open_wallet(wallet, development=self.development)

    def balance(self, account: str | Wallet | EvmWallet) -> Rao:
        """The free balance of an address or of a wallet's coldkey; of the EVM, what lies on the mirror.

        Raises:
            WalletError: it is no address, or a secret where none belongs.
        """
        who = destination(account, development=self.development)
        with self.client.question():
            return Rao(int(self.client.query(("System", "Account"), [who])["data"]["free"]))

    @cached_property
    def existential_deposit(self) -> Rao:
        """What an account must hold to exist."""
        with self.client.question():
            return Rao(int(self.client.constant(("Balances", "ExistentialDeposit"))))

    def head(self) -> Block:
        """The newest block."""
        found = str(self.client.rpc("chain_getHead"))
        header = self.client.rpc("chain_getHeader", found)
        return Block(number=int(header["number"], 16), hash=found)

    def metagraph(self, netuid: int, block: int | None = None) -> MetagraphSnapshot:
        """A subnet frozen at a block, the head unless given."""
        return read_metagraph(self.client, netuid, block)

    def uid(self, netuid: int, hotkey_ss58: str) -> int | None:
        """The uid a hotkey holds on a subnet, or None."""
        with self.client.question():
            found = self.client.query(("SubtensorModule", "Uids"), [netuid, hotkey_ss58])
        return None if found is None else int(found)

    def subnets(self) -> tuple[int, ...]:
        """The netuids that exist, lowest first."""
        with self.client.question():
            rows = self.client.query_map(("SubtensorModule", "NetworksAdded"))
        return tuple(sorted(int(netuid) for netuid, added in rows if added))

    # -- money ---------------------------------------------------------------------------------------------

    def pay(
        self, *, amount_tao: Amount, to: str | Wallet | EvmWallet, wallet: str | Wallet | EvmWallet
    ) -> Receipt:
        """Pay TAO from a wallet of either half to an address of either half; the sender stays alive.

        Raises:
            InvalidAmount: not a positive amount the chain can carry.
            WalletError: no address, no wallet, or a secret where none belongs.
            MoneyError: over balance, over budget, not confirmed; nothing was spent.
        """
        amount = rao(amount_tao)
        if isinstance(wallet, EvmWallet):
            return self.evm.pay(amount, to, wallet)
        to = to.address if isinstance(to, EvmWallet) else to
        if isinstance(to, str) and looks_like_evm(to):
            return self.evm.fund(amount_tao=amount_tao, to=to, wallet=wallet)
        dest = destination(to, development=self.development)
        return self.execute(bittensor.Transfer(dest_ss58=dest, amount_tao=_exact(amount)), wallet=wallet)

    def stake(
        self,
        *,
        amount_tao: Amount,
        hotkey_ss58: str,
        netuid: int,
        wallet: str | Wallet,
        rate_tolerance: float | None = RATE_TOLERANCE,
    ) -> Receipt:
        """Stake TAO behind a hotkey.

        Fails if the price moves by more than `rate_tolerance`, a share; None takes any. Errors as `pay`.
        """
        amount = _exact(rao(amount_tao))
        hotkey = ss58_account(hotkey_ss58)
        intent = bittensor.AddStake(
            hotkey_ss58=hotkey, netuid=netuid, amount_tao=amount, **protection(rate_tolerance)
        )
        return self.execute(intent, wallet=wallet)

    def unstake(
        self,
        *,
        amount_alpha: Amount | Literal["all"],
        hotkey_ss58: str,
        netuid: int,
        wallet: str | Wallet,
        rate_tolerance: float | None = RATE_TOLERANCE,
    ) -> Receipt:
        """Take stake back, or `all` of it; it costs the fees only. Errors as `pay`."""
        everything = isinstance(amount_alpha, str) and amount_alpha == "all"
        amount = "all" if everything else _exact(rao(amount_alpha, netuid=netuid), netuid)
        hotkey = ss58_account(hotkey_ss58)
        intent = bittensor.RemoveStake(
            hotkey_ss58=hotkey, netuid=netuid, amount_alpha=amount, **protection(rate_tolerance)
        )
        return self.execute(intent, wallet=wallet)

    def quote_stake(self, *, amount_tao: Amount, netuid: int) -> StakeQuote:
        """What staking this much would bring, before anything is sent."""
        return stake_quote(self.client, rao(amount_tao), netuid)

    def quote_unstake(self, *, amount_alpha: Amount, netuid: int) -> StakeQuote:
        """What taking this much back would bring, before anything is sent."""
        return unstake_quote(self.client, AlphaRao(rao(amount_alpha, netuid=netuid)), netuid)

    # -- subnets and neurons -------------------------------------------------------------------------------

    def register_subnet(self, wallet: str | Wallet, *, hotkey_ss58: str | None = None) -> tuple[int, Receipt]:
        """Create a subnet owned by the wallet; returns its netuid. The price is the chain's current one."""
        with self.client.question():
            cost = self.client.read("subnet_registration_cost")
        hotkey = None if hotkey_ss58 is None else ss58_account(hotkey_ss58)
        intent = bittensor.RegisterSubnet(hotkey_ss58=hotkey)
        receipt = self.execute(intent, wallet=wallet, cost_rao=int(cost.rao))
        return int(receipt.data["netuid"]), receipt

    def start_call(self, netuid: int, wallet: str | Wallet) -> Receipt:
        """Start a subnet as its owner: staking and epochs begin."""
        return self.execute(bittensor.StartCall(netuid=netuid), wallet=wallet)

    def burned_register(
        self, netuid: int, wallet: str | Wallet, *, hotkey_ss58: str | None = None
    ) -> tuple[int, Receipt]:
        """Register a hotkey (the wallet's own unless given) for the burn price; returns its uid.

        The SDK sends it through the MEV shield, as the chain demands.
        """
        with self.client.question():
            cost = int(self.client.query(("SubtensorModule", "Burn"), [netuid]) or 0)
        opened = self.wallet(wallet)
        if hotkey_ss58 is None:
            hotkey = str(bittensor.public_view(opened, "hotkey").ss58_address)
        else:
            hotkey = ss58_account(hotkey_ss58)
        intent = bittensor.BurnedRegister(netuid=netuid, hotkey_ss58=hotkey)
        receipt = self.execute(intent, wallet=opened, cost_rao=cost)
        uid = self.uid(netuid, hotkey)
        if uid is None:
            raise ChainRejected(f"{hotkey} was registered and pruned again at once.", hint="Register again.")
        return uid, receipt

    def serve(self, netuid: int, wallet: str | Wallet, *, ip: str, port: int) -> Receipt:
        """Publish where the wallet's hotkey answers."""
        return self.execute(bittensor.ServeAxon(netuid=netuid, ip=ip, port=port), wallet=wallet)

    # -- anything ------------------------------------------------------------------------------------------

    def execute(
        self, intent: bittensor.Intent, *, wallet: str | Wallet, cost_rao: int | None = None,
        own: bool = False,
    ) -> Receipt:  # fmt: skip
        """Carry out any intent of the SDK.

        Args:
            intent: such as `bittensor.Transfer(...)`.
            wallet: who signs, by name or as an object.
            cost_rao: what it will cost where the SDK cannot say before; else it counts as everything the
                wallet has.
            own: as `Spend.own`.

        Raises:
            MoneyError: over balance, over budget, not confirmed; nothing was spent.
        """
        check_addresses(intent)
        opened = self.wallet(wallet)
        with self.client.question():
            plan = self.client.plan(intent, opened)
            signer = str(plan.signer_address)
            fee = int(plan.fee.rao) if plan.fee is not None else 0
            if intent.mev_shield_required:
                fee += int(self.client.estimate_shielded_carrier_fee(signer).rao)
            check_stake(self.client, intent, signer)

        def submit() -> Receipt:
            with translated(self.endpoint):
                signing = signing_wallet(opened, signer)
            options = lifetime(opened, intent, development=self.development)
            return self._send(lambda: self.client.execute(intent, signing, **options), signer, plan.summary)

        free, deposit = self.balance(signer), self.existential_deposit
        for to, sent in transferred(intent):
            if sent < deposit:
                check_opens(to, sent, self.balance(to), deposit)
        told = outflow(intent, plan, most=free - fee - deposit, known=cost_rao, own=own)
        spend = self._describe(plan.summary, wallet=signer, fee_rao=fee, **told)
        return self.purse.spend(spend, free_rao=free, deposit_rao=deposit, submit=submit)

    def submit_call(
        self,
        call: Any,
        *,
        wallet: str | Wallet,
        signer: Literal["coldkey", "hotkey"] = "coldkey",
        cost_rao: int | None = None,
        summary: str = "",
    ) -> Receipt:
        """Submit a raw call (`bittensor.calls`); unless `cost_rao` says what it costs, all the wallet has."""
        summary = summary or f"{call[0]}.{call[1]}"
        opened = self.wallet(wallet)
        who = str(bittensor.public_view(opened, signer).ss58_address)

        def submit() -> Receipt:
            with translated(self.endpoint):
                signing = signing_wallet(opened, who)
            return self._send(lambda: self.client.submit_call(call, signing, signer=signer), who, summary)

        free, deposit = self.balance(who), self.existential_deposit
        amount = cost_rao if cost_rao is not None else 0 if self.development else max(0, free - deposit)
        told = {"wallet": who, "fee_rao": 0, "amount_rao": amount, "most": cost_rao is None}
        spend = self._describe(summary, **told)
        return self.purse.spend(spend, free_rao=free, deposit_rao=deposit, submit=submit)

    def sudo(self, call: Any, *, wallet: str | Wallet = "alice") -> Receipt:
        """Carry out a raw call as root, signed by the sudo key (alice on a development chain).

        Raises:
            DevnetOnly: not a development chain.
        """
        if not self.development:
            raise DevnetOnly(f"There is no sudo on {self.network.name}.")
        with self.client.question():
            inner = self.client.compose(call)
        words = f"root: {call[1].removeprefix('sudo_').replace('_', ' ')}"
        return self.submit_call(bittensor.calls.Sudo.sudo(call=inner), wallet=wallet, summary=words)

    def turn_back(self, snapshot: str) -> None:
        """Revert a development chain, and forget what was known of the time in between."""
        self.dev.revert(snapshot)
        self.client.forget()

    def close(self) -> None:
        """Leave the network; a later question would have to come from a new client."""
        self.client.close()

    def __repr__(self) -> str:
        return f"NetworkClient({self.network.name!r}, {self.endpoint})"

    def _send(self, submit: Callable[[], bittensor.ExtrinsicResult], signer: str, summary: str) -> Receipt:
        return send(self.client, submit, signer=signer, summary=summary, patience_s=self.patience_s)

    def _describe(self, summary: str, **told: Any) -> Spend:
        return Spend(summary=summary, network=self.network.name, real=not self.development, **told)


def _exact(amount: int, netuid: int = 0) -> Any:
    return bittensor.Balance.from_rao(int(amount), netuid)
