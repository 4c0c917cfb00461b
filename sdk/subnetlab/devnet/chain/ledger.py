"""What a pallet sees of the chain: typed storage, events, time, and calling other calls.

Everything goes through the real metadata and the real storage keys, so what a pallet writes is what a client
reads; there is no second object model. A ledger made by `at(block)` looks at a sealed block and cannot write.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from subnetlab.devnet.chain.codec import Codec, StorageItem
from subnetlab.devnet.chain.containment import contained
from subnetlab.devnet.chain.registry import CALLS, FINAL_HOOKS, HOOKS, DispatchError, Hook, Origin
from subnetlab.devnet.chain.state import State

T = TypeVar("T")
log = logging.getLogger("subnetlab.devnet")


class Mark(NamedTuple):
    """Where a transaction began: the depth of its layer, and how many events there were."""

    depth: int
    events: int


class EventRecord(dict[str, Any]):
    """An event as the codec shows it."""

    encoded: bytes
    """The same in SCALE."""


class Transaction:
    """Keeps what its body does to storage and events, unless it raises: then both are dropped."""

    __slots__ = ("_ledger", "_mark")

    def __init__(self, ledger: "Ledger") -> None:
        """Begin with the body."""
        self._ledger = ledger

    def __enter__(self) -> None:
        self._mark = self._ledger.begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._ledger.commit(self._mark)
        else:
            self._ledger.rollback(self._mark)


def go_on() -> None:
    """No waiting caller."""


class Ledger:
    """Storage by pallet and item, the events of the block being built, and the clock."""

    def __init__(self, codec: Codec, state: State, *, at: int | None = None) -> None:
        """Look at the block being built, or at the sealed block `at`."""
        self.codec, self.state = codec, state
        self._at = at
        self.block_number = 0
        """Height of the block being built (or looked at)."""
        self.now_ms = 0
        """Unix time of that block in milliseconds."""
        self.author: str | None = None
        """Who earns this block's fees, an ss58 address; None burns them."""
        self.events: list[EventRecord] = []
        self.phase: Any = "Initialization"
        """`Initialization`, `{"ApplyExtrinsic": index}` or `Finalization`."""
        self.ref_time = 0
        """Reference time that the block being built has used."""
        self.state_root = bytes(32)
        """The state root of the block before the one being built."""
        self.digests: list[bytes] = []
        """What pallets add to the header of the block being built."""
        self.pause: Callable[[], None] = go_on
        """Called before every call: a block that is built in turns pauses there."""

    def at(self, block: int) -> "Ledger":
        """A read-only view of a sealed block."""
        view = Ledger(self.codec, self.state, at=block)
        view.block_number = block
        view.now_ms = int(view.get("Timestamp", "Now"))
        return view

    # -- storage

    def get(self, pallet: str, item: str, *keys: Any) -> Any:
        """The decoded value; the metadata's default where absent, None where absent and optional."""
        entry, key = self.codec.slot(pallet, item, *keys)
        raw = self.state.get(key, self._at)
        if raw is None:
            if entry.optional:
                return None
            raw = entry.default
        try:
            return entry.decode(raw)
        except (ValueError, TypeError, OverflowError):
            return self._odd(pallet, item, entry, raw)

    def _odd(self, pallet: str, item: str, entry: StorageItem, raw: bytes) -> Any:
        """The value that stored bytes begin with; what they are worth where they are no value."""
        try:
            return self.codec.decode_stored(entry.value_type, raw)
        except (ValueError, TypeError, OverflowError):
            log.warning("What is stored in %s.%s is no value of its type: it reads as absent", pallet, item)
            return None if entry.optional else self.codec.decode(entry.value_type, entry.default)

    def has(self, pallet: str, item: str, *keys: Any) -> bool:
        """Whether a value is stored, defaults aside."""
        return self.state.get(self.codec.key(pallet, item, *keys), self._at) is not None

    def put(self, pallet: str, item: str, *keys: Any, value: Any) -> None:
        """Store a value."""
        assert self._at is None, "a sealed block cannot be written"
        entry, key = self.codec.slot(pallet, item, *keys)
        self.state.put(key, entry.encode(value))

    def remove(self, pallet: str, item: str, *keys: Any) -> None:
        """Remove a value; nothing happens where there is none."""
        assert self._at is None, "a sealed block cannot be written"
        self.state.put(self.codec.key(pallet, item, *keys), None)

    def raw(self, key: bytes) -> bytes | None:
        """The bytes under a storage key, whatever they are."""
        return self.state.get(key, self._at)

    def put_raw(self, key: bytes, value: bytes | None) -> None:
        """Store bytes that metadata does not describe; None removes them."""
        assert self._at is None, "a sealed block cannot be written"
        self.state.put(key, value)

    def items(self, pallet: str, item: str, *keys: Any) -> list[tuple[Any, Any]]:
        """All `(remaining key, value)` below the given first keys, in storage-key order.

        One remaining key is a scalar, several are a tuple.
        """
        raw_keys = self.state.keys(self.codec.key(pallet, item, *keys), self._at)
        values = [self.state.get(key, self._at) for key in raw_keys]
        decode = self.codec.runtime.decode_map_pairs
        try:
            return list(decode(pallet, item, raw_keys, values, len(keys)))
        except (ValueError, TypeError, OverflowError):
            log.warning("Some entries of %s.%s are none of its type: they are passed over", pallet, item)
        value_type = self.codec.item(pallet, item).value_type
        found: list[tuple[Any, Any]] = []
        for key, value in zip(raw_keys, values, strict=True):
            with suppress(ValueError, TypeError, OverflowError):
                whole = None if value is None else self.codec.trimmed(value_type, value)
                found += decode(pallet, item, [key], [whole], len(keys))
        return found

    def remembered(self, pallet: str, item: str, find: Callable[[], T]) -> T:
        """What `find` reads from an item's map, cached in the block being built until a key is written."""
        if self._at is not None:
            return find()
        return self.state.remembered(self.codec.key(pallet, item), find)

    # -- events, errors, calls

    def deposit_event(self, pallet: str, event: str, fields: Any) -> None:
        """Append an event: `fields` is a dict for named fields, a list for positional ones.

        Raises:
            ValueError, TypeError: the metadata has no such event, or the fields do not fit it.
        """
        record = EventRecord(phase=self.phase, event={pallet: {event: fields}}, topics=[])
        # Encoded at once: what cannot be encoded costs its extrinsic, not the block.
        record.encoded = self.codec.events.encode(record, pallet, event)
        self.events.append(record)

    def begin(self) -> Mark:
        """Begin a transaction that `rollback` drops or `commit` keeps; those begun inside go with it."""
        return Mark(self.state.push(), len(self.events))

    def rollback(self, mark: Mark) -> None:
        """Drop storage and events since a mark."""
        self.state.discard(mark.depth)
        del self.events[mark.events :]

    def commit(self, mark: Mark) -> None:
        """Keep storage and events since a mark."""
        self.state.commit(mark.depth)

    def transaction(self) -> Transaction:
        """Keep storage and events of the body unless it raises: then drop both."""
        return Transaction(self)

    def dispatch(self, origin: Origin, decoded_call: dict[str, Any]) -> None:
        """Run a decoded call (`call_module`, `call_function`, `call_args`) as one transaction.

        Raises:
            DispatchError: the call failed or is not implemented; nothing of it remains.
        """
        function = CALLS.get((decoded_call["call_module"], decoded_call["call_function"]))
        if function is None:
            raise DispatchError("System", "CallFiltered")
        self.pause()
        arguments = {argument["name"]: argument["value"] for argument in decoded_call["call_args"]}
        with self.transaction():
            function(self, origin, **arguments)

    def initialize_block(self, number: int, now_ms: int) -> None:
        """Open a block: set the clock and run every pallet's hook in order."""
        assert self._at is None, "a sealed block cannot be opened"
        self.block_number, self.now_ms, self.events, self.phase = number, now_ms, [], "Initialization"
        self.ref_time, self.digests = 0, []
        self.put("System", "Number", value=number)
        self.put("Timestamp", "Now", value=now_ms)
        self._run_hooks(HOOKS)

    def finalize_block(self) -> None:
        """Run what every pallet does at the end of a block, in order."""
        self.phase = "Finalization"
        self._run_hooks(FINAL_HOOKS)

    def _run_hooks(self, hooks: list[tuple[int, Hook]]) -> None:
        for _, hook in hooks:
            with contained(f"The part of a block that {hook.__qualname__} builds"), self.transaction():
                hook(self)

    def error_value(self, error: DispatchError) -> Any:
        """A dispatch error as the codec encodes it."""
        if error.pallet == "BadOrigin":
            return "BadOrigin"
        if error.pallet in ("Token", "Arithmetic"):
            return {error.pallet: error.name}
        index = self.codec.errors[error.pallet][error.name]
        return {"Module": {"index": self.codec.pallet_index[error.pallet], "error": f"0x{index:02x}000000"}}
