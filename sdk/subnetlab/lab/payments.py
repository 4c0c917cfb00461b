"""Pay a run's miners out of its escrow while it goes on, settle when it is over, and show the receipts.

A round counts for the miners whose payloads its lead took, as the record says; a key of the run's first
validator approves it on chain. Everything to be done follows from the record and the contract, so a process
that comes later, after a restart too, goes on where it was left, and nothing is paid twice.
"""

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from subnetlab import settings
from subnetlab.errors import SubnetLabError
from subnetlab.fleet.launch import is_running
from subnetlab.lab.funding import APPROVALS, GAS, Funded
from subnetlab.lab.job import Job
from subnetlab.network.confirm import Always
from subnetlab.network.evm.escrow import Escrow
from subnetlab.network.evm.wallet import EvmWallet, seat_wallet
from subnetlab.record.lock import locked
from subnetlab.record.view import RunView
from subnetlab.units import Rao

if TYPE_CHECKING:
    import polars as pl

    from subnetlab.lab.session import Net
    from subnetlab.network.client import NetworkClient


def earned(view: RunView, uid: int) -> int:
    """How many rounds of a run took a miner's payload."""
    return sum(any(int(taken[0]) == uid for taken in closed.accepted) for closed in view.closed.values())


class JobPayments:
    """The payments of one run's job, made as far as its record has come."""

    def __init__(self, client: "NetworkClient", job: Job) -> None:
        # Play money by now: the owner said yes when the job was funded.
        self._client, self._job = client.asking(Always()), job
        self._lock = _lock(job.escrow)
        self._escrow = Escrow(self._client.evm, job.escrow)

    def approve(self, view: RunView, *, all_of_it: bool) -> None:
        """Approve what miners have earned so far; unless it is all of it, only where enough came together.

        Raises:
            NetworkError: the chain refused, or does not answer; nothing is lost by asking again.
        """
        step = 1 if all_of_it else max(1, self._job.rounds // APPROVALS)
        judge = seat_wallet(self._job.arbiter_uri)
        with locked(self._lock):
            for uid, (number, _) in self._job.miners.items():
                found, due = self._escrow.job(number), earned(view, int(uid))
                if not found.closed and due - found.approved >= step:
                    self._escrow.approve(number, due, wallet=judge, evidence=_evidence(view, int(uid)))

    def settle(self, view: RunView) -> None:
        """Approve what was earned, close every job, pay the miners out, and give the rest to the owner.

        Raises:
            NetworkError: the chain refused, or does not answer; asking again goes on where it was left.
        """
        self.approve(view, all_of_it=True)
        judge = seat_wallet(self._job.arbiter_uri)
        with locked(self._lock):
            for number, _ in self._job.miners.values():
                if not self._escrow.job(number).closed:
                    self._escrow.close(number, wallet=judge)
            for _, uri in self._job.miners.values():
                self._paid_out(seat_wallet(uri))
            self._refunded(seat_wallet(self._job.payer_uri))

    def _paid_out(self, miner: EvmWallet) -> None:
        """A miner withdraws; one without gas is lent some by the owner's key.

        A miner may be in several runs, and what one lends it is not for the withdrawal of another.
        """
        with locked(_lock(miner.address)):
            if self._escrow.owed(miner):
                gas = self._client.evm.gas_cost(GAS["withdraw"])
                if self._client.evm.balance(miner) < gas:
                    payer = seat_wallet(self._job.payer_uri)
                    self._client.evm.pay(Rao(gas), miner, payer, own=True)
                self._escrow.withdraw(wallet=miner)

    def _refunded(self, payer: EvmWallet) -> None:
        """What was not earned, and what is left of the gas, goes back to the owner's wallet."""
        evm, rest = self._client.evm, self._escrow.owed(payer)
        if rest:
            self._escrow.withdraw(wallet=payer)
            self._client.budget.refund(rest)
        for key in (payer, seat_wallet(self._job.arbiter_uri)):
            left = evm.balance(key) - evm.gas_cost(GAS["withdraw"])
            if left > evm.gas_cost(GAS["withdraw"]):  # or it would cost more than it brings
                evm.pay(Rao(left), self._job.owner, key, what="withdraw", own=True)

    def receipts(self) -> "pl.DataFrame":
        """What happened to the run's job, one row per event of the escrow, with the miner's uid.

        The owner's own withdrawal has none.
        """
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        jobs = {number: int(uid) for uid, (number, _) in self._job.miners.items()}
        keys = {seat_wallet(uri).address: int(uid) for uid, (_, uri) in self._job.miners.items()}
        told = self._escrow.receipts(from_block=self._job.opened_in)
        by_job = pl.col("job").replace_strict(jobs, default=None, return_dtype=pl.Int64)
        by_key = pl.col("account").replace_strict(keys, default=None, return_dtype=pl.Int64)
        return told.with_columns(uid=pl.coalesce(by_job, by_key)).select("uid", *told.columns)


def _lock(address: str) -> Path:
    return settings.home() / "budgets" / f"{address}.lock"


def _evidence(view: RunView, uid: int) -> bytes:
    """The hash of the newest payload that a round took from a miner."""
    for _, closed in sorted(view.closed.items(), reverse=True):
        for taken in closed.accepted:
            if int(taken[0]) == uid:
                with contextlib.suppress(ValueError):
                    return bytes.fromhex(str(taken[1]).removeprefix("0x"))[:32].rjust(32, b"\0")
    return bytes(32)


@contextlib.contextmanager
def refunded_unless_started(net: "Net", folder: Path) -> Generator[Funded]:
    """Give back what was paid into a job whose run did not come to start.

    Yields what is told of every step that was paid.
    """
    funded = Funded()
    try:
        yield funded
    except BaseException as error:
        if funded.job is not None and not is_running(folder):
            try:
                with net.sealing.per_extrinsic("subnet.train"):
                    JobPayments(network_client(net), funded.job).settle(RunView())
            except SubnetLabError as left:
                error.add_note(f"The escrow {funded.job.escrow} could not be closed: {left}")
        raise


def network_client(net: "Net") -> "NetworkClient":
    """SubnetLab's own client of a network, for its own modules; a person has the SDK's as `net.client`."""
    return net._client  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
