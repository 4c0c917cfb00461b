"""The supervisor of one run: starts its peers, keeps its record, paces its blocks, and ends it in order.

One thread, one selector: peers' pipes, the control socket, the chain's blocks, and deadlines; nothing is
polled. Everything that happens is appended to the record before anything follows from it, so a supervisor
that is killed leaves a valid prefix. It never touches a tensor: what needs torch is called by its launcher.
"""

import logging
import selectors
import signal
import socket
import time
from collections.abc import Sequence
from math import inf
from types import FrameType
from typing import Any, Final, Protocol

from subnetlab.errors import ChainRejected, FleetError, NodeUnreachable
from subnetlab.fleet.chain_clock import ChainClock, Patience
from subnetlab.fleet.control import CELL, ControlServer, Verb
from subnetlab.fleet.launcher import Launcher
from subnetlab.fleet.limits import cores as usable_cores
from subnetlab.fleet.spec import FleetSpec
from subnetlab.fleet.supervisor.crew import Crew, verbs_of
from subnetlab.fleet.supervisor.ending import Ending, chain_gone, nothing_delivered
from subnetlab.fleet.supervisor.energy import EnergyMeter
from subnetlab.fleet.supervisor.pacer import Pacer
from subnetlab.fleet.supervisor.peers import SupervisedPeer
from subnetlab.fleet.supervisor.recorder import Recorder
from subnetlab.fleet.supervisor.run_header import RunHeader
from subnetlab.network.chain import Block
from subnetlab.record.events import (
    BlockSealed,
    EpochPaid,
    PeerStatus,
    RunStatus,
)

log = logging.getLogger(__name__)

_EPOCH_LIMIT: Final = 64
"""Blocks sealed after the last round to see it paid; a subnet of a longer tempo is not waited for."""
_START_HINT: Final = "LocalFleet(start_limit_s=…) sets this limit."


class EpochSource(Protocol):
    """What tells an epoch's pay: `epochs.EpochWatcher` on the wire."""

    def paid_by(self, block: Block) -> Sequence[EpochPaid]:
        """What an epoch up to this block paid, if that is news."""
        ...


