"""The process that keeps the record of a public run: from its folder to the run's last event.

It has the supervisor's place in a run's folder (lock, control socket, log), so that `Run` objects, dashboard
and `attach` need not know who started the peers. It starts and ends none, and stops looking when asked.
"""

import contextlib
import json
import logging
import os
import secrets
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final, cast

import torch

from subnetlab.answers.manifest import AnswersManifest
from subnetlab.errors import (
    ChainRejected,
    FleetError,
    NodeUnreachable,
    ObjectExists,
    StoreUnreachable,
    SubnetLabError,
)
from subnetlab.fleet.chain_clock import WatchedClock
from subnetlab.fleet.control import ControlServer
from subnetlab.fleet.messages import sentence
from subnetlab.fleet.run_folder import DATA_FOLDER, MANIFEST_FILE, STORE_FOLDER, SUPERVISOR_FILE
from subnetlab.fleet.spec import READER_URI, FleetSpec, read_spec
from subnetlab.fleet.supervisor.ending import Ending, nothing_delivered
from subnetlab.fleet.supervisor.epochs import EpochWatcher
from subnetlab.fleet.supervisor.supervise import say_up, sole_supervisor
from subnetlab.fleet.worker.result import write_model
from subnetlab.network.chain import Block
from subnetlab.network.peer_chain import PeerChain
from subnetlab.public.answering import read_answers
from subnetlab.public.answers_observer import AnswersObserver, Followed
from subnetlab.public.found_run import FoundRun, check_trust, find_run
from subnetlab.public.joining import patience_s
from subnetlab.public.observer import Observer
from subnetlab.public.own_place import reading_place
from subnetlab.public.peer import corpus_of, last_round, read
from subnetlab.public.subnet_reads import SubnetReads
from subnetlab.record.described import is_of_answers
from subnetlab.record.events import EpochPaid, Event, Role, RoundClosed, RunStarted, RunStatus
from subnetlab.record.files import write_private
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail
from subnetlab.record.verdicts import last_missed
from subnetlab.record.view import RunView
from subnetlab.record.writer import RecordWriter
from subnetlab.store.base import Store
from subnetlab.store.objects import open_store
from subnetlab.train import models, object_paths
from subnetlab.train.hashing import canonical_json, digest
from subnetlab.train.initial import limit_of
from subnetlab.train.manifest import Manifest
from subnetlab.train.replica import Replica

log = logging.getLogger(__name__)
_ASKED: Final = "Watching it from here was ended; the run goes on."
_PAID_LIMIT: Final = 2
"""Tempos after the last round within which its pay is waited for."""


