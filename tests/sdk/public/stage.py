"""A node whose blocks come by themselves, a subnet on it, and peers as commands with homes of their own."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.devnet_process import DevnetProcess, running_devnet

from subnetlab.lab.preset import network_rules, subnet_rules
from subnetlab.network.client import NetworkClient
from subnetlab.network.wallets import dev_wallet
from subnetlab.network.wire_client import WireClient
from subnetlab.public.found_run import find_run
from subnetlab.public.peer import peer_folder
from subnetlab.public.subnet_reads import SubnetReads
from subnetlab.record.events import Mined, Role, RoundClosed
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail, verify
from subnetlab.train.manifest import Manifest, RoundHeights
from subnetlab.train.phases import due

LIMIT_S = 300.0
BLOCK_S = 0.1
PLAN = """\
import subnetlab as sl

model = sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32)
data = sl.data.text("The quick brown fox jumps over the lazy dog. " * 2_000, name="fox")
strategy = sl.strategies.SparseLoCo(inner_steps=2)
"""


@dataclass
class Command:
    """One `subnetlab …` process in a home of its own; its log is JSON lines."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    role: "Role | None" = None
    """What it takes part as; None for other commands."""
    waited_for: bool = True
    """Whether blocks wait for it: not where its place is gone or its process is stopped."""

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        found: list[dict[str, Any]] = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

    def until(
        self, done: Callable[[dict[str, Any]], bool], what: str, limit_s: float = LIMIT_S
    ) -> dict[str, Any]:
        """Wait for a line of the log."""
        deadline = time.monotonic() + limit_s
        while True:
            over = self.process.poll() is not None
            for line in self.lines():
                if done(line):
                    return line
            assert not over, f"{self.name} ended before {what}:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"{self.name}: no {what}:\n{self.log.read_text()[-3000:]}"
            time.sleep(0.02)

    def event(self, kind: str, *, limit_s: float = LIMIT_S, **values: Any) -> dict[str, Any]:
        """Wait for an event of this kind and these values."""
        return self.until(
            lambda line: line.get("kind") == kind and all(line.get(k) == v for k, v in values.items()),
            f"{kind} {values}", limit_s,
        )  # fmt: skip

    def ended(self, limit_s: float = LIMIT_S) -> int:
        """Wait for its end; the exit status."""
        try:
            return self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end:\n{self.log.read_text()[-3000:]}") from None


class BlockClock:
    """Seals a block every so often, as a network does, but never before the live peers did what is due.

    A network would go on and a slow machine would miss rounds; what these tests look at must not depend on
    that. Peers see blocks that come by themselves, and cannot tell.
    """

    def __init__(self, node: DevnetProcess, started: "list[Command]", every_s: float) -> None:
        self.node, self.every_s = node, every_s
        self.manifest: Manifest | None = None
        """The run whose peers are waited for."""
        self.until = math.inf
        """No block above this height is sealed."""
        self.jump_to = 0
        """Blocks up to this height come as fast as the node seals them: no peer is up yet."""
        self.height = 0
        self._started = started
        self._ready_at: dict[int, int] = {}
        """The height at which each process, by its number, was seen to be ready."""
        self._over = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="blocks")

    def __enter__(self) -> Self:
        self.node.rpc("dev_setSealing", "manual")
        self.height = self.node.seal()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        assert self._failed is None, self._failed

    def reach(self, height: int) -> None:
        """Wait until a height is sealed."""
        deadline = time.monotonic() + LIMIT_S
        while self.height < height:
            assert self._failed is None, self._failed
            assert time.monotonic() < deadline, f"block {height} does not come after {self.height}"
            time.sleep(0.01)

    def await_again(self, command: "Command") -> None:
        """Wait for a peer that was out of step, from the next round on that opens."""
        self._ready_at[command.process.pid] = self.height
        command.waited_for = True

    def pause(self, seconds: float) -> None:
        """Let time pass in which the test does nothing."""
        self._over.wait(seconds)

    def _run(self) -> None:
        try:
            while not self._over.wait(self.every_s):
                self._note_ready()
                if self.height < self.jump_to:
                    self.height = self.node.seal(self.jump_to - self.height)
                elif self.height < self.until and not self._awaited(self.height + 1):
                    self.height = self.node.seal()
        except BaseException as error:  # shown by the test that waits
            self._failed = error
            raise

    def _note_ready(self) -> None:
        """Who is ready before a block is sealed takes part in a round that it opens."""
        for command in list(self._started):
            new = command.role is not None and command.process.pid not in self._ready_at
            if new and any(line.get("kind") == "peer_ready" for line in command.lines()):
                self._ready_at[command.process.pid] = self.height

    def _awaited(self, following: int) -> bool:
        """Whether a live peer still owes a phase that is due before a height."""
        manifest = self.manifest
        if manifest is None:
            return False
        round_ = (following - 1 - manifest.first_block) // manifest.blocks_per_round
        return any(
            command.process.poll() is None and self._owes(command, manifest.heights(round_), following)
            for command in self._started
            if command.role is not None and 0 <= round_ < manifest.rounds
        )

    def _owes(self, command: "Command", heights: RoundHeights, following: int) -> bool:
        if command.role is None or not command.waited_for:
            return False
        if self._ready_at.get(command.process.pid, heights.open) >= heights.open:
            return False  # it is not up, or joined in the middle of this round
        lines = command.lines()
        told = {(line["round"], line["name"]) for line in lines if line.get("kind") == "phase"}
        owed = {(heights.round, name) for height, name in due(command.role, heights) if height <= following}
        return not owed <= told


