"""A training run as a notebook holds it: everything is read from the run's folder.

The processes of a run belong to its supervisor, not to this object, so a second notebook, a reload or a
restarted kernel sees the same run by its name; `lab.runs` finds it. Only the verbs of `running` speak to the
supervisor.
"""

import threading
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from subnetlab.errors import RunNotFinished
from subnetlab.fleet.launch import is_running
from subnetlab.fleet.run_folder import LOG_FILE
from subnetlab.fleet.spec import read_spec
from subnetlab.lab import arguments
from subnetlab.lab.paid_run import PaidRun
from subnetlab.lab.progress import bar
from subnetlab.lab.running import Running
from subnetlab.record.events import RunStatus
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail
from subnetlab.record.view import RunView
from subnetlab.report.answers import AnswersVerdict, answers_verdict
from subnetlab.report.attacks import Attacks, attacks
from subnetlab.report.explain import Explanation, explain
from subnetlab.report.format import counted
from subnetlab.report.headline import said_of
from subnetlab.report.plot import picture
from subnetlab.report.verdict import Verdict, verdict
from subnetlab.signatures import known_arguments
from subnetlab.text import REASON, plain, plain_lines

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor, nn

    from subnetlab.lab.session import Net
    from subnetlab.network.wallets import Wallet
    from subnetlab.train.verify import Report

_LOOK_AGAIN_S = 0.1
_CUT_SHORT = {
    RunStatus.STOPPED: "was stopped", RunStatus.FAILED: "failed", RunStatus.DIVERGED: "diverged",
}  # fmt: skip