def watch(run_folder: Path) -> int:
    """Keep a run's record to its end; the exit status of the process."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)  # as the validators judged it
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(sole_supervisor(run_folder))
            watched = held.enter_context(_opened(run_folder))
        except SubnetLabError as error:
            log.error("%s", error)  # noqa: TRY400 - the sentence says it all
            return 1
        say_up()
        watched.run()
    return 0


@dataclass(slots=True, kw_only=True)
class Watched:
    """A run whose record has begun, or goes on."""

    folder: Path
    spec: FleetSpec
    found: FoundRun
    record: RecordWriter
    view: RunView
    reads: SubnetReads
    epochs: EpochWatcher
    control: ControlServer
    observer: Observer
    clock: WatchedClock
    began: float = field(default_factory=time.monotonic)
    head: int = 0
    _asked: bool = False
    _waiting: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def append(self, events: Sequence[Event]) -> None:
        """Put events on record."""
        for event in events:
            self.record.append(event)
            self.view.add(event)

    def run(self) -> None:
        """Follow the run to its end, and end the record."""
        ending = Ending(status=RunStatus.FAILED, reason="The observer itself failed; its log says where.")
        try:
            ending = self._followed()
        except (NodeUnreachable, StoreUnreachable) as error:
            ending = Ending(status=RunStatus.INTERRUPTED, reason=str(error.args[0]))
        except SubnetLabError as error:
            log.exception("The run cannot be followed.")
            ending = Ending(status=RunStatus.FAILED, reason=sentence(error))
        finally:
            self.clock.stop()
            self._waiting.close()
            wall_s = round(time.monotonic() - self.began, 3)
            self.record.append(ending.event(self.head, wall_s), durable=True)

    def _followed(self) -> Ending:
        head = self.clock.start()
        self._listen()
        self._block(head)
        while not self._asked:
            if (ending := self._ended()) is not None:
                return ending
            for key, _ in self._waiting.select():
                key.data()
        return Ending(status=RunStatus.INTERRUPTED, reason=_ASKED)

    def _ended(self) -> Ending | None:
        """How the run ended, once its last round is closed and paid."""
        manifest = self.observer.replica.manifest
        last = last_round(self.reads, self.found)
        if last < 0:
            return Ending(status=RunStatus.STOPPED, reason="Its owner ended it before the first round.")
        close = manifest.heights(last).close
        if self.head < close or last not in self.observer.over:
            return None
        paid = self.view.pay.last
        if (paid is None or paid.block <= close) and self.head < close + _PAID_LIMIT * (self._tempo + 1):
            return None
        stopped = last < manifest.rounds - 1
        reason = f"Its owner ended it after round {last + 1}." if stopped else ""
        if self.observer.last is None:
            return Ending(status=RunStatus.FAILED, reason="All rounds were lost, so there is no model.")
        ending = Ending(status=RunStatus.STOPPED if stopped else RunStatus.FINISHED, reason=reason)
        if isinstance(self.observer, AnswersObserver):
            return ending
        if self.view.undelivered and not stopped:
            ending = nothing_delivered(last_missed(self.view.miners))
        else:
            self._write_model(self.observer.last)
        return ending

    def _write_model(self, last: RoundClosed) -> None:
        write_model(
            self.folder, self.observer.replica, lambda: self.observer.corpus, network=self.spec.network,
            last_round=last.round, val_loss=last.val_loss,
        )  # fmt: skip

    @property
    def _tempo(self) -> int:
        return self.found.seats.tempo

    def _blocks_came(self) -> None:
        for block in self.clock.arrived():
            self._block(block)

    def _block(self, block: Block) -> None:
        self.head = block.number
        self.observer.rounds = last_round(self.reads, self.found) + 1
        self.observer.block(block)
        try:
            paid: Sequence[EpochPaid] = self.epochs.paid_by(block)
        except (NodeUnreachable, ChainRejected) as error:
            log.warning("The metagraph at block %d could not be read: %s", block.number, error)
            return
        if paid:  # seats change with registrations, and an epoch is soon enough to see them
            self.observer.hotkeys.update({n.uid: n.hotkey for n in self.reads.metagraph().neurons})
        self.append(paid)

    # -- what the outside may ask --------------------------------------------------------------------------

    def _listen(self) -> None:
        wake, sleep = socket.socketpair()
        for end in (wake, sleep):
            end.settimeout(0)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        self._waiting.register(sleep, selectors.EVENT_READ, lambda: sleep.recv(64))
        self._waiting.register(self.clock.fileno(), selectors.EVENT_READ, self._blocks_came)
        self._waiting.register(self.control.listener, selectors.EVENT_READ, self._called)

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

    def _called(self) -> None:
        caller = self.control.accept()
        if caller is not None:
            self._waiting.register(caller, selectors.EVENT_READ, lambda: self._answer(caller))

    def _answer(self, caller: socket.socket) -> None:
        descriptor = caller.fileno()
        refused = dict.fromkeys(("kill", "pause", "join", "may_join"), _not_ours)
        if self.control.answer(caller, {"status": self._status, "stop": self._stop, **refused}):
            self._waiting.unregister(descriptor)

    def _status(self, _asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "run_id": self.found.run_id, "block": self.head, "round": self.view.current,
            "rounds": self.found.rounds, "stopping": self._asked, "awaited": [], "late": [], "peers": [],
        }  # fmt: skip

    def _stop(self, _asked: dict[str, Any]) -> dict[str, Any]:
        self._asked = True
        return {}


def _not_ours(_asked: dict[str, Any]) -> dict[str, Any]:
    raise FleetError("The peers of a public run belong to those who started them.", hint="")


@contextlib.contextmanager
def _opened(folder: Path) -> Generator[Watched]:
    """Open record, chain and store of a public run, and write the first event.

    Raises:
        SubnetLabError: it cannot be followed; nothing was recorded.
    """
    with contextlib.ExitStack() as held:
        spec = read_spec(folder)
        reads = held.enter_context(contextlib.closing(SubnetReads(spec.endpoint, spec.netuid)))
        found = find_run(reads, store=spec.store, trust=spec.trust)
        if found.hash != digest("manifest", _canonical(folder)).hex():
            raise FleetError("The subnet's owner has announced another run since.", hint="")
        check_trust(found)
        manifest = read_answers(found) if is_of_answers(found.manifest) else read(found)
        record = held.enter_context(RecordWriter(folder / FILE_NAME))
        view = RunView()
        for entry in Tail(folder / FILE_NAME).entries():
            view.add(entry.event)
        if view.ended is not None:
            raise FleetError("This run is over.", hint="")
        token = secrets.token_hex(16)
        control = held.enter_context(contextlib.closing(ControlServer(folder, token, spent=record.append)))
        write_private(folder / SUPERVISOR_FILE, json.dumps({"pid": os.getpid(), "token": token}) + "\n")
        hotkeys = {neuron.uid: neuron.hotkey for neuron in found.seats.neurons}
        epochs = held.enter_context(contextlib.closing(EpochWatcher(spec.endpoint, spec.netuid, hotkeys)))
        head = reads.head()
        epochs.begin(head, view.pay.last.block if view.pay.last else None)
        followed = held.enter_context(_followed(spec, manifest, found, reads))
        wire = held.enter_context(contextlib.closing(PeerChain(spec.endpoint, spec.netuid, READER_URI)))
        limit_s = patience_s(1, reads.block_s())
        watched = Watched(
            folder=folder, spec=spec, found=found, record=record, view=view, reads=reads, epochs=epochs,
            control=control, clock=WatchedClock(wire, limit_s),
            observer=_observer(folder, found, followed, view, hotkeys),
        )  # fmt: skip
        watched.observer.append = watched.append
        if view.started is None:
            watched.append([_first_event(found, spec, head)])
        yield watched


def _canonical(folder: Path) -> bytes:
    """The folder's manifest as its hash takes it."""
    try:
        described = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FleetError(
            f"The run folder has no readable {MANIFEST_FILE}: {error}.",
            hint="Attach again: subnet.attach() reads the manifest from the store.",
        ) from error
    return canonical_json(described)


