"""The supervisor of one run: starts its peers, keeps its record, paces its blocks, and ends it in order.

One thread, one selector: peers' pipes, the control socket, the chain's blocks, and deadlines; nothing is
polled. Everything that happens is appended to the record before anything follows from it, so a supervisor
that is killed leaves a valid prefix. It never touches a tensor: what needs torch is asked of a fork.
"""

import logging
import selectors
import signal
import socket
import time
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final, Literal, Protocol

from subnetlab.errors import ChainRejected, FleetError, NodeUnreachable
from subnetlab.fleet.clock import Clock, Patience
from subnetlab.fleet.control import ControlServer
from subnetlab.fleet.facts import Facts
from subnetlab.fleet.pacer import Pacer
from subnetlab.fleet.past import Past
from subnetlab.fleet.peer_process import PeerProcess, end_all
from subnetlab.fleet.recount import Recount
from subnetlab.fleet.spec import FleetSpec
from subnetlab.network.chain import Block
from subnetlab.record.events import BlockSealed, Event, PeerGone, PeerReady, Phase, RoundClosed
from subnetlab.record.writer import RecordWriter

log = logging.getLogger(__name__)

_PAYDAY_LIMIT: Final = 64
"""Blocks sealed after the last round to see it paid; a subnet of a longer tempo is not waited for."""
_GRACE_S: Final = 3.0
"""How long a peer may take to end in order."""

Status = Literal["finished", "stopped", "failed", "interrupted"]
"""`interrupted` is no end: the next supervisor goes on."""


class PaySource(Protocol):
    """What tells an epoch's pay: `payroll.Payroll` on the wire."""

    def paid_by(self, block: Block) -> list[Event]:
        """What an epoch up to this block paid, if that is news."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ends, or why it was left."""

    status: Status
    reason: str


def chain_gone(error: NodeUnreachable) -> Ending:
    """A run that its chain left: nothing that is sealed is lost."""
    return Ending(status="interrupted", reason=f"The chain is gone: {error.args[0]}")


