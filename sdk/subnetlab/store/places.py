"""A place of its own for each peer: one peer writes there, all others read.

In a fleet that one person runs, the places are `<root>/<uid>` of one store. On a network of strangers each
peer has a bucket or a prefix with credentials of its own, and says where others read it by a locator beside
its anchor on chain. What another peer's place does or does not do never is an error of the store: it is
`PlaceAway`, which is one way of an object being missing, and costs that peer alone.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar, runtime_checkable
from urllib.parse import unquote

from subnetlab.errors import ObjectMissing, PlaceAway, StoreError, StoreUnreachable
from subnetlab.store import address
from subnetlab.store.address import checked_locator
from subnetlab.store.base import MOST_NAMES, Reader, Store
from subnetlab.store.folder import FolderStore
from subnetlab.store.mirror import Mirror
from subnetlab.store.object_names import checked
from subnetlab.store.objects import open_store
from subnetlab.store.patience import OTHERS, Patience

T = TypeVar("T")
_MOST_PLACES: Final = 10_000


@runtime_checkable
class Places(Protocol):
    """A `Store` of one peer that can also read what other peers put into theirs."""

    locator: str
    """Where others read what this peer puts; goes on chain, empty where the uid says it."""
    own_backing: bool
    """Whether what fails when this peer writes concerns this peer alone."""

    def of(self, uid: int, locator: str) -> Reader:
        """The place of a peer.

        Args:
            uid: of its seat.
            locator: from its own anchor on chain; empty for none.
        """
        ...


def place_of(store: Store, uid: int, locator: str = "") -> Reader:
    """Where a peer's objects are read: its own place, or the whole store where all peers share one."""
    return store.of(uid, locator) if isinstance(store, Places) else store


def locator_of(store: Store) -> str:
    """What a peer that writes to this store puts on chain beside its anchor; empty for nothing."""
    return store.locator if isinstance(store, Places) else ""


@dataclass(frozen=True, slots=True)
class Below:
    """What lies below one name of a store, as a store."""

    store: Store
    prefix: str

    def put(self, name: str, data: bytes) -> None:
        """See `Store.put`."""
        self.store.put(f"{self.prefix}/{checked(name)}", data)

    def get(self, name: str, limit: int) -> bytes:
        """See `Reader.get`."""
        return self.store.get(f"{self.prefix}/{checked(name)}", limit)

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """See `Reader.names`."""
        start = f"{self.prefix}/{checked(prefix)}" if prefix else self.prefix
        return [name.removeprefix(f"{self.prefix}/") for name in self.store.names(start, limit)]


@dataclass(frozen=True, slots=True)
class Readable:
    """The reading half of a store: what has no `put` cannot be written by mistake."""

    store: Reader

    def get(self, name: str, limit: int) -> bytes:
        """See `Reader.get`."""
        return self.store.get(name, limit)

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """See `Reader.names`."""
        return self.store.names(prefix, limit)


@dataclass(slots=True)
class Absence:
    """The backoff from a place that did not answer: it is not asked again for as long as that attempt took.

    Without it, a place that is lost for good costs the whole patience for each object that is looked for.
    """

    clock: Callable[[], float] = time.monotonic
    _until: float = -math.inf
    _error: PlaceAway | None = None

    def asked(self, ask: Callable[[], T]) -> T:
        """Ask the place.

        Raises:
            PlaceAway: it does not answer, or did not a moment ago.
        """
        began, known = self.clock(), self._error  # which another thread may forget meanwhile
        if known is not None and began < self._until:
            raise _away(known)
        try:
            found = ask()
        except StoreUnreachable as error:
            now, away = self.clock(), _away(error)
            self._until, self._error = now + (now - began), away
            raise away from error
        self._error = None
        return found


@dataclass(frozen=True, slots=True)
class Strangers:
    """Another peer's place, whose faults are its own: what fails there counts as missing."""

    open: Callable[[], Reader]
    absence: Absence = field(default_factory=Absence)

    def get(self, name: str, limit: int) -> bytes:
        """Read an object; see `Reader.get`.

        Raises:
            PlaceAway: the locator is refused, or the place does not answer.
        """
        return self.absence.asked(lambda: self.open().get(name, limit))

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """List names; see `Reader.names`.

        Raises:
            PlaceAway: the locator is refused, or the place does not answer or keeps no list.
        """
        try:
            return self.open().names(prefix, limit)
        except StoreUnreachable as error:
            raise _away(error) from error