@contextlib.contextmanager
def _followed(
    spec: FleetSpec, manifest: Manifest | AnswersManifest, found: FoundRun, reads: SubnetReads
) -> Generator[Replica | Followed]:
    """What is followed: the observer's own copy of the model, or the scores of a run without one."""
    with contextlib.closing(PeerChain(spec.endpoint, spec.netuid, READER_URI)) as chain:
        place = reading_place(found, allow_local=spec.is_devnet)
        if isinstance(manifest, AnswersManifest):
            yield Followed(manifest=manifest, roster=reads.roster(), chain=chain, store=place)
        else:
            yield Replica(manifest, reads.roster(), chain, place)


def _kept(folder: Path, found: FoundRun, manifest: Manifest) -> Store:
    """The store inside the run's folder, with the tensors that the run starts from."""
    kept = open_store(folder / STORE_FOLDER)
    if manifest.init:
        with contextlib.suppress(ObjectExists):
            name, model = object_paths.initial(manifest.init), models.build(manifest.model, manifest.seed)
            kept.put(name, found.store.get(name, limit_of(model)))
    return kept


def _observer(
    folder: Path, found: FoundRun, followed: Replica | Followed, view: RunView, hotkeys: dict[int, str]
) -> Observer:
    roles: dict[str, Role] = {"miner": "miner", "validator": "validator"}
    seats = view.seats.items()
    nothing: Callable[[Sequence[Event]], None] = lambda _: None  # noqa: E731
    known: dict[str, Any] = {
        "append": nothing, "over": set(view.over), "hotkeys": hotkeys, "gone": set(view.gone),
        "last": view.last_closed,
        "seen": {uid: roles[str(seat["role"])] for uid, seat in seats if str(seat["role"]) in roles},
    }  # fmt: skip
    if isinstance(followed, Followed):
        kept, nothing_trained = open_store(folder / STORE_FOLDER), cast("Any", None)
        replica = cast("Any", followed)
        return AnswersObserver(followed=followed, replica=replica, corpus=nothing_trained, kept=kept, **known)
    manifest = followed.manifest
    return Observer(
        replica=followed, corpus=corpus_of(found, manifest, folder / DATA_FOLDER),
        kept=_kept(folder, found, manifest), **known,
    )  # fmt: skip


def _first_event(found: FoundRun, spec: FleetSpec, head: Block) -> RunStarted:
    def role(hotkey: str) -> Role:
        return "owner" if hotkey == found.owner else "other"

    return RunStarted(
        run_id=found.run_id, network=spec.network, netuid=spec.netuid, manifest_hash=found.hash,
        manifest=found.manifest, block=head.number, play_money=spec.is_devnet,
        seats=[{"uid": n.uid, "hotkey": n.hotkey, "role": role(n.hotkey)} for n in found.seats.neurons],
    )  # fmt: skip
