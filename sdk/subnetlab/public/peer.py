"""A miner or validator of a public run, in a process of its own: the roles of `train`, started by a stranger.

Catches up with what was published, takes part from the next open block, keeps its own record, and ends with
the run or on a signal. Where node or store are away it begins again: all that it needs lies on chain and in
the store. Loads torch.
"""

import os
import signal
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final, Protocol

import torch
from bittensor_core import Keypair

from subnetlab.errors import (
    HotkeyInUse,
    ManifestInvalid,
    NodeUnreachable,
    RecordError,
    StoreError,
    StoreUnreachable,
    SubnetLabError,
    TrainError,
)
from subnetlab.fleet.messages import PeerStopped
from subnetlab.network.chain import Chain
from subnetlab.network.peer_chain import PeerChain
from subnetlab.public.fees import Fees
from subnetlab.public.found_run import FoundRun
from subnetlab.public.joining import PublicRole, await_permit, check_instructions, patience_s
from subnetlab.public.limited_chain import LimitedChain, Sent
from subnetlab.public.log import PeerLog
from subnetlab.public.reports import KINDS, put_report
from subnetlab.public.sole_hotkey import SoleHotkey
from subnetlab.public.subnet_reads import Rules, SubnetReads
from subnetlab.record.events import Event, Mined, PeerReady, Phase, Scored, WeightsSet
from subnetlab.record.line import FILE_NAME
from subnetlab.record.lock import is_held
from subnetlab.record.reader import Tail
from subnetlab.record.writer import RecordWriter
from subnetlab.settings import home
from subnetlab.store.places import OwnPlace
from subnetlab.train import data
from subnetlab.train.announcement import Announcement
from subnetlab.train.attackers import ATTACKERS
from subnetlab.train.data import Corpus
from subnetlab.train.data.published import fetch
from subnetlab.train.devices import CPU
from subnetlab.train.execution import Execution
from subnetlab.train.manifest import Manifest
from subnetlab.train.miner import Miner
from subnetlab.train.peer import Peer
from subnetlab.train.roster import Roster
from subnetlab.train.validator import Validator

_ROLES: Final[dict[PublicRole, type[Peer]]] = {"miner": Miner, "validator": Validator}
_AGAIN_S: Final = 2.0
"""Before a peer begins again after node or store were away; twice as long each time, up to a minute."""
_LONGEST_PAUSE_S: Final = 60.0
_AFTER_THE_END_S: Final = 60.0
"""How long a peer still asks for the last rounds of a run that is over."""
_COMMITTED_FILE: Final = "committed.txt"


class Taking(Protocol):
    """A role that takes part, whatever its run is of."""

    in_round: bool
    leaving: bool


