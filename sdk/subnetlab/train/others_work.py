"""The sealed object of another miner in the round at hand, for a miner that sends it as its own.

A copier does no work of its own, so it is there before any other miner has sent anything, and waits.
"""

import threading
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic
from typing import Final

from subnetlab.errors import ObjectMissing
from subnetlab.store.base import Store
from subnetlab.store.places import place_of
from subnetlab.train import object_paths
from subnetlab.train.roster import Seat, miners

PATIENCE_S: Final = 20.0
"""How long the other miners may take; after that there is nothing to copy in this round."""
_LOOK_S: Final = 0.05


def first_sealed(
    store: Store, seats: Iterable[Seat], uid: int, round_: int, most: int, *, patience_s: float = PATIENCE_S
) -> tuple[bytes, bytes] | None:
    """The first sealed object of another miner and its commitment; None where none comes in time.

    Args:
        store: of the run.
        seats: of the run.
        uid: of the miner that looks.
        round_: whose objects.
        most: bytes of an object.
        patience_s: how long it is waited for.
    """
    others = [seat for seat in miners(seats) if seat.uid != uid]
    deadline, pause = monotonic() + patience_s, threading.Event()
    while others:
        for seat in others:
            place = place_of(store, seat.uid)
            with suppress(ObjectMissing):
                for name in place.names(object_paths.all_sealed(round_, seat.uid)):
                    return place.get(name, most), bytes.fromhex(name.rpartition("/")[2])
        if monotonic() >= deadline:
            break
        pause.wait(_LOOK_S)
    return None