class Supervisor:
    """The loop of a run that has been opened: record, clock, control socket and peers are there.

    Args:
        spec: the fleet.
        header: the manifest.
        recorder: where events go.
        clock: started and stopped by the caller.
        epochs: reads what an epoch paid.
        control: listening.
        head: the chain's head when the clock was started.
        launcher: starts the peers.
        hotkeys: who holds each uid, as `epochs` knows it; kept up to date here.
        cores: processor cores of this machine; found out unless given.
    """

    def __init__(
        self,
        *,
        spec: FleetSpec,
        header: RunHeader,
        recorder: Recorder,
        clock: ChainClock,
        epochs: EpochSource,
        control: ControlServer,
        head: Block,
        launcher: Launcher,
        hotkeys: dict[int, str] | None = None,
        cores: float | None = None,
    ) -> None:
        self._spec, self._header, self._recorder = spec, header, recorder
        self._clock, self._epochs, self._control = clock, epochs, control
        self._pacer = Pacer(rounds=header.rounds, owed=header.owed, limit_s=spec.phase_limit_s)
        self._began = self._sealed_at = time.monotonic()
        self._pacer.sealed(head.number, self._began)
        self._paid_at = head.number
        self.energy = EnergyMeter()
        """Read with every block, so that no counter runs over unseen."""
        self._patience = Patience(spec.node_limit_s)
        self._ending: Ending | None = None
        self._trained: Ending | None = None
        """How the run ends, once its seats are through and only baselines may still train."""
        self._waiting = selectors.DefaultSelector()
        self._crew = Crew(
            spec,
            launcher,
            self._pacer,
            recorder=recorder,
            waiting=self._waiting,
            hotkeys={} if hotkeys is None else hotkeys,
            cores=_cores_of(spec) if cores is None else cores,
        )
        self._waiting.register(control.listener, selectors.EVENT_READ, self._on_control_connect)
        self._watches = clock.fileno()
        if self._watches is not None:
            self._waiting.register(self._watches, selectors.EVENT_READ, self._blocks_came)

    # -- what the outside may ask --------------------------------------------------------------------------

    @property
    def head(self) -> int:
        """The last block of the run so far."""
        return self._pacer.head

    def listen_to_signals(self) -> None:
        """End the run in order on SIGTERM and SIGINT; to be called in the main thread."""
        wake, sleep = socket.socketpair()
        for end in (wake, sleep):
            end.settimeout(0)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._system_asked)
        self._waiting.register(sleep, selectors.EVENT_READ, lambda: sleep.recv(64))
        self._signals = (wake, sleep)

    def stop(self, reason: str) -> None:
        """End the run as soon as the loop comes round; the first reason is kept."""
        if self._ending is None:
            self._ending = Ending(status=RunStatus.STOPPED, reason=reason)

    def _system_asked(self, _number: int, _frame: FrameType | None) -> None:
        self.stop("The system asked its supervisor to end.")

    def status(self) -> dict[str, Any]:
        """Block, round and peers, for the control socket."""
        return {
            "run_id": self._header.run_id,
            "block": self._pacer.head,
            "round": self._header.rounds.round_at(self._pacer.head),
            "rounds": self._header.rounds.rounds,
            "stopping": self._ending is not None,
            "awaited": sorted(self._pacer.awaited()),
            "late": sorted(self._pacer.late),
            "peers": self._crew.status(),
        }

    # -- the loop ------------------------------------------------------------------------------------------

    def leave_broken_round(self) -> None:
        """Seal to the end of a round in which an earlier supervisor was cut off; peers begin with the next.

        A peer takes part in a round only from its open block on. What became of the rounds that
        were left without a word is found out and recorded.

        Raises:
            NodeUnreachable: the chain is away again.
        """
        rounds = self._pacer.rounds
        while self._watches is None and rounds.inside(self._pacer.head) and self._seal():
            pass
        finished = self._pacer.finished()
        self._recorder.reconcile(rounds.rounds if finished else rounds.round_at(self._pacer.head))

    def run(self) -> Ending:
        """Start the peers and follow them to the end of the run; on return none of them is running."""
        try:
            self._crew.start()
            # Pacing comes first: the block that it seals may be the last thing the run waited for.
            self._pace()
            while (ending := self._ending_if_done()) is None:
                for key, _ in self._waiting.select(self._select_timeout()):
                    key.data()
                self._pace()
        except NodeUnreachable as error:
            ending = chain_gone(error)
        finally:
            self._control.close()
            self._crew.end()
            self._waiting.close()
        return ending

    def _account_for_every_round(self) -> Ending:
        """Have every round on record, and see the last one paid; how the run ends."""
        why = self._recorder.reconcile(self._pacer.rounds.rounds, again=True)
        if self._watches is None:
            self._seal_until_paid()
        if not why:
            lost = next((peer for peer in self._crew.peers if peer.failed_as is RunStatus.DIVERGED), None)
            if lost is not None:  # in the last round
                return Ending(status=RunStatus.DIVERGED, reason=lost.reason())
            if missed := self._recorder.resume.undelivered:
                return nothing_delivered(self._first_late_miner() or missed)
            return Ending(status=RunStatus.FINISHED, reason="")
        return Ending(status=RunStatus.INTERRUPTED, reason=f"What became of some rounds is not known: {why}")

    def _ending_if_done(self) -> Ending | None:
        if self._trained is None and self._ending is None:
            if self._header.deterministic and (missing := self._missing()):
                why = "It was to go as its seed says, which takes every peer in every round."
                return Ending(status=RunStatus.FAILED, reason=f"{missing} {why}")
            if self._seats_are_through():
                self._trained = self._account_for_every_round()
                if self._trained.status is RunStatus.FINISHED:
                    self._crew.start_later_baselines()
        if self._trained is not None:
            # Who stops it now ends baselines alone: the run has come to its end.
            left = self._ending is None and self._crew.running
            return None if left else self._trained
        if self._ending is not None:
            return self._ending
        for role, roles in (("miner", ("miner", "free_rider")), ("validator", ("validator",))):
            crew = [peer for peer in self._crew.peers if peer.seat.role in roles]
            if crew and all(peer.status is PeerStatus.GONE for peer in crew):
                may_return = any(peer.interrupted for peer in crew)
                # A failure says more than what was taken away, and the first failure more than the next.
                cause = min(crew, key=lambda peer: (peer.interrupted, peer.ended_at))
                status = RunStatus.INTERRUPTED if may_return else cause.failed_as
                return Ending(status=status, reason=f"Every {role} is gone. {cause.reason()}")
        return None

    def _missing(self) -> str:
        """Which peer is gone or late, as a sentence; empty where all take part."""
        for peer in self._crew.peers:
            if peer.seat.role != "alone" and peer.status is PeerStatus.GONE:
                return f"The {peer.seat.name} is gone. {peer.reason()}"
            if peer.seat.uid in self._pacer.late:
                return self._was_late(peer)
        return ""

    def _first_late_miner(self) -> str:
        """The miner that was the first to miss the limit of a phase, as a sentence; empty for none."""
        peers = {peer.seat.uid: peer for peer in self._crew.peers if peer.seat.role != "validator"}
        return next((self._was_late(peers[uid]) for uid in self._pacer.ever_late if uid in peers), "")

    def _was_late(self, peer: SupervisedPeer) -> str:
        limit = f"{self._spec.phase_limit_s:g} s; LocalFleet(phase_limit_s=…) sets this limit"
        return f"The {peer.seat.name} reported nothing within {limit}."

    def _seats_are_through(self) -> bool:
        running = any(peer.running for peer in self._crew.peers if peer.seat.uid >= 0)
        return self._pacer.finished() and not running

    def _select_timeout(self) -> float | None:
        """Seconds until something must happen although nothing was heard; None for no limit."""
        now = time.monotonic()
        starting = self._crew.starting
        due = [self._crew.next_deadline(), *(peer.start_limit.idle_deadline for peer in starting)]
        if any(peer.seat.uid >= 0 for peer in starting):
            pass
        elif self._watches is None and self._pacer.may_seal():
            due.append(self._patience.next_at)
        elif self._pacer.finished():
            due += [self._last_deadline(peer) for peer in self._crew.live]
        elif self._watches is None:
            due.append(self._pacer.deadline())
        return None if min(due) == inf else max(0.0, min(due) - now)

    def _last_deadline(self, peer: SupervisedPeer) -> float:
        """When a peer is ended after the last block: it may take as long as the run did, or a phase.

        A baseline has as long again whenever one of them was judged.
        """
        since = self._sealed_at if peer.seat.uid >= 0 else max(self._sealed_at, self._crew.judged_at)
        return since + max(self._spec.phase_limit_s, self._sealed_at - self._began)

    def _pace(self) -> None:
        now = time.monotonic()
        self._crew.keep_time(now)
        if starting := self._crew.starting:
            late = [peer for peer in starting if peer.start_limit.is_exceeded(now)]
            limit = f"{self._spec.start_limit_s:g} s of work"
            self._crew.kill_all(late, f"It was not up within {limit}. {_START_HINT}")
            if any(peer.seat.uid >= 0 for peer in starting):
                return
        if self._pacer.finished():
            late = [peer for peer in self._crew.live if now >= self._last_deadline(peer)]
            self._crew.kill_all(late, "It did not come to its end.")
            return
        if self._watches is None:
            self._pacer.give_up(now)
            if self._header.deterministic and self._missing():
                return  # no block is sealed that a peer has no part in
            while self._pacer.may_seal() and self._ending is None and now >= self._patience.next_at:
                if not self._seal():
                    return
        self._recorder.reconcile(self._pacer.rounds.rounds_due_by(self._pacer.head))

    def _seal(self) -> bool:
        """Seal one block; False where the node does not answer just now."""
        asked_at = time.monotonic()
        try:
            block = self._clock.seal()
        except NodeUnreachable as error:
            self._patience.failed(error, asked_at)
            return False
        self._patience.worked()
        self._block(block, waited_s=asked_at - self._sealed_at, chain_s=time.monotonic() - asked_at)
        return True

    def _seal_until_paid(self) -> None:
        """Seal on until one more epoch has run, so that the last round is paid too."""
        closed_at = self._pacer.head
        for _ in range(_EPOCH_LIMIT):
            if self._paid_at > closed_at or not self._seal():
                return

    def _blocks_came(self) -> None:
        for block in self._clock.arrived():
            self._block(block, waited_s=time.monotonic() - self._sealed_at, chain_s=0.0)

    def _block(self, block: Block, *, waited_s: float, chain_s: float) -> None:
        """A block is there: into the record, and what its epoch paid if it held one."""
        self._sealed_at = time.monotonic()
        self.energy.read()
        self._pacer.sealed(block.number, self._sealed_at)
        self._recorder.append(
            [
                BlockSealed(
                    number=block.number,
                    hash=block.hash,
                    round=self._header.rounds.round_at(block.number),
                    waited_s=round(waited_s, 6),
                    chain_s=round(chain_s, 6),
                )
            ]
        )
        try:
            paid = self._epochs.paid_by(block)
        except (NodeUnreachable, ChainRejected) as error:
            log.warning("The metagraph at block %d could not be read: %s", block.number, error)
            return
        if paid:
            self._paid_at = block.number
        self._recorder.append(paid)
        for epoch in paid:
            self._crew.kill_those_without_seat(epoch)

    # -- the control socket --------------------------------------------------------------------------------

    def _on_control_connect(self) -> None:
        caller = self._control.accept()
        if caller is not None:
            self._waiting.register(caller, selectors.EVENT_READ, lambda: self._answer(caller))

    def _answer(self, caller: socket.socket) -> None:
        def cell(asked: dict[str, Any]) -> None:
            self._crew.pass_on(int(asked["uid"]), caller)

        verbs: dict[str, Verb] = {
            "status": self._status_asked, "stop": self._stop_asked, CELL: cell, **self._peer_verbs()
        }  # fmt: skip
        # Before it may be passed on: epoll would go on reporting a connection that another process holds.
        self._waiting.unregister(caller)
        if not self._control.answer(caller, verbs):
            self._waiting.register(caller, selectors.EVENT_READ, lambda: self._answer(caller))

    def _peer_verbs(self) -> dict[str, Verb]:
        """What may be asked of peers; nothing where the run must go as its seed says."""
        verbs: dict[str, Verb] = {**verbs_of(self._crew), "may_join": self._status_asked}
        return dict.fromkeys(verbs, _left_alone) if self._header.deterministic else verbs

    def _status_asked(self, _asked: dict[str, Any]) -> dict[str, Any]:
        return self.status()

    def _stop_asked(self, _asked: dict[str, Any]) -> dict[str, Any]:
        self.stop("Somebody asked it to stop.")
        return {}


def _cores_of(spec: FleetSpec) -> float:
    """Cores for a fleet's processes; a cluster has as many as its scheduler gave them."""
    return inf if spec.ray_address else usable_cores()


def _left_alone(_asked: dict[str, Any]) -> dict[str, Any]:
    raise FleetError(
        "This run is to go as its seed says, so its peers are left alone.",
        hint="Start it without deterministic=True to kill, pause or add peers.",
    )
