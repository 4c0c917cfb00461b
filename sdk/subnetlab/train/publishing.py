"""Publishing under names that every peer can foresee: where one is squatted, the object lies elsewhere.

Records and aggregates are found by their hashes, and a peer that computes a hash first can put junk there.
Then the publisher writes the object once more under a name that it draws, keeps a list of such detours in
the store, and its anchor on chain says where the list lies. A reader takes the object that has the hash.
In a place of one's own (`store.places`) names are not squatted, and there are no detours.
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

from subnetlab.errors import ObjectExists, ObjectMissing, ObjectTooLarge, PayloadRejected
from subnetlab.store.base import Reader, Store
from subnetlab.store.places import Places
from subnetlab.train import object_paths
from subnetlab.train.anchors import NOTHING, Anchor
from subnetlab.train.hashing import SIZE
from subnetlab.train.payload.seal import Reveal, Sealed

T = TypeVar("T")
Detours = Mapping[str, str]
"""The names that are squatted, and where their objects lie instead."""

_LIST_LIMIT: Final = 1 << 22
_DETOUR: Final = re.compile(r"detours/[0-9a-f]{64}")


def put_reveal(store: Store, prefix: str, sealed: Sealed, signature: bytes) -> None:
    """Publish what opens a sealed payload.

    In a place of its writer's own it lies under the commitment, where a reader needs no list. Where another
    peer has taken that name, because it can write there too, it lies under the token that only the sealed
    object names, as in a store that all peers share; who reads without a list then does not find it.

    Raises:
        ObjectExists: it is there already.
        StoreUnreachable: nothing was written.
    """
    data = Reveal(sealed.salt, sealed.key, signature).to_bytes()
    if isinstance(store, Places):
        with suppress(ObjectExists):
            store.put(f"{prefix}/{sealed.commitment.hex()}", data)
            return
    store.put(f"{prefix}/{sealed.token}", data)


class Publications:
    """The objects that one peer publishes and follows in one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._detours: dict[str, str] = {}
        self._list = NOTHING
        """The token of the list that is in the store."""
        self._listed = 0
        self._written: set[str] = set()
        """What this peer has put itself, so that it need not be fetched from another's place."""

    def put(self, name: str, data: bytes) -> None:
        """Publish an object under its name, or where that holds something else, by a detour.

        Raises:
            StoreUnreachable: nothing was written.
        """
        self._written.add(name)
        try:
            self.store.put(name, data)
        except ObjectExists:
            if name not in self._detours and not self._holds(name, data):
                self._detours[name] = object_paths.detour(secrets.token_bytes(SIZE))
                self.store.put(self._detours[name], data)

    def list_token(self) -> bytes:
        """Where the list of all detours lies, written if it is new; `NOTHING` where there is none."""
        if self._listed != len(self._detours):
            self._list, self._listed = secrets.token_bytes(SIZE), len(self._detours)
            self.store.put(object_paths.detour(self._list), json.dumps(self._detours).encode())
        return self._list

    def detours(self, anchor: Anchor, place: Reader | None = None) -> Detours:
        """The detours of an anchor's writer, from its place; none where they cannot be read."""
        if anchor.detours == NOTHING:
            return {}
        try:
            listed = json.loads((place or self.store).get(object_paths.detour(anchor.detours), _LIST_LIMIT))
        except (ObjectMissing, ObjectTooLarge, ValueError, RecursionError):
            return {}
        found = cast("dict[str, Any]", listed) if isinstance(listed, dict) else {}
        return {
            name: place
            for name, place in found.items()
            if isinstance(place, str) and _DETOUR.fullmatch(place)
        }

    def get(
        self,
        name: str,
        limit: int,
        read: Callable[[bytes], T],
        detours: Detours,
        places: Sequence[Reader] = (),
    ) -> T:
        """Read a published object from the first place that holds it.

        Args:
            name: its own.
            limit: the most bytes that are read.
            read: makes the object of its bytes, and raises `PayloadRejected` for what is another.
            detours: those of the peer that is followed.
            places: where peers publish, the one that is followed first; this peer's own store is looked into
                as well.

        Raises:
            ObjectMissing, ObjectTooLarge, PayloadRejected: no place holds it; the error of its own name.
            StoreUnreachable: the store did not answer.
        """
        first: ObjectMissing | ObjectTooLarge | PayloadRejected | None = None
        own_first = name in self._written or not places
        readers = (self.store, *places) if own_first else (*places[:1], self.store, *places[1:])
        for reader in readers:
            for other in dict.fromkeys((name, self._detours.get(name, name), detours.get(name, name))):
                try:
                    found = read(reader.get(other, limit))
                except (ObjectMissing, ObjectTooLarge, PayloadRejected) as error:
                    first = first or error
                    continue
                if other != name:  # passed on to the peers that follow this one
                    self._detours[name] = other
                return found
        assert first is not None
        raise first

    def _holds(self, name: str, data: bytes) -> bool:
        try:
            return self.store.get(name, len(data)) == data
        except (ObjectMissing, ObjectTooLarge):
            return False
