"""The store of a run, as one of its peers sees it or as somebody who only reads it.

Holds no credentials: those of a bucket come from the environment of the process that opens it.
"""

from collections.abc import Sequence
from pathlib import Path

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.run_folder import STORE_FOLDER
from subnetlab.fleet.spec import FleetSpec, read_spec
from subnetlab.store.base import Reader, Store
from subnetlab.store.objects import open_store
from subnetlab.store.places import fleet_places, place_of
from subnetlab.store.shaped import shaped

READER: int = -1_000
"""The uid under which a run is read by who holds no seat; puts nothing."""


def store_of(spec: FleetSpec, uid: int = READER) -> Store:
    """The store of a fleet, as the peer with this uid sees it.

    Raises:
        StoreUnreachable: it cannot be opened.
    """
    root = open_store(spec.store)
    link = shaped(root, uplink_mbps=spec.uplink_mbps, rtt_ms=spec.rtt_ms) if uid != READER else root
    return fleet_places(link, uid) if spec.places else link


def root_of(run_folder: Path) -> Store:
    """The whole store of a run on this machine, what its peers have in common and all their places.

    Raises:
        StoreUnreachable: it cannot be opened.
    """
    spec = _spec(run_folder)
    # A run's folder may have been moved, and its own store with it. Of a public run the folder keeps what
    # leads to its model.
    elsewhere = spec is not None and "://" in spec.store and not spec.public
    return open_store(spec.store if spec and elsewhere else run_folder / STORE_FOLDER)


def published_places(run_folder: Path, lead: int) -> Sequence[Reader]:
    """Where what validators published may lie, the lead's place first.

    Raises:
        StoreUnreachable: the store cannot be opened.
    """
    spec, root = _spec(run_folder), root_of(run_folder)
    if spec is None or not spec.places:
        return [root]
    uids = (lead, *(seat.uid for seat in spec.seats if seat.role == "validator"))
    store = fleet_places(root, READER)
    return [place_of(store, uid) for uid in dict.fromkeys(uids)]


def _spec(run_folder: Path) -> FleetSpec | None:
    """The spec of a run; None where a folder holds a manifest and objects alone."""
    try:
        return read_spec(run_folder)
    except FleetStartFailed:
        return None
