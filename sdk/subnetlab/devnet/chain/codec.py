"""The runtime's types as Python values: one `bittensor_core.Runtime` plus lookups built once.

Accounts are ss58 strings, byte arrays `0x…` strings or lists as `bittensor_core` has them, enums names or
one-entry dicts. Holds no state and knows no pallet. Source: the V15 metadata the node serves.
"""

import json
import re
from functools import cached_property, lru_cache, partial
from typing import Any, Final, NamedTuple

import bittensor_core as core

from subnetlab.devnet.chain.events import Events
from subnetlab.devnet.chain.layouts import LAYOUTS, Decode, Encode
from subnetlab.errors import MetadataInvalid

SS58_FORMAT = 42
MOST_HELD_KEYS: Final = 4096
"""Storage keys that are held, because every block reads the same few hundred."""
_SURPLUS = re.compile(r"(\d+) undecoded bytes remain")


class StorageItem(NamedTuple):
    """How one storage entry is encoded: its value's type, its default, how many keys it takes."""

    value_type: str
    optional: bool
    default: bytes
    key_types: tuple[str, ...]
    decode: Decode
    """The value of SCALE bytes."""
    encode: Encode
    """SCALE bytes of a value."""


def bytes_of(value: Any) -> bytes:
    """The bytes of a decoded `Vec<u8>`: the codec shows them as text where they are UTF-8, else as `0x…`.

    Text that spells bytes which are no UTF-8 cannot be told from those bytes.
    """
    if not isinstance(value, str):
        return bytes(value)
    if value.startswith("0x"):
        try:
            spelled = bytes.fromhex(value[2:])
        except ValueError:
            return value.encode()
        if not _is_utf8(spelled):
            return spelled
    return value.encode()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def array_of(value: Any) -> bytes:
    """The bytes of a decoded array of fixed length, such as `H160`: the codec always shows them as `0x…`."""
    return bytes.fromhex(value[2:]) if isinstance(value, str) else bytes(value)


def limbs(value: int) -> tuple[int, ...]:
    """A `U256` as the codec encodes it: four 64-bit numbers, the lowest first. Decoded it is a number."""
    return tuple(value >> shift & (1 << 64) - 1 for shift in (0, 64, 128, 192))


