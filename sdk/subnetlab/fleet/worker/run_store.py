"""The store of a run, as one of its peers sees it or as who only reads it.

Holds no credentials: those of a bucket come from the environment of the process that opens it.
"""

from pathlib import Path
from typing import Final

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.spec import FleetSpec, read_spec, store_of
from subnetlab.store.base import Store
from subnetlab.store.objects import open_store
from subnetlab.store.places import fleet_places
from subnetlab.store.shaped import shaped
from subnetlab.train.every_place import EveryPlace

READER: Final = -1_000
"""The uid under which a run is read by who holds no seat; puts nothing."""


def seen_by(spec: FleetSpec, uid: int = READER) -> Store:
    """The store of a fleet, as the peer with this uid sees it.

    Raises:
        StoreUnreachable: it cannot be opened.
    """
    root = open_store(spec.store)
    rates = {"uplink_mbps": spec.uplink_mbps, "downlink_mbps": spec.downlink_mbps, "rtt_ms": spec.rtt_ms}
    link = shaped(root, **rates) if uid != READER else root
    return fleet_places(link, uid) if spec.places else link


def whole_store(run_folder: Path, store: Store | None = None) -> Store:
    """All that the peers of a run put, under the names they gave, from whichever place; to read from.

    What is put goes to what all peers have in common.

    Args:
        run_folder: of a run on this machine; it may have been moved.
        store: where its objects lie, where that is not the folder's own.

    Raises:
        StoreUnreachable: it cannot be opened.
    """
    root = store or open_store(store_of(run_folder))
    try:
        spec = read_spec(run_folder)
    except FleetStartFailed:  # a folder that only holds a manifest and objects
        return root
    if not spec.places:
        return root
    validators = [seat.uid for seat in spec.seats if seat.role == "validator"]
    return EveryPlace(root, [*validators, *(seat.uid for seat in spec.seats if seat.uid not in validators)])
