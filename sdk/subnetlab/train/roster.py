"""Who takes part in a round: the neurons of a subnet at a height, and what each of them does there.

`FixedRoster` keeps one list for a whole run, `GrowingRoster` one that others join, as they do a local fleet;
`ChainRoster` reads the subnet's neurons at the height asked for. A roster says what validators may know: a
free rider is a miner like any other.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from subnetlab.errors import NotRegistered

RosterRole = Literal["miner", "validator", "owner", "other", "unknown"]
"""`other`: registered, but not in this run; `unknown`: a role that this version has no name for."""

_ROLES: Final[dict[str, RosterRole]] = {
    "miner": "miner", "free_rider": "miner", "validator": "validator", "owner": "owner", "other": "other",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One uid of the subnet at a height; `hotkey` is an ss58 address."""

    uid: int
    hotkey: str
    role: RosterRole

    @staticmethod
    def of(uid: int, hotkey: str, started_as: str) -> "Seat":
        """The seat of a peer as others see it, from what its process was started as."""
        return Seat(uid=uid, hotkey=hotkey, role=_ROLES.get(started_as, "unknown"))


class Roster(Protocol):
    """The seats of a subnet over time."""

    def at(self, height: int) -> Sequence[Seat]:
        """The seats at a sealed height, validators in the order in which they lead.

        Raises:
            NodeUnreachable: the chain does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class FixedRoster:
    """The same seats at every height."""

    seats: tuple[Seat, ...]

    def at(self, height: int) -> Sequence[Seat]:  # noqa: ARG002 - the same at every height
        """The seats, in the order in which they were given."""
        return self.seats


@dataclass(frozen=True, slots=True)
class GrowingRoster:
    """Seats that are there from a height on: a fleet that others join.

    `read` gives every seat known by now with the height of the first open block that counts it. Who knows a
    height must find every seat of it there already.
    """

    read: Callable[[], Iterable[tuple[int, Seat]]]

    def at(self, height: int) -> Sequence[Seat]:
        """The seats that count at a height, in the order in which they are read."""
        return tuple(seat for since, seat in self.read() if since <= height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neuron:
    """What a chain tells of one uid at a height; `stake` in any one unit, `permit` to set weights."""

    uid: int
    hotkey: str
    stake: int
    permit: bool
    is_owner: bool = False
    mines: bool = False
    """Whether its last commitment on chain says so: a miner whose pay is its stake may hold a permit too."""


class ChainRoster:
    """Seats from the subnet's neurons; validators lead in the order of their stake, highest first.

    Args:
        read: the neurons at a sealed height; asked once per height.
    """

    def __init__(self, read: Callable[[int], Iterable[Neuron]]) -> None:
        self._read = read
        self._known: dict[int, tuple[Seat, ...]] = {}
        self._reading = threading.Lock()

    def at(self, height: int) -> Sequence[Seat]:
        """The seats at a sealed height.

        Raises:
            NodeUnreachable: the chain does not answer.
        """
        with self._reading:
            if height not in self._known:
                neurons = sorted(self._read(height), key=lambda neuron: (-neuron.stake, neuron.uid))
                self._known[height] = tuple(_seat(neuron) for neuron in neurons)
            return self._known[height]


def _seat(neuron: Neuron) -> Seat:
    role: RosterRole = "owner" if neuron.is_owner else "miner"
    if neuron.permit and not neuron.mines:
        role = "validator"
    return Seat(uid=neuron.uid, hotkey=neuron.hotkey, role=role)


def miners(seats: Iterable[Seat]) -> list[Seat]:
    """The seats whose payloads are judged, in uid order."""
    return sorted(in_fleet_order(seats), key=lambda seat: seat.uid)


def in_fleet_order(seats: Iterable[Seat]) -> list[Seat]:
    """The seats whose payloads are judged, in the order in which the roster names them."""
    return [seat for seat in seats if seat.role == "miner"]


def validators(seats: Iterable[Seat]) -> list[Seat]:
    """The validators, in the order in which they lead."""
    return [seat for seat in seats if seat.role == "validator"]


def seat_of(seats: Iterable[Seat], hotkey: str) -> Seat:
    """The seat that a hotkey holds.

    Raises:
        NotRegistered: it holds none.
    """
    for seat in seats:
        if seat.hotkey == hotkey:
            return seat
    raise NotRegistered(f"The hotkey {hotkey} holds no seat on the subnet.")
