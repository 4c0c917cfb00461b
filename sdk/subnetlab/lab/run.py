"""A training run as a notebook holds it: everything is read from the run's folder.

The processes of a run belong to its supervisor, not to this object, so a second notebook, a reload or a
restarted kernel sees the same run by its name. Only `stop` speaks to the supervisor, and only `attach` starts
one again.
"""

import threading
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from subnetlab.errors import RunNotFinished, UnknownRun
from subnetlab.fleet.launch import is_running, request_stop
from subnetlab.fleet.run_folder import LOG_FILE
from subnetlab.fleet.spec import read_spec
from subnetlab.lab.explain import Explanation, explain
from subnetlab.lab.plot import picture
from subnetlab.lab.tally import Tally
from subnetlab.lab.verdict import Verdict, verdict
from subnetlab.record.events import RunStatus
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail
from subnetlab.settings import run_folders
from subnetlab.text import REASON, plain, plain_lines

if TYPE_CHECKING:
    import polars as pl
    from torch import nn

    from subnetlab.lab.session import Net

_LOOK_AGAIN_S = 0.1


class Run:
    """One run, by its folder.

    Args:
        folder: `runs/<name>` under SubnetLab's home, or a copy of one.

    Example:
        >>> run.verdict()  # doctest: +SKIP
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self._tail = Tail(folder / FILE_NAME)
        self._tally = Tally()
        self._reading = threading.Lock()
        self.note = ""
        """What `attach` had to do so that the run goes on, or why it cannot; empty for nothing."""
        self.net: Net | None = None
        """The network it takes place on; None where its chain is gone, or for a run only looked up."""

    # -- what happened so far ----------------------------------------------------------------------

    @property
    def tally(self) -> Tally:
        """Everything the record says up to now.

        Raises:
            RecordCorrupt: the record was changed or cut.
        """
        with self._reading:
            for entry in self._tail.entries():
                self._tally.add(entry.event)
            return self._tally

    def size(self) -> int:
        """Entries of the record so far."""
        _ = self.tally
        return self._tail.seq

    @property
    def status(self) -> RunStatus:
        """Where the run stands; `interrupted` where no supervisor has it in hand."""
        if self._gone():
            return RunStatus.INTERRUPTED
        tally = self.tally
        if tally.ended is not None:
            return RunStatus(tally.ended.status)
        return RunStatus.RUNNING if tally.val_loss or tally.miners else RunStatus.STARTING

    @property
    def ended(self) -> bool:
        """Whether nothing more will come: the record is complete, or its writer is gone."""
        return self.tally.ended is not None or self._gone()

    def _gone(self) -> bool:
        # The lock is asked before the record is read: a run may end between the two looks.
        return not is_running(self.folder) and self.tally.ended is None

    @property
    def round(self) -> int:
        """How many rounds are over: closed, or lost where something was killed in the middle of one."""
        return len(self.tally.over)

    @property
    def netuid(self) -> int:
        """The subnet it takes place on.

        Raises:
            FleetStartFailed: the run's folder does not say.
        """
        return read_spec(self.folder).netuid

    @property
    def endpoint(self) -> str:
        """Where its chain answers, while it does; errors as `netuid`."""
        return read_spec(self.folder).endpoint

    @property
    def best_validator(self) -> str:
        """Hotkey (ss58) of the validator whose weights the chain trusts most.

        Raises:
            RunNotFinished: no validator has been trusted by an epoch yet.
        """
        tally = self.tally
        validators = tally.uids("validator")
        if not validators:
            raise RunNotFinished("The run has no validators yet.", hint="Ask again after the first round.")

        def trusted(uid: int) -> tuple[int, int, int]:
            if not tally.epochs or uid not in tally.epochs[-1].uids:
                return (0, 0, -uid)
            last = tally.epochs[-1]
            i = last.uids.index(uid)
            return (last.dividends[i], last.validator_trust[i], -uid)

        return tally.hotkey(max(validators, key=trusted))

    @property
    def best_paid(self) -> int:
        """The uid of the miner that was paid most so far."""
        return self._by_pay()[-1]

    @property
    def least_paid(self) -> int:
        """The uid of the miner that was paid least so far."""
        return self._by_pay()[0]

    def _by_pay(self) -> list[int]:
        tally = self.tally
        if not tally.epochs:
            raise RunNotFinished("No epoch has paid anyone yet.", hint="Ask again after the first tempo.")
        return sorted(tally.uids("miner", "free_rider"), key=lambda uid: (tally.paid(uid), -uid))

    def samples(self) -> list[str]:
        """What the model wrote after each round, oldest first, the prompt included."""
        return [sample.prompt + sample.text for sample in self.tally.samples]

    # -- in words, tables and pictures -------------------------------------------------------------

    def verdict(self) -> Verdict:
        """The subnet beside one miner alone: loss, bytes, waiting and pay."""
        return verdict(self.tally)

    def explain(self, uid: int) -> Explanation:
        """Why a uid earned what it earned, step by step.

        Raises:
            UnknownUid: the run gave nobody this uid.
            RunNotFinished: no epoch has paid anyone yet.
        """
        return explain(self.tally, uid)

    def frame(self, what: str = "miners") -> "pl.DataFrame":
        """The record as a polars frame; `what` is one of `subnetlab.frames.NAMES`."""
        from subnetlab.frames import frame  # noqa: PLC0415  (polars is loaded when a frame is wanted)

        return frame(self.folder, what)

    def picture(self) -> str:
        """Both loss curves and everybody's pay as one SVG."""
        return picture(self.tally)

    def animation(self) -> str:
        """The same picture growing round by round, as an SVG that plays without script."""
        from subnetlab.lab.animation import animation  # noqa: PLC0415  (seldom needed)

        return animation(self.tally)

    @property
    def headline(self) -> str:
        """Where the run stands, as one sentence."""
        tally = self.tally
        if self._gone():
            return self._left()
        if tally.ended is not None and tally.ended.status != "finished":
            word = {"stopped": "was stopped", "failed": "failed"}[tally.ended.status]
            return f"The run {word} after {len(tally.val_loss)} rounds: {plain(tally.ended.reason, REASON)}"
        if not tally.val_loss:
            peers = tally.uids("miner", "free_rider", "validator")
            up = sum(uid in tally.ready and uid not in tally.gone for uid in peers)
            return f"{up} of {len(peers)} peers are up." if tally.started else "The peers are starting."
        return verdict(tally).headline

    def _left(self) -> str:
        """What became of a run that nobody supervises, what is lost, and how it goes on."""
        tally = self.tally
        number = min(self.round + 1, tally.rounds) or 1
        where = f"Stopped in round {number} of {tally.rounds or '?'}, at block {tally.block}"
        how = f"%sl attach {self.id}, or sl.attach, goes on. {self._why_left()}"
        return f"{where}; nothing on record is lost: {how}"

    def _why_left(self) -> str:
        interrupted = self.tally.interrupted
        return plain(interrupted.reason, REASON) if interrupted else "Its supervisor is gone."

    def __repr__(self) -> str:
        tally = self.tally
        where = f"{self.status}, round {self.round} of {tally.rounds or '?'}, block {tally.block}"
        note = f" {self.note}" if self.note else ""
        return plain_lines(f"Run {self.id}: {where}. {self.headline}{note}")

    # -- waiting, ending, keeping ------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> "Run":
        """Wait until the run has ended, by itself or otherwise; an interrupt stops the waiting, not the run.

        Args:
            timeout: seconds; None waits as long as it takes.

        Raises:
            RunNotFinished: it goes on after `timeout` seconds, or its supervisor is gone.
        """
        deadline = None if timeout is None else monotonic() + timeout
        pause = threading.Event()
        while not self.ended:
            if deadline is not None and monotonic() >= deadline:
                raise RunNotFinished(f"Run {self.id} goes on.", hint="Wait longer, or run.stop().")
            pause.wait(_LOOK_AGAIN_S)
        if self.tally.ended is None:
            raise RunNotFinished(
                f"Run {self.id} was interrupted. {self._why_left()} {self.round} rounds are on record.",
                hint=f"sl.attach({self.id!r}) goes on with it; what happened is in {self.folder / LOG_FILE}.",
            )
        return self

    def result(self, timeout: float | None = None) -> "nn.Module":
        """The trained model, ready to use.

        Args:
            timeout: seconds to wait for the end of the run; None waits as long as it takes.

        Raises:
            RunNotFinished: the run goes on after `timeout` seconds, or it ended without a model.
        """
        from subnetlab.lab.result import load_result  # noqa: PLC0415  (torch is loaded when a model is wanted)

        self.wait(timeout)
        return load_result(self.folder)

    def save(self, path: str | Path, *, model: bool = True) -> Path:
        """Keep what the run made: `x.zip` is one file that `sl.open` replays, anything else a folder.

        The folder holds model, configuration and a card that says how it came to be; the file holds those
        and the record, and shows the run to somebody who trains nothing.

        Args:
            path: a new file or folder.
            model: whether a file holds the weights; a folder always does.

        Raises:
            RunNotFinished: it has not ended, or a folder was asked for and it ended without a model.
            RunError: there is something at `path` already, or it cannot be written.
        """
        from subnetlab.archive.save import save_file, save_folder  # noqa: PLC0415  (seldom needed)

        if not self.ended:
            raise RunNotFinished(f"Run {self.id} goes on.", hint="run.wait() first.")
        target = Path(path)
        if target.suffix.lower() == ".zip":
            return save_file(self.folder, target, str(self.verdict()), model=model)
        return save_folder(self.folder, target, str(self.verdict()))

    def stop(self, timeout: float = 0.0) -> None:
        """Ask the supervisor to end the run now, and wait up to `timeout` seconds until it has.

        What the closed rounds trained stays.

        Raises:
            FleetError: the supervisor does not answer.
        """
        if self.ended:
            return
        request_stop(self.folder)
        deadline, pause = monotonic() + timeout, threading.Event()
        while is_running(self.folder) and monotonic() < deadline:
            pause.wait(_LOOK_AGAIN_S)

    def delete(self) -> None:
        """Remove the run's folder: its record, its payloads, its model; and its chain where no run needs it.

        Raises:
            RunNotFinished: it goes on; nothing was removed.
            RunError: there is no such folder, or it cannot be removed.
        """
        from subnetlab.lab.deletion import delete  # noqa: PLC0415  (seldom needed)

        delete(self.folder)


