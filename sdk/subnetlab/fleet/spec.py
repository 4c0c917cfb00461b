"""The file from which a supervisor starts a fleet: `fleet.json` in a run folder, beside the manifest.

Only development chains put hotkey URIs into the file; elsewhere a seat names a wallet on disk, and no secret
is ever written. Starts nothing.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, get_args

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.run_folder import STORE_FOLDER
from subnetlab.record.baselines import ALONE
from subnetlab.record.events import BASELINE_UID, Role
from subnetlab.record.files import read_plain, write_private

FLEET_FILE: Final = "fleet.json"
_CPU: Final = "cpu"
READER_URI: Final = "//SubnetLab//reader"
"""The key of a client that only reads a chain; it signs nothing."""
_TEXTS: Final = frozenset({"network", "endpoint", "store", "node", "ray_address"})
"""Fields that say what is opened or connected to, in a file that another person may have written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSeat:
    """One peer: its uid, its public hotkey, and where its process finds the key to sign with."""

    uid: int
    hotkey: str
    """ss58 address; empty for a baseline, which holds no seat."""
    role: Role
    attacker: str = ""
    """How it attacks, a word of `train.attackers.ATTACKERS`; empty for an honest peer and a free rider."""
    hotkey_uri: str = ""
    """Development chains only: the URI that derives the hotkey."""
    wallet: str = ""
    """Elsewhere: `name/hotkey` of a wallet on this machine."""
    since: int = 0
    """The open block of the first round that counts it; 0 for who was there from the beginning."""
    device: str = _CPU
    """On which its model computes, in torch's words."""
    baseline: str = ""
    """Which baseline trains here (see `record.baselines`); empty for a seat of the subnet."""

    @staticmethod
    def of_baseline(name: str, place: int) -> "PeerSeat":
        """The seat of a baseline, counted from 0: it is none of the subnet."""
        return PeerSeat(uid=BASELINE_UID - place, hotkey="", role="alone", baseline=name)

    @property
    def name(self) -> str:
        """How logs and errors call this peer."""
        if self.uid < 0:
            return f"baseline {self.baseline or ALONE}"
        return f"{(self.attacker or self.role).replace('_', ' ')} {self.uid}"

    def entry(self) -> dict[str, Any]:
        """The seat as the record names it."""
        known: dict[str, Any] = {"uid": self.uid, "hotkey": self.hotkey, "role": self.role}
        known |= {"attacker": self.attacker} if self.attacker else {}
        return known | ({"device": self.device} if self.device != _CPU else {})

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "PeerSeat":
        """Read a seat, ignoring fields of a newer version.

        Raises:
            ValueError: there is no such role.
            TypeError: a field is missing.
        """
        known = {f.name for f in fields(cls)}
        seat = cls(**{name: value for name, value in data.items() if name in known})
        if seat.role not in get_args(Role):
            raise ValueError(f"no role is called {seat.role!r}")
        return seat


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSpec:
    """All a supervisor needs beside the manifest; `seats` are the processes it starts."""

    endpoint: str
    network: str
    is_devnet: bool
    netuid: int
    store: str
    """What `store.objects.open_store` opens: a folder's path or a bucket's address."""
    places: bool = False
    """Whether each seat has a place of its own below the store, called as its uid; False in earlier runs."""
    seats: tuple[PeerSeat, ...]
    others: tuple[PeerSeat, ...] = ()
    """Seats of the subnet that this fleet does not run: the owner, strangers."""
    phase_limit_s: float = 120.0
    start_limit_s: float = 60.0
    """How much work a peer may need to come up, and how long it may go on without any."""
    node: str = ""
    """The embedded node's folder by name, from which it is started again; empty for other nodes."""
    node_limit_s: float = 5.0
    """How long the node may be silent, perhaps restarting on its port, before the run is interrupted."""
    sealing_after: str | float | None = None
    """Development chains: how the node seals once the run is over (`instant`, `manual` or seconds between
    blocks); None returns to what it did when the supervisor came up."""
    uplink_mbps: float = 0.0
    """Megabits a second that each miner and validator can put into the store; 0 for no limit."""
    downlink_mbps: float = 0.0
    """Megabits a second that each can read from the store; 0 for no limit."""
    rtt_ms: float = 0.0
    """Milliseconds that the store's answer takes there and back."""
    kills_per_hour: float = 0.0
    """How often the supervisor kills a peer on purpose, and starts it again."""
    chaos_seed: int = 0
    ray_address: str = ""
    """Of the Ray cluster on whose nodes the peers run; empty where they are forks on this machine."""
    cpus_per_peer: float = 1.0
    """Processors that Ray keeps free for each peer."""
    gpus_per_miner: float = 0.0
    compile: bool = False
    """Whether the peers' training steps are compiled."""
    restarts: int = 0
    """How often a peer is started again whose process was lost, its machine perhaps with it."""
    public: bool = False
    """Whether other people start the peers: then the supervisor only watches, and sees any block."""
    trust: tuple[str, ...] = ()
    """Of a public run: the owners (ss58) whose model's code may run here."""
    python_path: tuple[str, ...] = field(default=())
    """Folders a notebook imports from, so that peers find the same model and data code."""

    def __post_init__(self) -> None:
        if wrong := [name for name in _TEXTS if not isinstance(getattr(self, name), str)]:
            raise FleetStartFailed(f"{FLEET_FILE} cannot be read: {wrong[0]} is no text.")
        uids = [seat.uid for seat in (*self.seats, *self.others)]
        if len(uids) != len(set(uids)):
            raise FleetStartFailed("Two peers of the fleet hold one uid.")
        if not self.is_devnet and any(seat.hotkey_uri for seat in self.seats):
            raise FleetStartFailed(
                "fleet.json holds a key's URI for a network with real money.",
                hint="Name a wallet instead; URIs are for development chains.",
            )

    def to_json(self) -> str:
        """The file's text, stable and readable."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "FleetSpec":
        """Read the file's text, ignoring fields of a newer version.

        Raises:
            FleetStartFailed: not JSON, a field is missing or of the wrong kind, or the seats contradict.
        """
        try:
            data: dict[str, Any] = json.loads(text)
            known = {f.name for f in fields(cls)} & data.keys()
            chosen = {name: data[name] for name in known}
            for name in ("seats", "others"):
                chosen[name] = tuple(PeerSeat.from_json(seat) for seat in data.get(name, ()))
            for name in ("python_path", "trust"):
                chosen[name] = tuple(data.get(name, ()))
            return cls(**chosen)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise FleetStartFailed(f"{FLEET_FILE} cannot be read: {error}.") from error


def read_spec(run_folder: Path) -> FleetSpec:
    """Read `fleet.json` of a run.

    Raises:
        FleetStartFailed: the file is missing or cannot be read.
    """
    path = run_folder / FLEET_FILE
    try:
        return FleetSpec.from_json(read_plain(path))
    except (OSError, UnicodeDecodeError) as error:
        raise FleetStartFailed(f"The run folder has no readable {FLEET_FILE}: {error}.") from error


def is_on_cluster(run_folder: Path) -> bool:
    """Whether the peers of a run are started on a Ray cluster; False where `fleet.json` cannot be read."""
    try:
        return bool(read_spec(run_folder).ray_address)
    except FleetStartFailed:
        return False


def is_compiled(run_folder: Path) -> bool:
    """Whether the peers of a run compile their steps; False where `fleet.json` cannot be read."""
    try:
        return read_spec(run_folder).compile
    except FleetStartFailed:
        return False


def store_of(run_folder: Path) -> str:
    """Where the objects of a run lie, wherever its folder is by now: a local run keeps them inside.

    Of a public run the folder keeps what leads to its model.
    """
    try:
        spec = read_spec(run_folder)
    except FleetStartFailed:  # a folder that only keeps what a run made
        return str(run_folder / STORE_FOLDER)
    inside = spec.public or ("://" not in spec.store and Path(spec.store).name == STORE_FOLDER)
    return str(run_folder / STORE_FOLDER) if inside else spec.store


def write_spec(run_folder: Path, spec: FleetSpec) -> Path:
    """Write `fleet.json` into an existing run folder, readable by its owner alone."""
    path = run_folder / FLEET_FILE
    write_private(path, spec.to_json())
    return path
