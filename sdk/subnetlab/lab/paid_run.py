"""How a run's miners are paid: by epochs, step by step, and by an escrow where it has one, with receipts.

What pays is in `payments`, which is loaded with the chain's client when a verb is used: a run that is only
looked at needs neither.
"""

import contextlib
import threading
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from subnetlab.errors import RunError, RunNotFinished, SubnetLabError
from subnetlab.lab import arguments
from subnetlab.lab.job import read, settled
from subnetlab.record.view import RunView
from subnetlab.report.consensus import evaluation
from subnetlab.report.evaluation import Evaluation

if TYPE_CHECKING:
    import polars as pl

    from subnetlab.lab.payments import JobPayments
    from subnetlab.lab.session import Net

_LOOK_AGAIN_S = 1.0


class PaidRun:
    """The verbs of a run about pay; part of `Run`."""

    folder: Path
    net: "Net | None"

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Whether nothing more will come."""

    @property
    @abstractmethod
    def view(self) -> RunView:
        """Everything the record says up to now."""

    def yuma(self, epoch: int | None = None) -> Evaluation:
        """An epoch of the run step by step, from the record: from stake and weights to who was paid what.

        Bonds are not on record; they are carried on from the run's first epoch. `Subnet.yuma` asks the chain.

        Args:
            epoch: counted from 1; the newest unless given.

        Raises:
            RunNotFinished: no epoch has paid anyone yet.
            ArgumentInvalid: there is no such epoch.
        """
        if epoch is not None:
            epoch = arguments.count("epoch", epoch, least=1, most=arguments.MOST_ROUNDS)
        return evaluation(self.view, epoch, name=self.folder.name)

    def receipts(self) -> "pl.DataFrame":
        """What the run's escrow received, approved, paid and gave back: one row per event; empty without one.

        Raises:
            RunError: the run's chain is not connected, or the job cannot be read.
        """
        return self._payments().receipts()

    def settle(self) -> "pl.DataFrame":
        """Pay what the run's miners have earned, and give the owner the rest; returns the receipts.

        This happens by itself when a run ends while its notebook lives. Doing it twice pays nothing twice.

        Raises:
            RunNotFinished: the run goes on.
            NetworkError: the chain refused, or does not answer; call it again.
        """
        if not self.view.ended:
            raise RunNotFinished(
                f"{self.folder.name} goes on; its miners are paid as rounds close.",
                hint="run.wait() and run.stop() wait for its end; then settle.",
            )
        payments = self._payments()
        payments.settle(self.view)
        settled(self.folder)
        return payments.receipts()

    def follow_payments(self) -> threading.Thread:
        """Pay the miners while the run goes on, and settle when it is over, on a thread of its own.

        What fails is tried again at the next round, and at last by `settle`, which says why.
        """
        payments = self._payments()

        def go() -> None:
            pause, seen = threading.Event(), 0
            while not self.ended:
                pause.wait(_LOOK_AGAIN_S)
                over = len(self.view.over)
                if over > seen:
                    seen = over
                    with contextlib.suppress(SubnetLabError):
                        payments.approve(self.view, all_of_it=False)
            if self.view.ended is not None:
                payments.settle(self.view)
                settled(self.folder)

        def quietly() -> None:
            with contextlib.suppress(SubnetLabError, OSError):  # the chain may go, and the run be deleted
                go()

        thread = threading.Thread(target=quietly, name=f"payments of {self.folder.name}", daemon=True)
        thread.start()
        return thread

    def _payments(self) -> "JobPayments":
        from subnetlab.lab.payments import JobPayments, network_client  # noqa: PLC0415  (the SDK, where it is needed)

        job = read(self.folder)
        if job is None:
            raise RunError(
                f"{self.folder.name} pays its miners by emission alone.",
                hint="subnet.train(…, budget_tao=5) funds a job.",
            )
        if self.net is None or self.net.closed:
            raise RunError("The run's chain is not connected.", hint="run = sl.attach(name) connects it.")
        return JobPayments(network_client(self.net), job)
