"""The launcher of a fleet on a Ray cluster: a peer is an actor, a call a fork of this machine's server.

What a peer says comes over its actor's stream and goes into a pipe, so that the supervisor hears it as it
hears a forked peer. A hotkey's secret is an argument of a call to the actor, which Ray sends from process to
process: neither the cluster's tables nor its object store hold it.
"""

import contextlib
import json
import os
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from subnetlab.errors import FleetError, FleetStartFailed
from subnetlab.fleet.cluster.actor import PeerActor, send_all
from subnetlab.fleet.cluster.connection import join_cluster
from subnetlab.fleet.cluster.relay import carry
from subnetlab.fleet.forkserver import ONE_THREAD
from subnetlab.fleet.launcher import Answer, Launcher
from subnetlab.fleet.run_folder import ANSWERS_FILE, DATA_FOLDER, MANIFEST_FILE
from subnetlab.fleet.spec import FleetSpec, PeerSeat, read_spec
from subnetlab.record.events import Scored, to_json
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail

PUBLISH_DATA: Final = "subnetlab.fleet.worker.remote:publish_data"
_CREDENTIALS: Final = ("AWS_", "GOOGLE_", "AZURE_")
"""How the variables begin by which a bucket's client knows who one is."""
_THREADS: Final = 16
"""Methods of one actor at a time; idle ones cost a stack."""
_ANSWER_S: Final = 30.0


class RayLauncher:
    """Starts the peers of one run on a cluster.

    Args:
        run_folder: of the run whose peers are started.
        asked_at: `time.monotonic()` when the fleet was asked for.
        calls: calls functions on this machine.
    """

    def __init__(self, run_folder: Path, asked_at: float, *, calls: Launcher) -> None:
        self._run_folder, self._asked_at, self._calls = run_folder, asked_at, calls
        self._ray: Any = None
        self._peers: list[RayPeer] = []
        self._known: set[int] = set()
        """The uids of the fleet that every started peer knows."""

    def call(self, function: str, *args: Any, idle_limit_s: float = 60.0) -> Answer:
        """Call a function on this machine; see `launcher.Launcher.call`."""
        return self._calls.call(function, *args, idle_limit_s=idle_limit_s)

    def start(self, seat: PeerSeat) -> "RayPeer":
        """Have an actor created for a seat; Ray chooses the node.

        Raises:
            FleetStartFailed: the cluster does not answer, or the data cannot be put into the run's store.
        """
        spec = read_spec(self._run_folder)
        ray = self._ray = self._ray or self._joined(spec)
        uids = {known.uid for known in spec.seats}
        if uids != self._known:
            self._tell(spec)
            self._known = uids
        is_miner = seat.role not in ("validator", "alone")
        actor = ray.remote(PeerActor).options(
            num_cpus=spec.cpus_per_peer, num_gpus=spec.gpus_per_miner if is_miner else 0,
            max_concurrency=_THREADS, max_restarts=0, scheduling_strategy="SPREAD",
        ).remote(seat.name, ONE_THREAD)  # fmt: skip
        stream = actor.live.options(num_returns="streaming").remote(
            self._work(spec, seat), given_to(spec, seat)
        )
        peer = RayPeer(ray, actor, stream, seat.name)
        self._peers = [known for known in self._peers if not known.closed] + [peer]
        return peer

    def _joined(self, spec: FleetSpec) -> Any:
        """Join the cluster, with the run's data in its store."""
        ray = join_cluster(spec.ray_address, logs=True)
        if (self._run_folder / DATA_FOLDER).is_dir():
            try:
                self.call(PUBLISH_DATA, str(self._run_folder))
            except FleetError as error:
                raise FleetStartFailed(str(error), hint="") from error
        return ray

    def _tell(self, spec: FleetSpec) -> None:
        """Have all started peers know the fleet as it is now; who is not up yet begins with it."""
        text = without_keys(spec).to_json()
        told = [(peer, peer.actor.take_spec.remote(text)) for peer in self._peers if not peer.closed]
        for answer in (answer for peer, answer in told if peer.pid):
            with contextlib.suppress(self._ray.exceptions.RayError):  # it is gone, and its stream says so
                self._ray.get(answer, timeout=_ANSWER_S)

    def _work(self, spec: FleetSpec, seat: PeerSeat) -> dict[str, Any]:
        """All that a peer needs and anyone may read; see `worker.remote.RemotePeer`."""
        entries = Tail(self._run_folder / FILE_NAME).entries() if seat.role == "validator" else ()
        scored = [entry.event for entry in entries if isinstance(entry.event, Scored)]
        files = (self._run_folder / MANIFEST_FILE, self._run_folder / ANSWERS_FILE)
        return {
            "uid": seat.uid,
            "files": {path.name: path.read_text(encoding="utf-8") for path in files if path.is_file()},
            "fleet": without_keys(spec).to_json(),
            "python_path": list(spec.python_path),
            "data_in_store": (self._run_folder / DATA_FOLDER).is_dir(),
            "scored": [to_json(event) for event in scored if event.validator == seat.uid],
            "waited_s": time.monotonic() - self._asked_at,
        }


