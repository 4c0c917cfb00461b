"""Versioned key-value state: sealed blocks' values stay readable, the block being built writes in layers.

Keys and values are raw bytes; nothing here knows SCALE or pallets. Old versions can be pruned, the whole
state held and put back. No Merkle trie: the header's state root is a hash chain (fidelity table).
"""

import bisect
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

T = TypeVar("T")
_PREFIX_BYTES: Final = 32
"""Of the keys of one storage item: its pallet's name and its own, hashed."""
Version = tuple[int, bytes | None]
"""The block a value was sealed in, and the value; None where the key was removed."""

Kept = Mapping[bytes, Callable[[bytes | None], bool]]
"""Keys whose old values outlive their blocks' states, each with whether a value does."""


_UNWRITTEN: Final = object()
"""In the place of a value: the block being built had not written the key."""


class State:
    """Every key's history, plus what the block being built has written, with a log to undo it."""

    def __init__(self) -> None:
        """Start empty, before genesis."""
        self._history: dict[bytes, list[Version]] = {}
        self._keys: list[bytes] = []
        self._written: dict[bytes, bytes | None] = {}
        self._undo: list[tuple[bytes, Any]] = []
        """Keys written inside layers, each with what was there before."""
        self._layers: list[int] = []
        """How long the log was when each open layer was opened."""
        self._remembered: dict[bytes, Any] = {}
        """A cache of reads in the block being built, by the keys' prefix, until such a key is written."""

    def get(self, key: bytes, at: int | None = None) -> bytes | None:
        """The value at a sealed block, or in the block being built where `at` is None."""
        if at is None and key in self._written:
            return self._written[key]
        versions = self._history.get(key)
        if not versions:
            return None
        if at is None:
            return versions[-1][1]
        index = bisect.bisect_right(versions, at, key=lambda v: v[0]) - 1
        return versions[index][1] if index >= 0 else None

    def put(self, key: bytes, value: bytes | None) -> None:
        """Write into the block being built; None removes."""
        if self._layers:
            self._undo.append((key, self._written.get(key, _UNWRITTEN)))
        self._written[key] = value
        if self._remembered:
            self._remembered.pop(key[:_PREFIX_BYTES], None)

    def remembered(self, prefix: bytes, find: Callable[[], T]) -> T:
        """What `find` reads below a prefix, cached in the block being built until such a key is written."""
        assert len(prefix) == _PREFIX_BYTES, "the prefix is that of a storage item"
        found = self._remembered.get(prefix, _UNWRITTEN)
        if found is _UNWRITTEN:
            found = self._remembered[prefix] = find()
        return found

    def push(self) -> int:
        """Open a layer: what is written from now on can be dropped or kept down to the depth this returns."""
        self._layers.append(len(self._undo))
        return len(self._layers)

    def discard(self, depth: int) -> None:
        """Drop the layers from a depth on."""
        begun = self._close(depth)
        for key, before in reversed(self._undo[begun:]):
            if before is _UNWRITTEN:
                del self._written[key]
            else:
                self._written[key] = before
            self._remembered.pop(key[:_PREFIX_BYTES], None)
        del self._undo[begun:]

    def commit(self, depth: int) -> None:
        """Merge the layers from a depth on into the one below."""
        self._close(depth)
        if not self._layers:
            self._undo.clear()

    def _close(self, depth: int) -> int:
        """Close the layers from a depth on; how long the log was when the first of them was opened."""
        assert depth > 0, "the block being built has no layer below it"
        begun = self._layers[depth - 1]
        del self._layers[depth - 1 :]
        return begun

    @contextmanager
    def layer(self) -> Generator[None]:
        """Keep what is written inside, unless an exception leaves the block: then drop all of it."""
        depth = self.push()
        try:
            yield
        except BaseException:
            self.discard(depth)
            raise
        self.commit(depth)

    def seal(self, block: int) -> dict[bytes, bytes | None]:
        """Make the block being built permanent as `block` and return what it changed."""
        assert not self._layers, "sealed inside an open layer"
        written, self._written = self._written, {}
        changed: dict[bytes, bytes | None] = {}
        for key, value in written.items():
            versions = self._history.get(key)
            if versions is None:
                if value is None:
                    continue
                self._history[key] = [(block, value)]
                bisect.insort(self._keys, key)
            elif versions[-1][1] == value:
                continue
            else:
                versions.append((block, value))
            changed[key] = value
        return changed

    def keys(self, prefix: bytes, at: int | None = None, after: bytes | None = None) -> list[bytes]:
        """Present keys below a prefix in order, those after `after` only."""
        found = [key for key in self._below(prefix, after) if self.get(key, at) is not None]
        if at is not None:
            return found
        fresh = [
            key
            for key, value in self._written.items()
            if key.startswith(prefix) and value is not None and (after is None or key > after)
        ]
        return sorted({*fresh, *found}) if fresh else found

    def _below(self, prefix: bytes, after: bytes | None) -> Iterator[bytes]:
        if after is not None and after > prefix:
            index = bisect.bisect_right(self._keys, after)
        else:
            index = bisect.bisect_left(self._keys, prefix)
        while index < len(self._keys) and self._keys[index].startswith(prefix):
            yield self._keys[index]
            index += 1

    def prune(self, before: int, kept: Kept | None = None) -> None:
        """Forget versions that no block from `before` on can see, but for those `kept` by their key."""
        for key in list(self._history):
            versions = self._history[key]
            keep = max(bisect.bisect_right(versions, before, key=lambda v: v[0]) - 1, 0)
            worth = None if kept is None else kept.get(key)
            versions[:keep] = [] if worth is None else [one for one in versions[:keep] if worth(one[1])]
            if len(versions) == 1 and versions[0][1] is None and versions[0][0] <= before:
                del self._history[key]
                del self._keys[bisect.bisect_left(self._keys, key)]

    def latest(self) -> dict[bytes, bytes]:
        """Every present key and value at the head, for saving."""
        return {k: v for k, versions in self._history.items() if (v := versions[-1][1]) is not None}

    def kept_versions(self, kept: Kept) -> dict[bytes, list[Version]]:
        """The versions of some keys that are worth keeping, and their newest ones, for saving."""
        return {
            key: [*(one for one in versions[:-1] if worth(one[1])), versions[-1]]
            for key, worth in kept.items()
            if (versions := self._history.get(key))
        }

    def remember(self, kept: Mapping[bytes, list[Version]]) -> None:
        """Put saved versions of keys in the place of those that are there."""
        for key, versions in kept.items():
            if key not in self._history:
                bisect.insort(self._keys, key)
            self._history[key] = list(versions)
        self._remembered.clear()

    def overlay(self, at: int) -> "State":
        """A state of its own that begins as a sealed block is, for what is to leave no trace here."""
        return Overlay(self, at)

    def copy(self) -> "State":
        """An independent copy of all versions and of what is not sealed yet, for snapshots."""
        twin = State()
        twin._written, twin._undo, twin._layers = dict(self._written), list(self._undo), list(self._layers)
        twin._history = {key: list(versions) for key, versions in self._history.items()}
        twin._keys = list(self._keys)
        return twin


class Overlay(State):
    """What is written here lies over a sealed block of another state, which it never changes."""

    def __init__(self, base: State, at: int) -> None:
        """Begin as the block `at` is."""
        super().__init__()
        self._base, self._base_at = base, at

    def get(self, key: bytes, at: int | None = None) -> bytes | None:
        """The value at a sealed block of the other state, or what was written here, or the value below."""
        if at is None and key in self._written:
            return self._written[key]
        return self._base.get(key, self._base_at if at is None else at)

    def _below(self, prefix: bytes, after: bytes | None) -> Iterator[bytes]:
        return iter(self._base.keys(prefix, self._base_at, after))
