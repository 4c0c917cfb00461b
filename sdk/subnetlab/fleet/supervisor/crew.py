"""The peers of one run while it goes on: started, heard, killed, paused, joined by others, and ended.

Everything that happens to a peer is on record before anything follows from it. A paused peer goes on by
itself where its supervisor is killed. Knows nothing of blocks but what it tells the pacer.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from subnetlab.errors import FleetError, FleetStartFailed
from subnetlab.fleet.chaos import ChaosSchedule
from subnetlab.fleet.launcher import Launcher
from subnetlab.fleet.spec import FleetSpec, PeerSeat, write_spec
from subnetlab.fleet.supervisor.pacer import Pacer
from subnetlab.fleet.supervisor.peers import SupervisedPeer, end_all
from subnetlab.fleet.supervisor.recorder import Recorder
from subnetlab.record.baselines import ALONE
from subnetlab.record.events import (
    BaselineEvaluated,
    EpochPaid,
    PeerGone,
    PeerReady,
    PeersJoined,
    PeerStatus,
    Phase,
)

CHAOS: Final = "The chaos schedule killed it."
_GRACE_S: Final = 3.0
"""How long a peer may take to end in order."""
_LONGEST_PAUSE_S: Final = 3600.0


class Crew:
    """The started peers of a run.

    Args:
        spec: the fleet, whose seats are started.
        launcher: starts the processes.
        pacer: is told who is started, up, heard and gone.
        recorder: where events go.
        waiting: the supervisor's selector, with which peers' pipes are registered.
        hotkeys: who holds each uid; those of peers that join are added.
        cores: processor cores of this machine.
    """

    def __init__(
        self,
        spec: FleetSpec,
        launcher: Launcher,
        pacer: Pacer,
        *,
        recorder: Recorder,
        waiting: selectors.BaseSelector,
        hotkeys: dict[int, str],
        cores: float,
    ) -> None:
        self.spec, self._hotkeys, self._cores = spec, hotkeys, cores
        self._launcher, self._pacer, self._recorder, self._waiting = launcher, pacer, recorder, waiting
        self.peers: list[SupervisedPeer] = []
        self.judged_at = time.monotonic()
        """When a baseline was last judged."""
        self._paused: dict[int, float] = {}
        """When each paused peer goes on, `time.monotonic()`."""
        self._lost: dict[int, int] = {}
        """How often the process of each peer was lost."""
        self._chaos = ChaosSchedule(spec.kills_per_hour, spec.chaos_seed, time.monotonic())

    def start(self) -> None:
        """Start the peer of every seat, baselines excepted that are on record as measured or come later.

        Raises:
            FleetStartFailed: one cannot be started; those before it are among `peers`.
        """
        for seat in self.spec.seats:
            if not (self._measured(seat) or self._comes_later(seat)):
                self._start(seat)

    def start_later_baselines(self) -> None:
        """Start the baselines that `start` left for the time when no seat trains any more.

        The run has come to its end by then: one that cannot be started is gone, and fails nothing.
        """
        for seat in self.spec.seats:
            if self._comes_later(seat) and not self._measured(seat):
                try:
                    self._start(seat)
                except FleetStartFailed as error:
                    self._recorder.append([PeerGone(uid=seat.uid, reason=str(error))])

    def _measured(self, seat: PeerSeat) -> bool:
        return bool(seat.baseline) and self._recorder.resume.measured(seat.baseline)

    def _comes_later(self, seat: PeerSeat) -> bool:
        """Whether it is a baseline that keeps no pace, on a machine with fewer cores than processes.

        Such a baseline takes as much work as many miners: beside them it would slow every round, and hold its
        memory while they hold theirs.
        """
        return seat.baseline not in ("", ALONE) and self._cores < len(self.spec.seats)

    def _start(self, seat: PeerSeat, *, owes_after: int | None = None) -> None:
        peer = SupervisedPeer(seat, self._launcher.start(seat), self.spec.start_limit_s)
        self.peers.append(peer)
        if seat.uid >= 0:  # nothing waits for a baseline
            self._pacer.add(seat.uid, seat.role, owes_after=owes_after)
        self._waiting.register(peer.fileno(), selectors.EVENT_READ, lambda: self._hear(peer))

    # -- who is where ---------------------------------------------------------------------------------------

    @property
    def starting(self) -> list[SupervisedPeer]:
        """The peers that are not up yet."""
        return self._in(PeerStatus.STARTING)

    @property
    def live(self) -> list[SupervisedPeer]:
        """The peers that are up."""
        return self._in(PeerStatus.LIVE)

    @property
    def running(self) -> bool:
        """Whether any peer still runs."""
        return any(peer.running for peer in self.peers)

    def _in(self, status: PeerStatus) -> list[SupervisedPeer]:
        return [peer for peer in self.peers if peer.status is status]

    def status(self) -> list[dict[str, Any]]:
        """Every peer with its process id, for the control socket."""
        return [
            {
                "uid": peer.seat.uid,
                "role": peer.seat.role,
                "pid": peer.pid,
                "state": "paused" if peer.seat.uid in self._paused else peer.status,
            }
            for peer in self.peers
        ]

    def next_deadline(self) -> float:
        """When something must happen although nothing is heard: `time.monotonic()`, infinity for never."""
        return min([*self._paused.values(), self._chaos.next_at])

    # -- what they say --------------------------------------------------------------------------------------

    def _hear(self, peer: SupervisedPeer) -> None:
        if not peer.running:  # it was killed while what it said waited to be heard
            return
        descriptor = peer.fileno()
        for event in peer.read():
            if isinstance(event, PeerReady):
                self._pacer.ready(peer.seat.uid)
            self._recorder.append_if_new(event)
            if isinstance(event, Phase):
                self._pacer.reported(event)
            if isinstance(event, BaselineEvaluated):
                self.judged_at = time.monotonic()
        if not peer.running:
            self._waiting.unregister(descriptor)
            self._pacer.gone(peer.seat.uid)
            if peer.status is PeerStatus.GONE:
                self._recorder.append([PeerGone(uid=peer.seat.uid, reason=peer.reason())])
                self._replace(peer)

    def _replace(self, peer: SupervisedPeer) -> None:
        """Start a peer again whose process was lost, as often as the fleet allows and while rounds open."""
        times = self._lost.get(peer.seat.uid, 0)
        if peer.lost and times < self.spec.restarts and not self._pacer.finished():
            self._lost[peer.seat.uid] = times + 1
            self._start_again(peer)

    # -- what is done to them -------------------------------------------------------------------------------

    def kill_all(self, peers: Iterable[SupervisedPeer], reason: str, *, for_good: bool = False) -> None:
        """End some peers at once; `reason` and `for_good` as in `SupervisedPeer.kill`."""
        for peer in peers:
            self._go_on(peer.seat.uid)
            descriptor = peer.fileno()
            self._recorder.append(peer.kill(reason, for_good=for_good))
            self._waiting.unregister(descriptor)
            self._pacer.gone(peer.seat.uid)
            self._recorder.append([PeerGone(uid=peer.seat.uid, reason=reason)])

    def kill_those_without_seat(self, epoch: EpochPaid) -> None:
        """End the peers whose uid another hotkey holds by now."""
        for peer in self.peers:
            holder = epoch.reassigned.get(str(peer.seat.uid))
            if holder is not None and peer.running:
                reason = f"It lost its seat: by block {epoch.block} uid {peer.seat.uid} was sold to {holder}."
                self.kill_all([peer], reason, for_good=True)

    def kill(self, uid: int, reason: str, *, restart: bool = False) -> None:
        """End a peer at once, and start it again if asked to; it joins from the next round that opens.

        Raises:
            FleetError: no running peer holds the uid.
        """
        peer = self._running(uid)
        self.kill_all([peer], reason)
        if restart:
            self._start_again(peer)

    def _start_again(self, peer: SupervisedPeer) -> None:
        """Start a peer that is gone; it joins from the next round that opens."""
        self.peers.remove(peer)
        rounds, head = self._pacer.rounds, self._pacer.head
        self._start(peer.seat, owes_after=rounds.next_open(head) if rounds.inside(head) else None)

    def pause(self, uid: int, seconds: float) -> None:
        """Stop a peer's process for so many seconds, as a machine that hangs would.

        Raises:
            FleetError: no running peer holds the uid, it is not up yet, or it cannot be paused here.
        """
        peer = self._running(uid)
        if not 0 < seconds <= _LONGEST_PAUSE_S:
            raise FleetError(
                f"A pause takes more than 0 and at most {_LONGEST_PAUSE_S:g} s, not {seconds}.",
                hint="run.pause(uid, seconds=4), for instance; run.kill(uid) ends a peer for good.",
            )
        if peer.status is not PeerStatus.LIVE:
            raise FleetError(f"The {peer.seat.name} is not up yet.", hint="Wait for its first round.")
        if uid not in self._paused:
            peer.pause()
        self._paused[uid] = time.monotonic() + seconds

    def pass_on(self, uid: int, caller: socket.socket) -> None:
        """Hand a connection of the run's owner over to a peer, which runs the cell that comes over it.

        Raises:
            FleetError: no running peer holds the uid, it is not up yet, or it takes none.
        """
        peer = self._running(uid)
        if peer.status is not PeerStatus.LIVE:
            raise FleetError(f"The {peer.seat.name} is not up yet.", hint="Wait for its first round.")
        peer.pass_on(caller)

    def join(self, seats: Sequence[PeerSeat]) -> int:
        """Start peers on new seats, which count from the next round that opens; that round's open block.

        Raises:
            FleetError: a seat's uid has a peer already, or no round opens any more.
        """
        opens = self._pacer.rounds.next_open(self._pacer.head)
        if opens >= self._pacer.rounds.last_block:
            raise FleetError("No round opens any more.", hint="Start a new run.")
        taken = {seat.uid for seat in self.spec.seats} & {seat.uid for seat in seats}
        if taken:
            raise FleetError(
                f"Peers of the run hold uid {', '.join(map(str, sorted(taken)))} already.",
                hint="run.view.mining lists the miners; run.join() takes a seat that is free.",
            )
        joined = tuple(replace(seat, since=opens) for seat in seats)
        uids = {seat.uid for seat in joined}
        others = tuple(seat for seat in self.spec.others if seat.uid not in uids)
        spec = replace(self.spec, seats=(*self.spec.seats, *joined), others=others)
        write_spec(self._recorder.run_folder, spec)
        self.spec = spec
        self._hotkeys.update({seat.uid: seat.hotkey for seat in joined})
        self._recorder.append([PeersJoined(seats=[seat.entry() for seat in joined], block=opens)])
        for seat in joined:
            self._start(seat, owes_after=opens)
        return opens

    def keep_time(self, now: float) -> None:
        """Let paused peers go on whose time is over, and kill whom the chaos schedule names by now."""
        for uid in [uid for uid, until in self._paused.items() if now >= until]:
            self._go_on(uid)
        while now >= self._chaos.next_at:
            seated = [peer.seat.uid for peer in self.live if peer.seat.uid >= 0]
            victim = self._chaos.victim(seated)
            if victim is not None:
                self.kill(victim, CHAOS, restart=True)

    def _go_on(self, uid: int) -> None:
        if self._paused.pop(uid, None) is not None:
            self._running(uid).go_on()

    def _running(self, uid: int) -> SupervisedPeer:
        for peer in self.peers:
            if peer.seat.uid == uid and peer.running:
                return peer
        known = ", ".join(str(peer.seat.uid) for peer in self.peers if peer.running) or "none"
        raise FleetError(f"No running peer holds uid {uid}.", hint=f"Those that do: {known}.")

    def end(self) -> None:
        """End every peer in order, and put on record what they still say."""
        for uid in list(self._paused):
            self._go_on(uid)
        self._recorder.append(end_all(self.peers, _GRACE_S))


def verbs_of(crew: Crew) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
    """What the control socket may ask of a crew, by verb; raises as its methods do."""

    def kill(asked: dict[str, Any]) -> dict[str, Any]:
        crew.kill(int(asked["uid"]), "It was killed on request.", restart=bool(asked.get("restart")))
        return {}

    def pause(asked: dict[str, Any]) -> dict[str, Any]:
        crew.pause(int(asked["uid"]), float(asked["seconds"]))
        return {}

    def join(asked: dict[str, Any]) -> dict[str, Any]:
        return {"opens": crew.join([PeerSeat.from_json(seat) for seat in asked["seats"]])}

    return {"kill": kill, "pause": pause, "join": join}