class RayPeer:
    """A peer as an actor: a `launcher.PeerHandle`."""

    def __init__(self, ray: Any, actor: Any, stream: Any, name: str) -> None:
        self._ray, self.actor, self._stream = ray, actor, stream
        self._reading, writing = os.pipe()
        os.set_blocking(self._reading, False)
        self.pid = 0
        """Its process id on its node; 0 until it runs."""
        self._node = ""
        self._died = ""
        self._away = self._killed = False
        self.closed = False
        thread = threading.Thread(target=self._relay, args=(writing,), name=name, daemon=True)
        thread.start()

    def _relay(self, writing: int) -> None:
        """Write what the actor says into the pipe, and close it when the stream ends."""
        try:
            for reference in self._stream:
                piece: bytes = self._ray.get(reference)
                if self.pid:
                    send_all(writing, piece)
                else:
                    said = json.loads(piece)
                    self.pid, self._node = said["pid"], said["node"]
        except self._ray.exceptions.RayError as error:
            self._died = " ".join(str(error).split())
            away = isinstance(error, self._ray.exceptions.ActorUnavailableError)
            self._away = away or "node has died" in self._died or "node was terminated" in self._died
        finally:
            os.close(writing)

    def fileno(self) -> int:
        """The reading end of its pipe."""
        return self._reading

    def terminate(self) -> None:
        """Call the actor's `stop`."""
        self.actor.stop.remote()

    def kill(self) -> None:
        """Have Ray end the actor's process."""
        self._killed = True
        self._ray.kill(self.actor)

    def pause(self) -> None:
        """An actor is not paused.

        Raises:
            FleetError: always.
        """
        raise FleetError("A peer on a Ray cluster cannot be paused.", hint="Kill it: run.kill(uid).")

    def go_on(self) -> None:
        """It was never paused."""

    def pass_on(self, caller: socket.socket) -> None:
        """Have a connection carried to the peer; see `relay.carry`."""
        carry(self._ray, self.actor, caller)

    def close(self) -> str:
        """Close the pipe and end the actor; how it ended."""
        self.closed = True
        os.close(self._reading)
        self._ray.kill(self.actor)
        where = f" on {self._node}" if self._node else ""
        if self._killed:
            return f"Its process{where} was killed."
        if self._away:
            return (
                f"Its node {self._node} does not answer." if where else "Its node was lost before it was up."
            )
        return f"Its process{where} ended without a word. {self._died[-300:]}".strip()


def without_keys(spec: FleetSpec) -> FleetSpec:
    """A fleet as its peers know it: no seat says how its key is derived."""

    def blank(seats: tuple[PeerSeat, ...]) -> tuple[PeerSeat, ...]:
        return tuple(replace(seat, hotkey_uri="", wallet="") for seat in seats)

    return replace(spec, seats=blank(spec.seats), others=blank(spec.others))


def given_to(spec: FleetSpec, seat: PeerSeat) -> dict[str, Any]:
    """What a peer on a node receives beside the fleet's description: its key, and a bucket's credentials.

    Raises:
        FleetStartFailed: it signs with a wallet.
    """
    bucket = "://" in spec.store and not spec.store.startswith("file:")
    names = [name for name in os.environ if name.startswith(_CREDENTIALS)] if bucket else []
    if seat.wallet and not seat.hotkey_uri:
        raise FleetStartFailed(
            f"The {seat.name} signs with a wallet of this machine, which does not travel to a cluster.",
            hint="Start it there with `subnetlab miner`.",
        )
    return {"key": seat.hotkey_uri, "environment": {name: os.environ[name] for name in names}}