class Runs(list[Run]):
    """Runs of this machine, newest first."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "No runs yet. Start one with subnet.train(…) or %%train."


def runs(*, all: bool = False) -> Runs:  # noqa: A002  (what the word means here)
    """The runs of this machine that have begun, newest first; ten of them unless `all`."""
    begun = filter(_has_begun, run_folders())
    folders = sorted(begun, key=lambda folder: folder.stat().st_mtime, reverse=True)
    return Runs(Run(folder) for folder in (folders if all else folders[:10]))


def attach(name: str) -> Run:
    """Take hold of a run by its name, or by the beginning of it, and let it go on if something was killed.

    `run.note` says what had to be started again, or why the run cannot go on; it stays readable either way.
    `run.net` is its chain, where that still is.

    Raises:
        UnknownRun: none, or more than one, begins like that.
    """
    from subnetlab.lab.resume import resume  # noqa: PLC0415  (only when a run is taken hold of)
    from subnetlab.lab.session import rejoin  # noqa: PLC0415

    run = find(name)
    run.note = resume(run.folder)
    run.net = rejoin(run)
    return run


def find(name: str) -> Run:
    """Look up a run by its name, or by the beginning of it, and start nothing; errors as `attach`."""
    found = [folder for folder in run_folders() if folder.name.startswith(name)] if name else []
    exact = [folder for folder in found if folder.name == name]
    if len(exact or found) != 1:
        known = ", ".join(folder.name for folder in run_folders()) or "none"
        raise UnknownRun(f"{len(found) or 'No'} runs are called {name!r}.", hint=f"Known runs: {known}.")
    return Run((exact or found)[0])


def _has_begun(folder: Path) -> bool:
    """Whether there is a record, or somebody is about to begin one."""
    record = folder / FILE_NAME
    return (record.exists() and record.stat().st_size > 0) or is_running(folder)