@dataclass(slots=True, kw_only=True)
class PublicPeer:
    """One seat of a public run, from now to the run's end."""

    found: FoundRun
    store: OwnPlace
    role: PublicRole
    endpoint: str
    key: Keypair
    uid: int
    rules: Rules
    fees: Fees
    log: PeerLog
    began: float = field(default_factory=time.monotonic)
    attack: str = ""
    """How this peer cheats, in the words of `LocalFleet(attackers=)`; empty for not at all."""
    device: str = CPU
    """On which its model computes, in torch's words."""
    compiled: bool = False
    """Whether its training steps are compiled."""
    away_limit_s: float = 3600.0
    """How long node or store may be away without a round in between."""
    _peer: "Taking | None" = None
    _leaving: bool = False
    _pause: threading.Event = field(default_factory=threading.Event)

    @property
    def folder(self) -> Path:
        """Where this peer keeps its record: one folder a run and hotkey."""
        return peer_folder(self.found.hash, self.key.ss58_address)

    def run(self) -> None:
        """Take part to the end of the run, or until a signal; to be called in the main thread.

        Raises:
            HotkeyInUse: another process takes part in this run with this hotkey.
            SubnetLabError: the peer cannot go on; each in its own words.
        """
        with ExitStack() as held:
            if is_held(self.folder / FILE_NAME):
                raise HotkeyInUse(
                    f"The hotkey {self.key.ss58_address} takes part in run {self.found.run_id} already, on "
                    "this machine.",
                    hint="End that process first.",
                )
            record = held.enter_context(RecordWriter(self.folder / FILE_NAME))
            held.enter_context(self._signals())
            held.enter_context(self.log.warnings())
            manifest, corpus = self._read()
            reporting = Reporting(self.found, self.store, self.uid, self.key, self.log)

            def report(event: Event) -> None:
                record.append(event)
                self.log.event(event)
                reporting.take(event)

            try:
                self._keep_on(manifest, corpus, report)
            except PeerStopped:
                self.log.note("Left the run; the same command joins again.", left=1)

    def _read(self) -> tuple[Any, Any]:
        """The run's manifest, and the data that its peers train on."""
        manifest = read(self.found)
        return manifest, corpus_of(self.found, manifest)

    def _keep_on(self, manifest: Any, corpus: Any, report: Any) -> None:
        """Take part, and begin again where node, store or room on the disk were missing."""
        pause, away_since, reached = _AGAIN_S, time.monotonic(), 0
        while True:
            try:
                self._take_part(manifest, corpus, report)
            except (NodeUnreachable, StoreUnreachable, RecordError, TrainError) as error:
                if isinstance(error, TrainError | RecordError) and type(error) not in (
                    TrainError,
                    RecordError,
                ):
                    raise  # of its own words; a round that cannot be followed yet is a store that is behind
                if self._peer is not None and self._rounds_of(self._peer) > reached:
                    reached = self._rounds_of(self._peer)
                    pause, away_since = _AGAIN_S, time.monotonic()
                limit_s = min(self.away_limit_s, _AFTER_THE_END_S) if self._is_over() else self.away_limit_s
                if time.monotonic() - away_since > limit_s:
                    raise
                self.log.note(f"{error} This peer begins again in {pause:.0f} s.")
                self._peer = None
                self._pause.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            else:
                return

    def _is_over(self) -> bool:
        """Whether the run's last round has closed, as far as the node answers."""
        try:
            with closing(SubnetReads(self.endpoint, self.found.seats.netuid)) as reads:
                return reads.head().number > self.found.closing_of(last_round(reads, self.found))
        except SubnetLabError:
            return False

    def _take_part(self, manifest: Any, corpus: Any, report: Any) -> None:
        netuid, address = manifest.netuid, self.key.ss58_address
        with (
            closing(SubnetReads(self.endpoint, netuid)) as reads,
            closing(PeerChain(self.endpoint, netuid, self.key)) as wire,
        ):
            seat = self.found.seats.neurons[self.uid]
            if self.role == "validator":
                await_permit(reads, wire, seat, self.rules, self.log)
            voted_at = max(seat.last_update, 0)
            sole = SoleHotkey.of(address, self.folder / _COMMITTED_FILE, lambda: reads.commitment(address))
            chain = LimitedChain(
                wire, self.rules.weights_every, self.log.note, self._sent, voted_at,
                before_commit=sole.commits,
            )  # fmt: skip
            peer = self._made(
                manifest, corpus, reads.roster(), chain, report,
                patience_s=patience_s(manifest.blocks_per_round, self.rules.block_s),
                last_round=lambda: last_round(reads, self.found),
            )  # fmt: skip
            seconds = round(time.monotonic() - self.began, 3)
            device = self.device if isinstance(peer, Peer) else ""
            if isinstance(peer, Miner):
                peer.prepare()
            report(PeerReady(uid=self.uid, pid=os.getpid(), seconds=seconds, device=device))
            self._await_start(wire, manifest)
            patience = patience_s(manifest.blocks_per_round, self.rules.block_s)
            sole.begin(manifest, wire, patience, self.log.note)
            self._peer = peer
            peer.run()
            self._say_the_end(peer)

    def _made(
        self, manifest: Any, corpus: Any, roster: Roster, chain: Chain, report: Any, **options: Any
    ) -> Any:
        """The role, ready to run."""
        plays = ATTACKERS[self.attack].load() if self.attack else _ROLES[self.role]
        peer = plays(
            manifest, roster, chain, self.store, report, self.key.sign, hotkey=self.key.ss58_address,
            corpus=corpus, leaves_out=True,
            execution=Execution(device=self.device, compiled=self.compiled), **options,
        )  # fmt: skip
        if isinstance(peer, Validator):
            peer.recall(own_verdicts(self.folder, self.uid))
        return peer

    @staticmethod
    def _rounds_of(peer: Any) -> int:
        """How many rounds are behind a peer."""
        return int(peer.replica.round)

    def _sent(self, what: Sent) -> None:
        fee = self.fees.commit_rao if what == "commitment" else self.fees.vote_rao
        try:
            self.fees.budget.count(fee)
        except OSError as error:
            self.log.note(f"The fee of a {what} is not counted in the budget: {error.strerror or error}.")

    def _await_start(self, wire: PeerChain, manifest: Any) -> None:
        head = wire.wait_for(0, 0).number
        if (blocks := manifest.first_block - head) > 0:
            wire.wait_for(manifest.first_block, patience_s(blocks, self.rules.block_s))

    def _say_the_end(self, peer: Any) -> None:
        rounds, hash_ = peer.replica.round, peer.replica.hash
        what = "Left the run" if self._leaving else f"Run {self.found.run_id} is over"
        self.log.note(f"{what} after round {rounds}; the model is {hash_[:12]}.", rounds=rounds, theta=hash_)

    @contextmanager
    def _signals(self) -> Generator[None]:
        """On SIGTERM and SIGINT end after the round at hand; at once where none is open, or at the second."""
        before = {number: signal.signal(number, self._asked) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        peer = self._peer
        if self._leaving or peer is None or not peer.in_round:
            raise PeerStopped
        self._leaving = peer.leaving = True
        self.log.note("This peer leaves after the round at hand; a second signal ends it at once.")


@dataclass(slots=True)
class Reporting:
    """Puts what a peer reports of its rounds into the run's store, for those who watch it."""

    found: FoundRun
    store: OwnPlace
    uid: int
    key: Keypair
    log: PeerLog
    _waiting: "list[Mined | Scored | WeightsSet]" = field(default_factory=list["Mined | Scored | WeightsSet"])

    def take(self, event: Event) -> None:
        """Keep an event, and publish those of a round once the role's part of it is done."""
        if isinstance(event, KINDS):
            self._waiting.append(event)
        done = isinstance(event, Mined) or (isinstance(event, Phase) and event.name == "scored")
        if not done or not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        try:
            put_report(self.store, self.found.hash, self.uid, waiting, self.key.sign)
        except StoreError as error:  # those who watch miss it, and the round goes on
            self.log.note(f"What this peer reported of its round was not stored: {error}")


def read(found: FoundRun) -> Manifest:
    """The manifest of a run that was found, as it takes part in training.

    Raises:
        ManifestInvalid: it contradicts itself, holds code that is not trusted, or needs another processor.
    """
    check_instructions(found, torch.backends.cpu.get_cpu_capability())
    manifest = Manifest.from_json(found.manifest, trusted=found.trusted)
    if manifest.hash != found.hash:
        raise ManifestInvalid(
            "This version of SubnetLab reads the announced manifest otherwise than its author did.",
            hint="Use the version that wrote it.",
        )
    return manifest


def corpus_of(found: FoundRun, manifest: Manifest, folder: Path | None = None) -> Corpus:
    """The run's data: made again where its source is here, else brought from the store into a folder.

    Raises:
        ObjectMissing, ManifestInvalid, StoreUnreachable: neither is possible.
    """
    source = manifest.data.source
    if source.get("kind") == "Stdlib":
        made = data.from_json(source).load()
        if made.manifest.root == manifest.data.root:
            return made
    shared = home() / "data" / f"run-{manifest.data.root[:32]}"
    return fetch(manifest.data, found.store, folder or shared)


def peer_folder(run: str, hotkey: str) -> Path:
    """The folder of a hotkey's own record of a run."""
    return home() / "peers" / f"{run[:16]}-{hotkey[:12]}"


def last_round(reads: SubnetReads, found: FoundRun) -> int:
    """The last round that takes place, as the owner's commitment says by now; -1 for another run's."""
    committed = reads.commitment(found.owner)
    said = Announcement.from_bytes(committed.data) if committed else None
    if said is None:
        return found.rounds - 1
    if said.manifest != found.announcement.manifest:
        return -1
    return min(said.rounds, int(found.manifest["rounds"])) - 1


def own_verdicts(folder: Path, uid: int) -> list[Scored]:
    """The verdicts of a validator that was here before, the last of each miner and round."""
    last: dict[tuple[int, int], Scored] = {}
    for entry in Tail(folder / FILE_NAME).entries():
        event = entry.event
        if isinstance(event, Scored) and event.validator == uid:
            last[event.round, event.uid] = event
    return list(last.values())