class Codec:
    """Encode and decode everything that the metadata describes."""

    def __init__(self, metadata_v15: bytes, spec_version: int, transaction_version: int) -> None:
        """Read the metadata (the bare V15 bytes that start with `meta`).

        Raises:
            MetadataInvalid: the bytes are not V15 metadata.
        """
        try:
            self.runtime = core.Runtime(metadata_v15, spec_version, transaction_version, SS58_FORMAT)
        except (ValueError, TypeError) as error:
            raise MetadataInvalid(f"The runtime metadata cannot be read: {error}.") from error
        self.metadata_v15 = metadata_v15
        self.spec_version, self.transaction_version = spec_version, transaction_version
        pallets = self.runtime.metadata_ir()["pallets"]
        self.pallet_index: dict[str, int] = {p["name"]: p["index"] for p in pallets}
        self.errors: dict[str, dict[str, int]] = {
            p["name"]: {e["name"]: e["index"] for e in p["errors"]} for p in pallets
        }
        self.apis: dict[str, dict[str, dict[str, Any]]] = self.runtime.runtime_api_map()
        self._types: dict[int, dict[str, Any]] | None = None
        self._items: dict[tuple[str, str], StorageItem] = {}
        # Typed, because True and 1 are equal and are other keys.
        self._held = lru_cache(MOST_HELD_KEYS, typed=True)(self._slot)

    @cached_property
    def events(self) -> Events:
        """What encodes events."""
        list_type = self.item("System", "Events").value_type
        return Events(self.runtime.encode, list_type, self.runtime.registry_json)

    def item(self, pallet: str, name: str) -> StorageItem:
        """The description of one storage entry.

        Raises:
            MetadataInvalid: the runtime has no such entry.
        """
        found = self._items.get((pallet, name))
        if found is None:
            try:
                entry = self.runtime.storage_entry(pallet, name)
            except (ValueError, KeyError) as error:
                raise MetadataInvalid(f"The runtime has no storage {pallet}.{name}.") from error
            runtime, value_type = self.runtime, entry.value_type
            decode, encode = partial(runtime.decode, value_type), partial(runtime.encode, value_type)
            layout = LAYOUTS.get((pallet, name))
            if layout is not None:
                decode, encode = layout.joined(decode, encode)
            found = self._items[pallet, name] = StorageItem(
                value_type=value_type,
                optional=entry.modifier == "Optional",
                default=bytes(entry.default_bytes or b""),
                key_types=tuple(entry.param_types),
                decode=decode,
                encode=encode,
            )
        return found

    def key(self, pallet: str, name: str, *keys: Any) -> bytes:
        """The real storage key (or the prefix of one, where keys are left out)."""
        return self.slot(pallet, name, *keys)[1]

    def slot(self, pallet: str, name: str, *keys: Any) -> tuple[StorageItem, bytes]:
        """The description of a storage entry, and the real storage key (or the prefix of one).

        Raises:
            MetadataInvalid: the runtime has no such entry.
            ValueError, TypeError, OverflowError: the keys do not fit it.
        """
        try:
            return self._held(pallet, name, *keys)
        except TypeError:  # lists cannot be looked up
            return self._slot(pallet, name, *keys)

    def _slot(self, pallet: str, name: str, *keys: Any) -> tuple[StorageItem, bytes]:
        return self.item(pallet, name), bytes(self.runtime.storage_key(pallet, name, list(keys)))

    def encode(self, type_name: str, value: Any) -> bytes:
        """SCALE bytes of a value."""
        return self.runtime.encode(type_name, value)

    def decode(self, type_name: str, data: bytes) -> Any:
        """The value of SCALE bytes."""
        return self.runtime.decode(type_name, data)

    def decode_stored(self, type_name: str, data: bytes) -> Any:
        """The value of bytes in storage, as the runtime reads it: what follows the value is ignored.

        Raises:
            ValueError: the bytes end before the value does, or no value of the type begins like them.
        """
        try:
            return self.decode(type_name, data)
        except ValueError:
            return self.decode(type_name, self.trimmed(type_name, data))

    def trimmed(self, type_name: str, data: bytes) -> bytes:
        """The bytes without what follows the value they begin with."""
        try:
            self.decode(type_name, data)
        except ValueError as error:
            surplus = _SURPLUS.match(str(error))
            return data if surplus is None else data[: -int(surplus[1])]
        return data

    def constant(self, pallet: str, name: str) -> Any:
        """A pallet constant's value."""
        return self.runtime.constant(pallet, name)

    def type_def(self, type_name: str | int) -> dict[str, Any]:
        """The registry's description of a type, by `scale_info::n` or n."""
        if self._types is None:
            registry = json.loads(self.runtime.registry_json())
            self._types = {t["id"]: t["type"] for t in registry["types"]}
        number = int(type_name.split("::")[1]) if isinstance(type_name, str) else type_name
        return self._types[number]

    def zero(self, type_name: str | int) -> Any:  # noqa: PLR0911 - one return per shape reads best
        """The zero value of any type: what an unimplemented runtime API answers."""
        described = self.type_def(type_name)
        shape, body = next(iter(described["def"].items()))
        last = (described.get("path") or [""])[-1]
        match shape:
            case "composite":
                return self._zero_composite(last, body.get("fields", []))
            case "variant":
                return self._zero_variant(last, body.get("variants", []))
            case "sequence":
                return []
            case "array":
                return self._zero_array(body)
            case "tuple":
                return [self.zero(part) for part in body]
            case "compact":
                return self.zero(body["type"])
            case "primitive":
                return {"bool": False, "str": ""}.get(body, 0)
            case _:
                return 0

    def _zero_composite(self, name: str, members: list[dict[str, Any]]) -> Any:
        if name == "AccountId32":
            return core.ss58_encode(bytes(32))
        if not members or name == "BTreeMap":
            return {}
        if members[0].get("name") is None:
            values = [self.zero(m["type"]) for m in members]
            return values[0] if len(values) == 1 else values
        return {m["name"]: self.zero(m["type"]) for m in members}

    def _zero_variant(self, name: str, variants: list[dict[str, Any]]) -> Any:
        if name == "Option" or not variants:
            return None
        first = variants[0]
        members = first.get("fields", [])
        return {first["name"]: self.zero(members[0]["type"])} if members else first["name"]

    def _zero_array(self, body: dict[str, Any]) -> Any:
        if self.type_def(body["type"])["def"].get("primitive") == "u8":
            return "0x" + "00" * body["len"]
        return [self.zero(body["type"]) for _ in range(body["len"])]
