"""The escrow of jobs, `contracts/JobEscrow.vy`, as an object: open, approve, close, withdraw, and receipts.

Every call that changes something is a transaction through the network's purse. A job counts equal rounds; its
price a round is a whole number of rao, so an amount that rounds do not divide leaves its rest with the payer.
Receipts are read back from the contract's own events, those of other clients too.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from subnetlab.errors import ChainRejected, InvalidAmount
from subnetlab.network.evm.addresses import evm_address
from subnetlab.network.evm.artefact import artefact
from subnetlab.network.evm.connection import translated
from subnetlab.network.evm.transactions import WEI_PER_RAO, Transaction
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.receipt import Receipt
from subnetlab.units import Amount, Rao, format_tao, rao

if TYPE_CHECKING:
    import polars as pl

    from subnetlab.network.evm.half import EvmHalf

_CONTRACT: Final = "JobEscrow"
_EVENTS: Final = ("Opened", "Approved", "Closed", "Withdrawn")
NO_HASH: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as the contract has it now."""

    number: int
    payer: str
    payee: str
    arbiter: str
    per_round_rao: Rao
    rounds: int
    approved: int
    """Rounds that were approved so far."""
    deadline: int
    """Unix seconds; after it everybody may close the job."""
    closed: bool


class Escrow:
    """A deployed escrow; `address` is where it lies."""

    def __init__(self, evm: "EvmHalf", address: str) -> None:
        """Take hold of an escrow that was deployed before.

        Raises:
            ChainRejected: another contract lies there, or none.
            WalletError: it is no address.
        """
        self._evm, self.address = evm, evm_address(address)
        w3, made = evm.w3, artefact(_CONTRACT)
        with translated(evm.url):
            code = bytes(w3.eth.get_code(w3.to_checksum_address(self.address)))
        if code != bytes.fromhex(made.runtime.removeprefix("0x")):
            what = "Another contract" if code else "No contract"
            raise ChainRejected(
                f"{what} lies at {self.address}.",
                code="NoEscrow",
                hint="Check the address: the receipts of run.settle() name the escrow's transactions.",
            )
        self._contract: Any = w3.eth.contract(w3.to_checksum_address(self.address), abi=list(made.abi))

    @classmethod
    def deploy(cls, evm: "EvmHalf", wallet: str | EvmWallet) -> "Escrow":
        """Deploy a new escrow; it belongs to no one. Errors as `EvmHalf.send`."""
        receipt = evm.send(wallet, cls.deployment())
        return cls(evm, str(receipt.data["contract"]))

    @staticmethod
    def deployment() -> Transaction:
        """The transaction of `deploy`; its receipt names the contract."""
        code = artefact(_CONTRACT).bytecode
        return Transaction(summary="deploy an escrow", what="escrow", to=None, data=code)

    def open(
        self, *, amount_tao: Amount, payee: str, arbiter: str, rounds: int, deadline: int,
        wallet: str | EvmWallet, spec: bytes = NO_HASH,
    ) -> tuple[int, Receipt]:  # fmt: skip
        """Fund a job of equal rounds; returns its number and the receipt.

        Args:
            amount_tao: what all rounds cost together; what rounds do not divide is left out.
            payee: who is paid (`0x…`).
            arbiter: who approves rounds (`0x…`); not the payer.
            rounds: how many.
            deadline: Unix seconds; after it everybody may close the job.
            wallet: who pays.
            spec: hash of what was agreed, 32 bytes.

        Raises:
            InvalidAmount: less than a rao a round.
            MoneyError: nothing was spent; the message says why.
            ChainRejected: the contract refused; its reason is in the message.
        """
        opening = self.opening(
            amount_tao=amount_tao, payee=payee, arbiter=arbiter, rounds=rounds, deadline=deadline, spec=spec
        )
        receipt = self._evm.send(wallet, opening)
        return self.opened(receipt), receipt

    def opening(
        self, *, amount_tao: Amount, payee: str, arbiter: str, rounds: int, deadline: int,
        spec: bytes = NO_HASH,
    ) -> Transaction:  # fmt: skip
        """The transaction of `open`; `opened` reads its receipt."""
        per_round = rao(amount_tao) // max(1, rounds)
        if per_round == 0:
            raise InvalidAmount(
                f"{format_tao(rao(amount_tao))} is less than a rao for each of {rounds} rounds.",
                hint="Give more TAO, or fewer rounds.",
            )
        return self._calling(
            "open", evm_address(payee), evm_address(arbiter), rounds, deadline, spec,
            amount=per_round * rounds, summary=f"fund a job of {rounds} rounds for {payee}",
        )  # fmt: skip

    def opened(self, receipt: Receipt) -> int:
        """The number of the job that an `open` has made."""
        (opened,) = self._contract.events.Opened().process_receipt(receipt.data["receipt"])
        return int(opened["args"]["job"])

    def approve(self, job: int, upto: int, *, wallet: str | EvmWallet, evidence: bytes = NO_HASH) -> Receipt:
        """Approve all rounds of a job up to a number; only its arbiter or its payer may."""
        return self._evm.send(wallet, self.approval(job, upto, evidence=evidence))

    def approval(self, job: int, upto: int, *, evidence: bytes = NO_HASH) -> Transaction:
        """The transaction of `approve`."""
        found = self.job(job)
        due = format_tao(max(0, upto - found.approved) * found.per_round_rao)
        summary = f"approve job {job} up to round {upto}, which pays {due} to {found.payee}"
        return self._calling("approve", job, upto, evidence, summary=summary)

    def close(self, job: int, *, wallet: str | EvmWallet) -> Receipt:
        """End a job: what was not approved goes back to the payer, who withdraws it."""
        return self._evm.send(wallet, self.closing(job))

    def closing(self, job: int) -> Transaction:
        """The transaction of `close`."""
        return self._calling("close", job, summary=f"close job {job}")

    def withdraw(self, *, wallet: str | EvmWallet, to: str | None = None) -> Receipt:
        """Take everything that is owed to the wallet, to its own address unless `to` says another."""
        return self._evm.send(wallet, self.withdrawal(wallet, to))

    def withdrawal(self, wallet: str | EvmWallet, to: str | None = None) -> Transaction:
        """The transaction of `withdraw`."""
        opened = self._evm.wallet(wallet)
        target = opened.address if to is None else evm_address(to)
        brings = self.owed(opened) if target == opened.address else 0
        summary = f"withdraw from the escrow to {target}"
        return self._calling("withdraw", target, summary=summary, brings=brings)

    def job(self, number: int) -> Job:
        """One job as it is now.

        Raises:
            ChainRejected: there is none of this number.
        """
        with translated(self._evm.url):
            found = self._contract.functions.jobs(number).call()
        payer, payee, arbiter, per_round, rounds, approved, deadline, closed = found
        if int(payer, 16) == 0:
            raise ChainRejected(
                f"The escrow has no job {number}.",
                code="NoJob",
                hint="Its jobs are counted from 1; net.ledger() lists those you opened.",
            )
        return Job(
            number=number, payer=payer, payee=payee, arbiter=arbiter,
            per_round_rao=Rao(per_round // WEI_PER_RAO), rounds=rounds, approved=approved,
            deadline=deadline, closed=closed,
        )  # fmt: skip

    def owed(self, address: str | EvmWallet) -> Rao:
        """What an address may withdraw, in rao."""
        found = address.address if isinstance(address, EvmWallet) else evm_address(address)
        with translated(self._evm.url):
            return Rao(int(self._contract.functions.owed(found).call()) // WEI_PER_RAO)

    def receipts(self, *, from_block: int = 0) -> "pl.DataFrame":
        """What happened in the escrow, one row per event, oldest first; amounts in rao."""
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        logs: list[Any] = []
        with translated(self._evm.url):
            for name in _EVENTS:
                logs += self._contract.events[name]().get_logs(from_block=from_block)
        logs.sort(key=lambda log: (log["blockNumber"], log["logIndex"]))
        schema = {
            "block": pl.Int64, "tx": pl.String, "event": pl.String, "job": pl.Int64, "rounds": pl.Int64,
            "amount_rao": pl.Int64, "account": pl.String, "to": pl.String,
        }  # fmt: skip
        return pl.DataFrame([_row(log) for log in logs], schema=schema, orient="row")

    def _calling(
        self, name: str, *arguments: Any, summary: str, amount: int = 0, brings: int = 0
    ) -> Transaction:
        return Transaction(
            summary=summary, what="escrow", to=self.address, amount_rao=amount, brings_rao=brings,
            data=self._contract.encode_abi(name, args=list(arguments)),
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"Escrow({self.address})"


def _row(log: Any) -> tuple[Any, ...]:
    """One event of the contract: what was opened, approved, refunded or withdrawn, and for whom."""
    told = log["args"]
    wei = {
        "Opened": lambda: told["per_round"] * told["rounds"],
        "Approved": lambda: told["amount"],
        "Closed": lambda: told["refund"],
        "Withdrawn": lambda: told["amount"],
    }[log["event"]]()
    return (
        log["blockNumber"],
        f"0x{bytes(log['transactionHash']).hex()}",
        log["event"].lower(),
        told.get("job"),
        told.get("rounds", told.get("upto")),
        wei // WEI_PER_RAO,
        told.get("payer", told.get("account", "")),
        told.get("payee", told.get("to", "")),
    )
