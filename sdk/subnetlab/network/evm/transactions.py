"""Send a transaction of the EVM through the purse: estimated, previewed, asked about, signed, and waited for.

One TAO is 10^18 wei in the EVM and 10^9 rao in the ledger. Amounts come in as rao, so that nothing finer
than a rao is ever sent: the chain would drop it. The fee is what gas costs at the base fee of the moment;
twice the base fee may be taken if blocks fill up meanwhile, and what was taken is what counts.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hexbytes import HexBytes

from subnetlab import settings
from subnetlab.errors import ChainRejected, InsufficientBalance, NodeUnreachable, WalletAltered, WalletLied
from subnetlab.network.confirm import Spend
from subnetlab.network.evm.connection import translated
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.receipt import Receipt
from subnetlab.network.spending import Purse
from subnetlab.network.stages import reached
from subnetlab.record.lock import locked
from subnetlab.units import format_tao

if TYPE_CHECKING:
    from web3 import Web3

WEI_PER_RAO: Final = 10**9
_SPARE: Final = 10
"""Gas beyond the estimate, as a share of it: one tenth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What a transaction of the EVM does, before it is signed."""

    summary: str
    what: str
    """The kind of spend, as the ledger keeps it."""
    to: str | None
    """A `0x…` address; None creates a contract."""
    amount_rao: int = 0
    data: str = "0x"
    own: bool = False
    """Whether it only moves between accounts of the same person; the budget counts its fee alone."""
    brings_rao: int = 0
    """What comes to the sender by it."""
    receiver: str = ""
    """Whom the ledger names where that is not `to`, such as an ss58 account that a precompile pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gas:
    """What a transaction may use, and what that costs."""

    limit: int
    price_wei: int
    """Of one unit of gas now, tip included."""
    most_wei: int
    """Of one unit of gas at most."""
    tip_wei: int

    @property
    def fee_rao(self) -> int:
        """The fee if all of it is used at the price of the moment."""
        return ceil_rao(self.limit * self.price_wei)

    @property
    def most_rao(self) -> int:
        """The fee at most."""
        return ceil_rao(self.limit * self.most_wei)