class LocatedPlaces:
    """The places behind the locators that peers put on chain, each with its backoff."""

    def __init__(self, *, allow_local: bool, patience: Patience = OTHERS) -> None:
        """Keep how places are read; see `read_place`."""
        self._allow_local, self._patience = allow_local, patience
        self._absences: dict[str, Absence] = {}

    def __call__(self, _uid: int, locator: str) -> Reader:
        """The place of a peer."""
        if len(self._absences) > _MOST_PLACES:  # locators are strangers' words
            self._absences.clear()
        absence = self._absences.setdefault(locator, Absence())
        return read_place(locator, allow_local=self._allow_local, patience=self._patience, absence=absence)


@dataclass(frozen=True, slots=True)
class OwnPlace:
    """A store as one peer of a run sees it: what it puts goes to its own place, and there alone.

    `get` and `names` look into its own place first, then at what all peers of the run have in common.
    """

    mine: Store
    find: Callable[[int, str], Reader]
    """The place of another peer, by uid and locator."""
    common: Reader | None = None
    """Where the owner put what every peer starts from."""
    locator: str = ""
    own_backing: bool = False

    def put(self, name: str, data: bytes) -> None:
        """See `Store.put`."""
        self.mine.put(name, data)

    def get(self, name: str, limit: int) -> bytes:
        """See `Reader.get`."""
        if self.common is None:
            return self.mine.get(name, limit)
        try:
            return self.mine.get(name, limit)
        except ObjectMissing:
            return self.common.get(name, limit)

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """See `Reader.names`; of its own place alone."""
        return self.mine.names(prefix, limit)

    def of(self, uid: int, locator: str) -> Reader:
        """See `Places.of`."""
        return self.find(uid, locator)


def fleet_places(root: Store, uid: int) -> OwnPlace:
    """The places of a fleet below one store of its owner's, as the peer with this uid sees them."""

    def find(other: int, _locator: str) -> Reader:
        return Readable(Below(root, str(other)))

    # Who holds no seat (a baseline, a reader) has a negative uid, and no name begins with a hyphen.
    name = str(uid) if uid >= 0 else f"_{-uid}"
    return OwnPlace(mine=Below(root, name), find=find, common=Readable(root))


def open_places(
    where: str | Path,
    *,
    profile: str = "",
    locator: str = "",
    allow_local: bool = False,
    common: Reader | None = None,
    patience: Patience = OTHERS,
) -> OwnPlace:
    """The store of one peer among strangers: its own place, and theirs by their locators.

    Args:
        where: of its own place; see `open_store`.
        profile: whose credentials write there; see `open_store`.
        locator: where others read it; by default as the address says. Buckets that are public at another
            address (R2's `https://pub-….r2.dev`, a mirror) need it given.
        allow_local: whether locators may lead to this machine and its network, to plain http and to folders:
            only where every peer is one's own.
        common: where the owner put what every peer starts from.
        patience: with the places of others.

    Raises:
        StoreAddressInvalid: the address names no store, holds credentials, or has no locator that others may
            follow.
        StoreUnreachable: the folder cannot be made.
    """
    mine = open_store(where, profile=profile)
    locator = locator or address.parse(where).locator
    return OwnPlace(
        mine=mine,
        find=LocatedPlaces(allow_local=allow_local, patience=patience),
        common=common,
        locator=own_locator(locator, allow_local=allow_local),
        own_backing=True,
    )


def own_locator(locator: str, *, allow_local: bool) -> str:
    """The locator that a peer is about to put on chain.

    Raises:
        StoreAddressInvalid: others would not follow it.
    """
    try:
        return checked_locator(locator, local=allow_local)
    except PlaceAway as error:
        raise address.StoreAddressInvalid(
            f"Others could not read this store. {error.args[0]}",
            hint="Give the https address where it is read (--store-locator), or allow local stores.",
        ) from None


def read_place(
    locator: str, *, allow_local: bool = False, patience: Patience = OTHERS, absence: Absence | None = None
) -> Reader:
    """The place behind a locator from chain, to read from; nothing is opened before the first object.

    What is wrong with the locator or the place is `PlaceAway` from `get` and `names`, never an error here.
    """

    def opened() -> Reader:
        url = checked_locator(locator, local=allow_local)
        if url.startswith("file://"):
            return FolderStore(Path(unquote(url.removeprefix("file://"))))
        return Mirror(url, local=allow_local, patience=patience)

    return Strangers(opened, absence or Absence())


def _away(error: StoreError) -> PlaceAway:
    return PlaceAway(str(error.args[0]), hint="")