class Run(Running, PaidRun):
    """One run, by its folder.

    Args:
        folder: `runs/<name>` under SubnetLab's home, or a copy of one.

    Example:
        >>> run.verdict()  # doctest: +SKIP
    """

    own = True
    """Whether this machine started it, so that code which its manifest names may run here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self._tail = Tail(folder / FILE_NAME)
        self._view = RunView()
        self._reading = threading.Lock()
        self.note = ""
        """For a person: where machine or data is unfit, or what `attach` had to do; empty for nothing."""
        self.net: Net | None = None
        """The network it takes place on; None where its chain is gone, or for a run only looked up."""

    # -- what happened so far ----------------------------------------------------------------------

    @property
    def view(self) -> RunView:
        """Everything the record says up to now.

        Raises:
            RecordCorrupt: the record was changed or cut.
        """
        with self._reading:
            for entry in self._tail.entries():
                self._view.add(entry.event)
            return self._view

    @property
    def size(self) -> int:
        """Entries of the record so far."""
        _ = self.view
        return self._tail.seq

    @property
    def status(self) -> RunStatus:
        """The status of the run; `interrupted` if it has no supervisor and no end."""
        # The lock is asked before the record is read: a run may end between the two looks.
        supervised = is_running(self.folder)
        return self.view.status(supervised=supervised)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come: the record is complete, or its writer is gone."""
        return self.status not in (RunStatus.STARTING, RunStatus.RUNNING)

    @property
    def round(self) -> int:
        """How many rounds are over: closed, or lost where something was killed in the middle of one."""
        return len(self.view.over)

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
        view = self.view
        validators = view.uids("validator")
        if not validators:
            raise RunNotFinished("The run has no validators yet.", hint="Ask again after the first round.")

        def trusted(uid: int) -> tuple[int, int, int]:
            last = view.pay.last
            if last is None or uid not in last.uids:
                return (0, 0, -uid)
            i = last.uids.index(uid)
            return (last.dividends[i], last.validator_trust[i], -uid)

        return view.hotkey(max(validators, key=trusted))

    @property
    def best_paid(self) -> int:
        """The uid of the miner that was paid most so far."""
        return self._by_pay()[-1]

    @property
    def least_paid(self) -> int:
        """The uid of the miner that was paid least so far."""
        return self._by_pay()[0]

    def _by_pay(self) -> list[int]:
        view = self.view
        if view.pay.last is None:
            raise RunNotFinished("No epoch has paid anyone yet.", hint="Ask again after the first tempo.")
        return sorted(view.mining, key=lambda uid: (view.pay.total(uid), -uid))

    def samples(self) -> list[str]:
        """What the model wrote after each round, oldest first, the prompt included."""
        return [sample.prompt + sample.text for _, sample in sorted(self.view.samples.items())]

    # -- in words, tables and pictures -------------------------------------------------------------

    def verdict(self) -> Verdict | AnswersVerdict:
        """The subnet beside one miner alone: loss, bytes, waiting and pay; of a run of answers its scores."""
        view = self.view
        return verdict(view) if view.trains else answers_verdict(view)

    def explain(self, uid: int) -> Explanation:
        """Why a uid earned what it earned, step by step.

        Raises:
            UnknownUid: no peer of the run has this uid.
            RunNotFinished: no epoch has paid anyone yet.
        """
        return explain(self.view, self._known_uid(uid, self.view.seats))

    def attacks(self) -> Attacks:
        """Who attacked and how, what the gate saw of each miner round by round, and what each was paid.

        A run of strangers knows no roles: there all miners are shown alike.
        """
        return attacks(self.view, again=self.attacks)

    @known_arguments("run.frame")
    def frame(self, what: str = "miners") -> "pl.DataFrame":
        """The record as a polars frame; `what` is one of `subnetlab.frames.NAMES`."""
        from subnetlab.frames import frame  # noqa: PLC0415  (polars is loaded when a frame is wanted)

        return frame(self.folder, what)

    def picture(self) -> str:
        """Both loss curves and everybody's pay as one SVG."""
        return picture(self.view)

    def animation(self) -> str:
        """The same picture growing round by round, as an SVG that plays without script."""
        from subnetlab.report.animation import animation  # noqa: PLC0415  (seldom needed)

        return animation(self.view)

    @property
    def headline(self) -> str:
        """The state of the run, as one sentence."""
        view = self.view
        status = self.status
        if status is RunStatus.INTERRUPTED:
            return self._left()
        rounds = counted(self.round, "round")
        if status in _CUT_SHORT:
            word = _CUT_SHORT[status]
            reason = plain(view.ended.reason, REASON) if view.ended else ""
            return f"The run {word} after {rounds}: {reason}"
        if view.closed or view.ended is not None:
            return said_of(view)
        if view.started is None:
            return "The peers are starting."
        verb = "is" if len(view.peers) == 1 else "are"
        return f"{len(view.up)} of {counted(len(view.peers), 'peer')} {verb} up."

    def _left(self) -> str:
        """How far an interrupted run came, what is lost, and how it goes on."""
        view = self.view
        number = min(self.round + 1, view.rounds) or 1
        where = f"Stopped in round {number} of {view.rounds or '?'}, at block {view.block}"
        how = f"%sl attach {self.id}, or sl.attach, goes on. {self._why_left()}"
        return f"{where}; nothing on record is lost: {how}"

    def _why_left(self) -> str:
        interrupted = self.view.interrupted
        return plain(interrupted.reason, REASON) if interrupted else "Its supervisor is gone."

    def __repr__(self) -> str:
        view = self.view
        where = f"{self.status}, round {self.round} of {view.rounds or '?'}, block {view.block}"
        note = f" {self.note}" if self.note else ""
        return plain_lines(f"Run {self.id}: {where}. {self.headline}{note}")

    def page(self) -> str:
        """The run as HTML without script: its state, its picture and a row per miner."""
        from subnetlab.report.page import run_page  # noqa: PLC0415  (only where a page shows it)

        view = self.view
        on = f" on {view.started.network}" if view.started else ""
        far = f"round {self.round} of {view.rounds or '–'}, block {view.block}{on}"
        return run_page(view, where=f"Run {self.id}: {self.status}, {far}.", headline=self.headline)

    _repr_html_ = page

    # -- waiting, ending, keeping ------------------------------------------------------------------

    @known_arguments("run.wait")
    def wait(self, timeout: float | None = None, *, progress: bool | None = None) -> "Run":
        """Wait until the run has ended, by itself or otherwise; an interrupt stops the waiting, not the run.

        Args:
            timeout: seconds; None waits as long as it takes.
            progress: whether a line tells how far it is; in a terminal or a notebook unless given.

        Raises:
            RunNotFinished: it goes on after `timeout` seconds, or its supervisor is gone.
            ArgumentInvalid: `timeout` is no number of seconds.
        """
        deadline = None if timeout is None else monotonic() + arguments.seconds("timeout", timeout)
        progress = None if progress is None else arguments.flag("progress", progress)
        pause = threading.Event()
        with bar(shown=progress) as show:
            while not self.ended:
                if deadline is not None and monotonic() >= deadline:
                    raise RunNotFinished(f"Run {self.id} goes on.", hint="Wait longer, or run.stop().")
                show(self.view)
                pause.wait(_LOOK_AGAIN_S)
            show(self.view)
        if self.view.ended is None:
            verb = "is" if self.round == 1 else "are"
            raise RunNotFinished(
                f"Run {self.id} was interrupted. {self._why_left()} "
                f"{counted(self.round, 'round')} {verb} on record.",
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

    @property
    def model(self) -> "nn.Module":
        """The trained model, in evaluation mode; errors as `result`, which also waits.

        Raises:
            RunNotFinished: the run goes on, or it ended without a model.
        """
        return self.result(timeout=0)

    def state_dict(self, round: int | None = None) -> "dict[str, Tensor]":  # noqa: A002  (what it counts)
        """The model's parameters and buffers by name after a round, also while the run goes on.

        Args:
            round: any round that closed, counted from 1 as on every page; the newest unless given.

        Raises:
            RunNotFinished: no such round has closed.
            RunError: the run's store no longer holds what leads there.
        """
        from subnetlab.lab.result import state_after  # noqa: PLC0415  (torch is loaded when a model is wanted)

        closed = self.view.closed
        number = max(closed, default=0)
        if round is not None:
            number = arguments.count("round", round, least=1, most=arguments.MOST_ROUNDS) - 1
        if number not in closed:
            raise RunNotFinished(
                f"Round {number + 1} of run {self.id} has not closed.",
                hint=f"{counted(len(closed), 'round')} closed; the first is round 1.",
            )
        return state_after(self.folder, closed, number)

    @known_arguments("run.save")
    def save(self, path: str | Path, *, model: bool = True, wallet: "str | Wallet | None" = None) -> Path:
        """Keep what the run made: `x.zip` is one file that `sl.open` replays, anything else a folder.

        The folder holds model, configuration and a card that says how it came to be; the file holds those
        and the record, and shows the run to somebody who trains nothing. The card gives the lines that load
        the model without SubnetLab. A model of one's own loads with
        `model.load_state_dict(safetensors.torch.load_file("model.safetensors"))`, one of `transformers` with
        `from_pretrained(path)`, and `train(init=path)` goes on from it. Where the key of the subnet's owner
        is at hand, the folder also holds the model's lineage, an in-toto statement that is signed with it:
        weights, data and manifest by their hashes.

        Args:
            path: a new file or folder.
            model: whether a file holds the weights; a folder always does.
            wallet: whose hotkey signs the lineage; on a development chain the owner's unless given.

        Raises:
            RunNotFinished: it has not ended, or a folder was asked for and it ended without a model.
            RunError: there is something at `path` already, or it cannot be written.
            ArgumentInvalid: `path` is no path.
        """
        from subnetlab.archive.save import save_file, save_folder  # noqa: PLC0415  (seldom needed)

        target, model = arguments.a_path("path", path), arguments.flag("model", model)
        if not self.ended:
            raise RunNotFinished(f"Run {self.id} goes on.", hint="run.wait() first.")
        if target.suffix.lower() == ".zip":
            return save_file(self.folder, target, str(self.verdict()), model=model)
        saved = save_folder(self.folder, target, str(self.verdict()))
        if self.own:
            from subnetlab.lab.lineage import write_lineage  # noqa: PLC0415  (torch is loaded when it is needed)

            write_lineage(self.folder, saved, self.view, wallet)
        return saved

    @known_arguments("run.verify")
    def verify(self, replay: float = 0.1, *, store: str = "", endpoint: str = "") -> "Report":
        """Check the run as a third party would: its record against chain, store, data and work done again.

        The report prints a line per check and a sentence per finding, with round and uid. `report.verified`
        is whether everything was checked and holds; `report.wrong` is what contradicts, `report.open` what
        could not be checked.

        Args:
            replay: share of the miners' rounds that are trained again, and of the rounds that are judged
                again; 0 for none, 1 for all.
            store: where the run's objects lie, where that is not its own folder.
            endpoint: of a node of its chain, where that is not the one it ran on.

        Raises:
            ArgumentInvalid: `replay` is no share.
        """
        from subnetlab.lab.verification import verify_folder  # noqa: PLC0415  (torch is loaded when it is needed)

        share = arguments.share("replay", replay)
        return verify_folder(self.folder, replay=share, store=store, endpoint=endpoint, trusted=self.own)

    def delete(self) -> None:
        """Remove the run's folder: its record, its payloads, its model; and its chain where no run needs it.

        Raises:
            RunNotFinished: it goes on; nothing was removed.
            RunError: there is no such folder, or it cannot be removed.
        """
        from subnetlab.lab.deletion import delete  # noqa: PLC0415  (seldom needed)

        delete(self.folder)