def ceil_rao(wei: int) -> int:
    """Wei as rao, a part of a rao as a whole one."""
    return -(-wei // WEI_PER_RAO)


def estimate(w3: "Web3", sender: str, transaction: Transaction) -> Gas:
    """What a transaction will use.

    Raises:
        InsufficientBalance: the sender holds less than the amount. Nothing was sent.
        ChainRejected: it would fail; the reason is in words. Nothing was sent.
        NodeUnreachable: the node does not answer.
    """
    try:
        with translated(_url(w3)):
            used = int(w3.eth.estimate_gas(_fields(sender, transaction)))  # pyright: ignore[reportArgumentType]
            return _priced(w3, used + used // _SPARE)
    except ChainRejected as error:
        if transaction.amount_rao > (held := free_rao(w3, sender)):
            raise InsufficientBalance(
                f"{transaction.summary} needs {format_tao(transaction.amount_rao)} and its gas; {sender} "
                f"holds {format_tao(held)}.",
                hint="Use a smaller amount, or fund the address first: net.fund_evm(…).",
            ) from error
        raise


def gas_cost(w3: "Web3", gas: int) -> int:
    """What so much gas may cost in the next blocks, in rao.

    Raises:
        NodeUnreachable: the node does not answer.
    """
    with translated(_url(w3)):
        return _priced(w3, gas).most_rao


def _priced(w3: "Web3", limit: int) -> Gas:
    base = int(w3.eth.get_block("latest").get("baseFeePerGas") or w3.eth.gas_price)
    tip = int(w3.eth.max_priority_fee)
    return Gas(limit=limit, price_wei=base + tip, most_wei=2 * base + tip, tip_wei=tip)


def free_rao(w3: "Web3", address: str) -> int:
    """What an address may spend and stay alive: the chain's deposit is left out already."""
    with translated(_url(w3)):
        return int(w3.eth.get_balance(w3.to_checksum_address(address))) // WEI_PER_RAO


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends transactions on which network, through which purse."""

    w3: "Web3"
    purse: Purse
    network: str
    real: bool
    patience_s: float

    def send(self, wallet: EvmWallet, transaction: Transaction) -> Receipt:
        """Estimate, ask, sign, send, and wait for the block.

        Where money is real, every transaction is asked about: its amount does not say what a contract does.

        Raises:
            MoneyError: over balance, over budget, not confirmed; nothing was spent.
            WalletError: the key could not be opened; nothing was spent.
            ChainRejected: refused before it was sent, or failed in its block, which cost the fee.
            NodeUnreachable: the connection broke, or no block took it in time.
        """
        gas = estimate(self.w3, wallet.address, transaction)
        itself = _pays_itself(wallet, transaction)
        spend = Spend(
            summary=transaction.summary, network=self.network, wallet=wallet.address,
            amount_rao=transaction.amount_rao, fee_rao=gas.fee_rao, real=self.real, what=transaction.what,
            to=transaction.receiver or transaction.to or "",
            own=transaction.own or itself, to_itself=itself,
            brings_rao=transaction.brings_rao, ask=self.real,
        )  # fmt: skip
        return self.purse.spend(
            spend,
            free_rao=free_rao(self.w3, wallet.address),
            deposit_rao=gas.most_rao - gas.fee_rao,
            submit=lambda: self._submitted(wallet, transaction, gas),
        )

    def _submitted(self, wallet: EvmWallet, transaction: Transaction, gas: Gas) -> Receipt:
        sender = self.w3.to_checksum_address(wallet.address)
        if not wallet.elsewhere:
            wallet.signer()  # a key that does not open is told before anything else
        try:
            with translated(_url(self.w3)), _alone(wallet):
                fields = _fields(wallet.address, transaction) | {
                    "chainId": self.w3.eth.chain_id,
                    "nonce": self.w3.eth.get_transaction_count(sender, "pending"),
                    "gas": gas.limit,
                    "maxFeePerGas": gas.most_wei,
                    "maxPriorityFeePerGas": gas.tip_wei,
                    "type": 2,
                }
                del fields["from"]
                sent = wallet.submit(self.w3, fields)
                reached("signed")
        except ChainRejected as error:
            error.fee_rao = 0  # no pool took it
            raise
        try:
            with translated(_url(self.w3)):
                done: Any = self.w3.eth.wait_for_transaction_receipt(
                    HexBytes(sent), timeout=self.patience_s, poll_latency=0.1
                )
        except ChainRejected as error:  # it was sent, so nothing that is said now takes that back
            raise NodeUnreachable(
                f"{transaction.summary} was sent as 0x{sent.hex()}, and what became of it is not known.",
                hint="Look at the balance before trying again.",
            ) from error
        reached("in a block")
        if wallet.elsewhere:
            self._check_sent(wallet, transaction, sent)
        return self._receipt(transaction, done)

    def _check_sent(self, wallet: EvmWallet, transaction: Transaction, sent: bytes) -> None:
        """See that the wallet that sent it sent this, from this address."""
        with translated(_url(self.w3)):
            found: Any = self.w3.eth.get_transaction(sent)  # pyright: ignore[reportArgumentType]
        if str(found["from"]).lower() != wallet.address.lower():
            raise WalletLied(f"{wallet.name} showed {wallet.address} and sent from {found['from']}.")
        told = (str(found.get("to") or "").lower(), int(found["value"]), bytes(found["input"]).hex())
        asked = (
            (transaction.to or "").lower(),
            transaction.amount_rao * WEI_PER_RAO,
            transaction.data.removeprefix("0x").lower(),
        )
        if told != asked:
            raise WalletAltered(
                f"{wallet.name} was asked to {transaction.summary} and sent something else: "
                f"0x{sent.hex()}, {int(found['value'])} wei to {found.get('to')}."
            )

    def _receipt(self, transaction: Transaction, done: Any) -> Receipt:
        fee = int(done["gasUsed"]) * int(done["effectiveGasPrice"]) // WEI_PER_RAO  # as the chain rounds it
        if not done["status"]:
            error = ChainRejected(
                f"{transaction.summary} failed in block {done['blockNumber']}.",
                pallet="EVM", code="Reverted", hint="The fee was paid, and nothing else happened.",
            )  # fmt: skip
            error.fee_rao = fee
            raise error
        return Receipt(
            tx=f"0x{bytes(done['transactionHash']).hex()}",
            block=int(done["blockNumber"]),
            fee_rao=fee,
            summary=transaction.summary,
            data={"receipt": done, "contract": done.get("contractAddress")},
        )


def _alone(wallet: EvmWallet) -> AbstractContextManager[None]:
    """One transaction of a key at a time is given its nonce and sent; a wallet elsewhere counts by itself."""
    if wallet.elsewhere:
        return nullcontext()
    return locked(settings.home() / "budgets" / f"{wallet.address}.nonce.lock")


def _pays_itself(wallet: EvmWallet, transaction: Transaction) -> bool:
    """Whether a payment comes back to the address that sends it, or to the mirror that holds its money."""
    to = transaction.receiver or transaction.to or ""
    plain = bool(transaction.receiver) or transaction.data == "0x"
    return plain and to.lower() in (wallet.address.lower(), wallet.mirror.lower())


def _fields(sender: str, transaction: Transaction) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "from": sender, "value": transaction.amount_rao * WEI_PER_RAO, "data": transaction.data,
    }  # fmt: skip
    return fields if transaction.to is None else {**fields, "to": transaction.to}


def _url(w3: "Web3") -> str:
    return str(getattr(w3.provider, "endpoint_uri", "the node"))