class Supervisor:
    """The loop of a run that has been opened: record, clock, control socket and peers are there.

    Args:
        spec: the fleet.
        facts: the manifest.
        record: where events go; opened and closed by the caller.
        clock: started and stopped by the caller.
        payroll: reads what an epoch paid.
        control: listening.
        head: the chain's head when the clock was started.
        past: what an earlier supervisor of this run recorded.
        recount: finds out what became of a round that no peer reported.
    """

    def __init__(
        self,
        *,
        spec: FleetSpec,
        facts: Facts,
        record: RecordWriter,
        clock: Clock,
        payroll: PaySource,
        control: ControlServer,
        head: Block,
        past: Past,
        recount: Recount,
    ) -> None:
        self._spec, self._facts, self._record = spec, facts, record
        self._clock, self._payroll, self._control = clock, payroll, control
        self._pacer = Pacer(rounds=facts.rounds, owed=facts.owed, limit_s=spec.phase_limit_s)
        self._began = self._sealed_at = time.monotonic()
        self._pacer.sealed(head.number, self._began)
        self._paid_at = head.number
        self._patience = Patience(spec.node_limit_s)
        self._peers: list[PeerProcess] = []
        self._ending: Ending | None = None
        self._past, self._recount = past, recount
        self._asked: set[int] = set()
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(control.listener, selectors.EVENT_READ, self._let_in)
        self._watches = clock.fileno()
        if self._watches is not None:
            self._waiting.register(self._watches, selectors.EVENT_READ, self._blocks_came)

    # -- what the outside may ask --------------------------------------------------------------------------

    @property
    def last_closed(self) -> RoundClosed | None:
        """The newest round that a lead has closed."""
        return self._past.last_closed

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
        """End the run as soon as the loop comes round; the first reason stands."""
        if self._ending is None:
            self._ending = Ending(status="stopped", reason=reason)

    def _system_asked(self, _number: int, _frame: FrameType | None) -> None:
        self.stop("The system asked its supervisor to end.")

    def status(self) -> dict[str, Any]:
        """Where the run stands, for the control socket."""
        return {
            "run_id": self._facts.run_id,
            "block": self._pacer.head,
            "round": self._facts.rounds.round_at(self._pacer.head),
            "rounds": self._facts.rounds.rounds,
            "stopping": self._ending is not None,
            "awaited": sorted(self._pacer.awaited()),
            "late": sorted(self._pacer.late),
            "peers": [
                {"uid": peer.seat.uid, "role": peer.seat.role, "pid": peer.process.pid, "state": peer.state}
                for peer in self._peers
            ],
        }

    # -- the loop ------------------------------------------------------------------------------------------

    def leave_broken_round(self) -> None:
        """Seal to the end of a round in which an earlier supervisor was cut off; peers begin with the next.

        Whoever takes part in a round must have been there from its open block. What became of the rounds that
        were left without a word is found out and recorded.

        Raises:
            NodeUnreachable: the chain is away again.
        """
        rounds = self._pacer.rounds
        while self._watches is None and rounds.inside(self._pacer.head) and self._seal():
            pass
        self._settle(rounds.rounds if self._pacer.finished() else rounds.round_at(self._pacer.head))

    def run(self, peers: list[PeerProcess]) -> Ending:
        """Follow the started peers to the end of the run; on return none of them is running."""
        self._peers = peers
        for peer in peers:
            self._pacer.add(peer.seat.uid, peer.seat.role)
            self._waiting.register(peer.fileno(), selectors.EVENT_READ, lambda peer=peer: self._heard(peer))
        try:
            # Pacing comes first: the block that it seals may be the last thing the run waited for.
            self._pace()
            while (ending := self._over()) is None:
                for key, _ in self._waiting.select(self._patient_for()):
                    key.data()
                self._pace()
            if ending.status == "finished":
                self._asked.clear()
                self._settle(self._pacer.rounds.rounds)
                if self._watches is None:
                    self._see_payday()
        except NodeUnreachable as error:
            ending = chain_gone(error)
        finally:
            self._control.close()
            self._append(end_all(peers, _GRACE_S))
            self._waiting.close()
        return ending

    def _over(self) -> Ending | None:
        if self._ending is not None:
            return self._ending
        if self._pacer.finished() and not any(peer.running for peer in self._peers):
            return Ending(status="finished", reason="")
        for role, roles in (("miner", ("miner", "free_rider")), ("validator", ("validator",))):
            crew = [peer for peer in self._peers if peer.seat.role in roles]
            if crew and all(peer.state == "gone" for peer in crew):
                status = "interrupted" if any(peer.cut_off for peer in crew) else "failed"
                return Ending(status=status, reason=f"Every {role} is gone. {crew[-1].reason()}")
        return None

    def _patient_for(self) -> float | None:
        """Seconds until something must happen although nothing was heard."""
        now = time.monotonic()
        due: list[float] = []
        if any(peer.state == "starting" for peer in self._peers):
            due.append(self._began + self._spec.start_limit_s)
        elif self._watches is None and self._pacer.may_seal():
            due.append(self._patience.next_at)
        elif self._pacer.finished():
            due.append(self._sealed_at + self._last_limit_s())
        elif self._watches is None:
            due.append(self._pacer.deadline())
        else:
            return None
        return max(0.0, min(due) - now)

    def _last_limit_s(self) -> float:
        """How long the last peers may go on after the last block: as long as the run took, or a phase."""
        return max(self._spec.phase_limit_s, self._sealed_at - self._began)

    def _pace(self) -> None:
        now = time.monotonic()
        if any(peer.state == "starting" for peer in self._peers):
            if now >= self._began + self._spec.start_limit_s:
                self._end_those("starting", f"It was not up within {self._spec.start_limit_s:g} s.")
            return
        if self._pacer.finished():
            if now >= self._sealed_at + self._last_limit_s():
                self._end_those("live", "It did not come to its end.")
            return
        if self._watches is None:
            self._pacer.give_up(now)
            while self._pacer.may_seal() and self._ending is None and now >= self._patience.next_at:
                if not self._seal():
                    return
        self._settle(self._pacer.rounds.told_by(self._pacer.head))

    def _seal(self) -> bool:
        """Seal one block; False where the node does not answer just now."""
        asked_at = time.monotonic()
        try:
            block = self._clock.seal()
        except NodeUnreachable as error:
            self._patience.failed(error)
            return False
        self._patience.worked()
        self._block(block, waited_s=asked_at - self._sealed_at, chain_s=time.monotonic() - asked_at)
        return True

    def _see_payday(self) -> None:
        """Seal on until one more epoch has run, so that the last round is paid too."""
        closed_at = self._pacer.head
        for _ in range(_PAYDAY_LIMIT):
            if self._paid_at > closed_at or not self._seal():
                return

    def _blocks_came(self) -> None:
        for block in self._clock.arrived():
            self._block(block, waited_s=time.monotonic() - self._sealed_at, chain_s=0.0)

    def _block(self, block: Block, *, waited_s: float, chain_s: float) -> None:
        """A block is there: into the record, and what its epoch paid if it held one."""
        self._sealed_at = time.monotonic()
        self._pacer.sealed(block.number, self._sealed_at)
        self._append(
            [
                BlockSealed(
                    number=block.number,
                    hash=block.hash,
                    round=self._facts.rounds.round_at(block.number),
                    waited_s=round(waited_s, 6),
                    chain_s=round(chain_s, 6),
                )
            ]
        )
        try:
            paid = self._payroll.paid_by(block)
        except (NodeUnreachable, ChainRejected) as error:
            log.warning("The metagraph at block %d could not be read: %s", block.number, error)
            return
        if paid:
            self._paid_at = block.number
        self._append(paid)

    def _settle(self, before: int) -> None:
        """Find out what became of the rounds below `before` that no peer reported: closed, or lost."""
        unsettled = [number for number in self._past.open(before) if number not in self._asked]
        if not unsettled:
            return
        self._asked.update(unsettled)
        try:
            found = self._recount(unsettled)
        except FleetError as error:
            log.warning("What became of round %d cannot be said yet: %s", unsettled[0], error)
            return
        self._append([event for event in found if self._past.is_news(event)])

    # -- peers ---------------------------------------------------------------------------------------------

    def _heard(self, peer: PeerProcess) -> None:
        descriptor = peer.fileno()
        for event in peer.read():
            if isinstance(event, PeerReady):
                peer.state = "live" if peer.running else peer.state
                self._pacer.ready(peer.seat.uid)
            if self._past.is_news(event):
                self._append([event])
            if isinstance(event, Phase):
                self._pacer.reported(event)
        if not peer.running:
            self._waiting.unregister(descriptor)
            self._pacer.gone(peer.seat.uid)
            if peer.state == "gone":
                self._append([PeerGone(uid=peer.seat.uid, reason=peer.reason())])

    def _end_those(self, state: str, reason: str) -> None:
        for peer in self._peers:
            if peer.state == state:
                descriptor = peer.fileno()
                self._append(peer.kill())
                self._waiting.unregister(descriptor)
                self._pacer.gone(peer.seat.uid)
                self._append([PeerGone(uid=peer.seat.uid, reason=reason)])

    def _append(self, events: list[Event]) -> None:
        for event in events:
            self._record.append(event)

    # -- the control socket --------------------------------------------------------------------------------

    def _let_in(self) -> None:
        caller = self._control.accept()
        if caller is not None:
            self._waiting.register(caller, selectors.EVENT_READ, lambda: self._answer(caller))

    def _answer(self, caller: socket.socket) -> None:
        descriptor = caller.fileno()
        verbs = {"status": self.status, "stop": self._stop_asked}
        if self._control.answer(caller, verbs):
            self._waiting.unregister(descriptor)

    def _stop_asked(self) -> dict[str, Any]:
        self.stop("Somebody asked it to stop.")
        return {}
