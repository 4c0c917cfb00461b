"""A real subnet on a real node, with seats for several runs: what the joined tests share."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.devnet_process import DevnetProcess, running_devnet

from subnetlab.fleet.launch import is_running, request_stop
from subnetlab.fleet.local import LocalFleet
from subnetlab.fleet.spec import FleetSpec, PeerSeat, write_spec
from subnetlab.lab.preset import TEMPO, network_rules, subnet_rules
from subnetlab.network.client import NetworkClient
from subnetlab.network.wallets import dev_keypair, dev_wallet, peer_uri
from subnetlab.record.events import Event, RunEnded, RunInterrupted
from subnetlab.record.line import FILE_NAME
from subnetlab.record.reader import Tail

E = TypeVar("E", bound=Event)
LIMIT_S = 300.0
BASELINES = tuple(
    PeerSeat.of_baseline(name, place) for place, name in enumerate(("alone", "alone_2x", "ddp"))
)


@dataclass(frozen=True)
class Described:
    """A run folder, and the record that grows in it."""

    folder: Path

    def events(self, kind: type[E]) -> list[E]:
        return [event for event in self.all_events() if isinstance(event, kind)]

    def all_events(self) -> list[Event]:
        return [entry.event for entry in Tail(self.folder / FILE_NAME).entries() if entry.event is not None]

    def until(self, kind: type[Event], **values: Any) -> list[Event]:
        """Follow the record until an event of this kind and these values, or fail with the log."""
        return self.follow(lambda events: any(_fits(event, kind, values) for event in events))

    def ended(self) -> RunEnded:
        """Wait for the end of the run and of its supervisor."""
        last = self.until(RunEnded)[-1]
        while is_running(self.folder):
            time.sleep(0.02)
        assert isinstance(last, RunEnded)
        return last

    def interrupted(self) -> RunInterrupted:
        """Wait until the supervisor has left the run unfinished and is gone."""
        last = self.until(RunInterrupted)[-1]
        while is_running(self.folder):
            time.sleep(0.02)
        assert isinstance(last, RunInterrupted)
        return last

    def follow(self, done: Callable[[list[Event]], bool]) -> list[Event]:
        tail, events = Tail(self.folder / FILE_NAME), list[Event]()
        deadline = time.monotonic() + LIMIT_S
        while True:
            events += [entry.event for entry in tail.entries() if entry.event is not None]
            if done(events):
                return events
            log = self.folder / "supervisor.log"
            printed = log.read_text()[-4000:] if log.exists() else ""
            assert time.monotonic() < deadline, f"{events[-5:]}\n{printed}"
            assert is_running(self.folder), f"the supervisor is gone\n{printed}"
            time.sleep(0.02)  # a file cannot be waited on; this is a pause between two looks


def _fits(event: Event, kind: type[Event], values: dict[str, Any]) -> bool:
    return isinstance(event, kind) and all(getattr(event, name) == value for name, value in values.items())


@dataclass(frozen=True)
class JoinedSubnet:
    """A running node and a subnet on it whose seats are taken by development keys."""

    node: DevnetProcess
    client: NetworkClient
    netuid: int
    seats: tuple[PeerSeat, ...]

    def uids(self, role: str) -> list[int]:
        return [seat.uid for seat in self.seats if seat.role == role]

    @contextmanager
    def run(self, folder: Path, *, rounds: int, seats: tuple[PeerSeat, ...]) -> Iterator[Described]:
        """Describe a run of these peers in a new folder; whatever was started there is over afterwards."""
        from subnetlab.train import data, models, strategies, tasks
        from subnetlab.train.manifest import Manifest

        folder.mkdir(parents=True)
        manifest = Manifest(
            run_id=folder.name,
            netuid=self.netuid,
            model=models.TinyGPT("binder"),
            task=tasks.of_model(models.TinyGPT("binder"), "def "),
            data=data.stdlib(limit_bytes=400_000).materialise(folder / "data").manifest,
            strategy=strategies.SparseLoCo(inner_steps=3),
            rounds=rounds,
            first_block=self.client.head().number + 3,
        )
        (folder / "manifest.json").write_text(json.dumps(manifest.to_json()))
        spec = FleetSpec(
            endpoint=self.client.endpoint,
            network="devnet",
            is_devnet=True,
            netuid=self.netuid,
            store=str(folder / "store"),
            node_limit_s=1.0,
            seats=seats,
            others=tuple(seat for seat in self._everyone() if seat.uid not in {s.uid for s in seats}),
        )
        write_spec(folder, spec)
        run = Described(folder)
        try:
            yield run
        finally:
            request_stop(folder)
            deadline = time.monotonic() + LIMIT_S
            while is_running(folder):
                assert time.monotonic() < deadline, "the supervisor does not end"
                time.sleep(0.02)

    def _everyone(self) -> list[PeerSeat]:
        neurons = self.client.metagraph(self.netuid).neurons
        return [PeerSeat(uid=neuron.uid, hotkey=neuron.hotkey, role="owner") for neuron in neurons]


@contextmanager
def joined_subnet(folder: Path, fleet: LocalFleet) -> Iterator[JoinedSubnet]:
    """A node, a subnet by the lesson's rules, and a fleet's peers with stake and permits."""
    with running_devnet(folder, "--instant") as node:
        client = NetworkClient(node.endpoint, name="devnet")
        alice = dev_wallet("alice")
        network_rules(client)
        netuid, _ = client.register_subnet(alice)
        subnet_rules(client, netuid)
        client.start_call(netuid, alice)
        try:
            yield JoinedSubnet(node, client, netuid, _enrolled(client, netuid, fleet))
        finally:
            _close(client)


def _close(client: NetworkClient) -> None:
    """Close a client, and the event loop that the SDK stops but leaves open."""
    thread = client.client._loop_thread
    client.close()
    if thread is not None and not thread._loop.is_closed():
        thread._loop.close()


def _enrolled(client: NetworkClient, netuid: int, fleet: LocalFleet) -> tuple[PeerSeat, ...]:
    """Register every peer, stake the validators, and seal an epoch that gives them permits."""
    alice, seats = dev_wallet("alice"), list[PeerSeat]()
    for index, (role, attacker) in enumerate(fleet.places()):
        uri = peer_uri("joined", role, index)
        hotkey = dev_keypair(uri).ss58_address
        uid, _ = client.burned_register(netuid, alice, hotkey_ss58=hotkey)
        seats.append(PeerSeat(uid=uid, hotkey=hotkey, role=role, attacker=attacker, hotkey_uri=uri))
    validators = [seat for seat in seats if seat.role == "validator"]
    for rank, seat in enumerate(validators):
        client.stake(
            amount_tao=50 - 10 * rank,
            hotkey_ss58=seat.hotkey,
            netuid=netuid,
            wallet=alice,
            rate_tolerance=0.9,
        )
    client.dev.seal(TEMPO + 1)
    permitted = {neuron.hotkey for neuron in client.metagraph(netuid).validators}
    assert {seat.hotkey for seat in validators} <= permitted
    return tuple(seats)