@dataclass(frozen=True)
class KeptRecord:
    """A record as it was at a moment."""

    path: Path
    whole: bytes
    """Its lines up to the last whole one."""

    @staticmethod
    def of(path: Path) -> "KeptRecord":
        """What the file holds now."""
        found = path.read_bytes() if path.exists() else b""
        return KeptRecord(path, found[: found.rfind(b"\n") + 1])

    def check_continued(self) -> None:
        """The record goes on from here: nothing is changed, no line torn, each round once."""
        now = self.path.read_bytes()
        assert now.startswith(self.whole)
        assert verify(self.path).torn_bytes == 0
        events = [entry.event for entry in Tail(self.path).entries()]
        rounds = [(event.kind, event.round) for event in events if isinstance(event, RoundClosed | Mined)]
        assert len(rounds) == len(set(rounds)), rounds


@dataclass
class OpenSubnet:
    """A subnet at interval sealing; peers are started as commands, which never hold the node's token."""

    node: DevnetProcess
    client: NetworkClient
    netuid: int
    folder: Path
    started: list[Command]
    clock: BlockClock
    store: str
    """Where the run's objects lie, and below it the places of its peers."""
    environ: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """What the environment of a home's commands has beside this one's."""

    def register(self, wallet: str, *, stake_tao: int = 0) -> int:
        """Register a development hotkey, and stake behind it; its uid."""
        hotkey = dev_wallet(wallet).hotkey.ss58_address
        uid, _ = self.client.burned_register(self.netuid, "alice", hotkey_ss58=hotkey)
        if stake_tao:
            self.client.stake(
                amount_tao=stake_tao, hotkey_ss58=hotkey, netuid=self.netuid, wallet="alice",
                rate_tolerance=0.9,
            )  # fmt: skip
        return uid

    def command(self, home: str, *words: str) -> Command:
        """Start `subnetlab …` in a home; two commands of one home share what they keep."""
        place = self.folder / home
        place.mkdir(exist_ok=True)
        log = place / f"log-{len(self.started)}"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "subnetlab", *words], stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.STDOUT, cwd=place,
                env={**os.environ, **self.environ.get(home, {}), "SUBNETLAB_HOME": str(place)},
            )  # fmt: skip
        roles: dict[str, Role] = {"miner": "miner", "validator": "validator"}
        command = Command(f"{home}: {' '.join(words[:2])}", process, log, roles.get(words[0]))
        self.started.append(command)
        return self.started[-1]

    def published(self, *more: str, rounds: int = 5) -> Manifest:
        """Have the owner publish the run of `PLAN` by command; its manifest, whose peers the clock awaits."""
        (self.folder / "plan.py").write_text(PLAN)
        owner = self.command(
            "owner", "run", "publish", str(self.folder / "plan.py"), *self.at("alice"),
            "--store", self.store, "--rounds", str(rounds), "--notice", "90", *more,
        )  # fmt: skip
        assert owner.ended() == 0, owner.log.read_text()
        return self.awaited()

    def awaited(self) -> Manifest:
        """The manifest of the run that is announced, whose peers the clock awaits from now on."""
        reads = SubnetReads(self.node.endpoint, self.netuid)
        try:
            self.clock.manifest = Manifest.from_json(find_run(reads).manifest)
        finally:
            close_wire(reads.client)
        # Announced long before its first round: nothing passes on a slow machine until the clock is held.
        self.clock.until = self.clock.jump_to = self.clock.manifest.first_block - 1
        return self.clock.manifest

    def record(self, peer: Command, wallet: str) -> "KeptRecord":
        """What a peer has on record by now, in its own home."""
        manifest = self.clock.manifest
        assert manifest is not None
        name = peer_folder(manifest.hash, dev_wallet(wallet).hotkey.ss58_address).name
        return KeptRecord.of(peer.log.parent / "peers" / name / FILE_NAME)

    def at(self, wallet: str) -> tuple[str, ...]:
        """The options that say where and who."""
        return ("--endpoint", self.node.endpoint, "--netuid", str(self.netuid), "--wallet", wallet)

    def peer(self, role: str, wallet: str, *more: str, home: str = "") -> Command:
        """Start a miner or validator in a home, by default one named after its wallet."""
        return self.command(home or wallet.replace("/", "-"), role, *self.at(wallet), "--json", *more)

    def seal_every(self, seconds: float) -> None:
        """Have blocks come by themselves, whatever the peers do; returns once they have a measurable pace."""
        self.node.rpc("dev_setSealing", {"interval": seconds})
        begun = self.client.head().number
        while self.client.head().number < begun + 8:
            time.sleep(seconds)


@contextmanager
def open_subnet(folder: Path, store: str = "") -> Generator[OpenSubnet]:
    """A node and a subnet by the lesson's rules; whatever was started on it is over afterwards."""
    with ExitStack() as held:
        node = held.enter_context(running_devnet(folder, "--instant"))
        client = NetworkClient(node.endpoint, name="devnet")
        held.callback(close, client)
        network_rules(client)
        netuid, _ = client.register_subnet("alice")
        subnet_rules(client, netuid)
        client.start_call(netuid, "alice")
        started: list[Command] = []
        held.callback(_end, started)
        clock = BlockClock(node, started, BLOCK_S)
        yield OpenSubnet(node, client, netuid, folder, started, clock, store or str(folder / "store"))


def _end(started: Sequence[Command]) -> None:
    for command in started:
        if command.process.poll() is None:
            command.process.send_signal(signal.SIGKILL)
        command.process.wait()


def close(client: NetworkClient) -> None:
    """Close a client, and the event loop that the SDK stops but leaves open."""
    close_wire(client.client)


def close_wire(wire: WireClient) -> None:
    """Close a connection, and the event loop that the SDK stops but leaves open."""
    thread = wire._loop_thread
    wire.close()
    if thread is not None and not thread._loop.is_closed():
        thread._loop.close()
