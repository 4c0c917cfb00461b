"""The metadata document: read, changed and written back, versions 14 and 15.

The node serves what was recorded from a real runtime; changing it is for dropping documentation and setting
constants. Source: `frame-metadata` versions 14 and 15, `scale-info` 2.
"""

from contextlib import suppress
from typing import Any

from subnetlab.devnet.chain.scale import Reader, Truncated, prefixed
from subnetlab.devnet.metadata.layout import Blob, Choice, Fixed, Form, Many, Maybe, Number, Record, Text
from subnetlab.errors import MetadataInvalid

MAGIC = b"meta"
Document = dict[str, Any]

_docs = Many(Text())
_field = Record(name=Maybe(Text()), type=Number(), type_name=Maybe(Text()), docs=_docs)
_variant = Record(name=Text(), fields=Many(_field), index=Fixed(1), docs=_docs)
_definition = Choice(
    composite=Record(fields=Many(_field)),
    variant=Record(variants=Many(_variant)),
    sequence=Number(),
    array=Record(length=Fixed(4), type=Number()),
    tuple=Many(Number()),
    primitive=Fixed(1),
    compact=Number(),
    bit_sequence=Record(store=Number(), order=Number()),
)
_type = Record(
    id=Number(),
    path=Many(Text()),
    parameters=Many(Record(name=Text(), type=Maybe(Number()))),
    definition=_definition,
    docs=_docs,
)
_entry = Record(
    name=Text(),
    modifier=Fixed(1),
    type=Choice(plain=Number(), map=Record(hashers=Many(Fixed(1)), key=Number(), value=Number())),
    default=Blob(),
    docs=_docs,
)
_constant = Record(name=Text(), type=Number(), value=Blob(), docs=_docs)
_pallet_parts: dict[str, Form] = {
    "name": Text(),
    "storage": Maybe(Record(prefix=Text(), entries=Many(_entry))),
    "calls": Maybe(Number()),
    "event": Maybe(Number()),
    "constants": Many(_constant),
    "error": Maybe(Number()),
    "index": Fixed(1),
}
_extension = Record(identifier=Text(), type=Number(), additional_signed=Number())
_api_method = Record(
    name=Text(), inputs=Many(Record(name=Text(), type=Number())), output=Number(), docs=_docs
)
V15 = Record(
    types=Many(_type),
    pallets=Many(Record(**_pallet_parts, docs=_docs)),
    extrinsic=Record(
        version=Fixed(1),
        address=Number(),
        call=Number(),
        signature=Number(),
        extra=Number(),
        extensions=Many(_extension),
    ),
    runtime=Number(),
    apis=Many(Record(name=Text(), methods=Many(_api_method), docs=_docs)),
    outer=Record(call=Number(), event=Number(), error=Number()),
    custom=Many(Record(name=Text(), type=Number(), value=Blob())),
)
V14 = Record(
    types=Many(_type),
    pallets=Many(Record(**_pallet_parts)),
    extrinsic=Record(type=Number(), version=Fixed(1), extensions=Many(_extension)),
    runtime=Number(),
)
VERSIONS = {14: V14, 15: V15}


def read(data: bytes) -> Document:
    """Take a metadata document apart.

    Raises:
        MetadataInvalid: it is none, or of another version.
    """
    if data[:4] != MAGIC or data[4:5] == b"" or data[4] not in VERSIONS:
        raise MetadataInvalid("These bytes are not runtime metadata of version 14 or 15.")
    reader = Reader(data, 5)
    try:
        document = VERSIONS[data[4]].read(reader)
    except (Truncated, ValueError) as error:
        raise MetadataInvalid(f"The runtime metadata is damaged: {error}.") from error
    if reader.left:
        raise MetadataInvalid(f"{reader.left} bytes follow the runtime metadata.")
    return document


def write(document: Document, version: int = 15) -> bytes:
    """The bytes of a document."""
    return MAGIC + bytes([version]) + VERSIONS[version].write(document)


def without_docs(document: Document) -> Document:
    """The same without documentation, but for errors: clients show theirs to people."""
    kept = {pallet["error"] for pallet in document["pallets"]}
    types = [t if t["id"] in kept else _bare(t) for t in document["types"]]
    return {**_bare(document, skip="types"), "types": types}


def as_v14(document: Document) -> Document:
    """A version 15 document as version 14, for clients that know no other.

    Raises:
        MetadataInvalid: the runtime names no extrinsic type.
    """
    extrinsic = document["extrinsic"]
    found = [t["id"] for t in document["types"] if t["path"][-1:] == ["UncheckedExtrinsic"]]
    if not found:
        raise MetadataInvalid("The runtime's metadata names no extrinsic type.")
    return {
        "types": document["types"],
        "pallets": document["pallets"],
        "extrinsic": {
            "type": found[0],
            "version": extrinsic["version"],
            "extensions": extrinsic["extensions"],
        },
        "runtime": document["runtime"],
    }


def with_constant(data: bytes, name: str, value: bytes) -> bytes:
    """The same metadata bytes with a constant's value replaced by one of the same length.

    Done on the bytes, because a node starts faster than the whole document can be read.

    Raises:
        MetadataInvalid: the name is not there exactly once, or its value has another length.
    """
    label = prefixed(name.encode())
    places = [at for at in _places(data, label) if _value_length(data, at + len(label)) == len(value)]
    if len(places) != 1:
        raise MetadataInvalid(f"The metadata has {len(places)} constants {name} of {len(value)} bytes.")
    reader = Reader(data, places[0] + len(label))
    reader.compact()
    reader.compact()
    return data[: reader.offset] + value + data[reader.offset + len(value) :]


def with_default(data: bytes, name: str, value: bytes) -> bytes:
    """The same metadata bytes with a storage item's default replaced by one of the same length.

    Raises:
        MetadataInvalid: the name is not there exactly once, or its default has another length.
    """
    found: list[int] = []
    for at in _places(data, prefixed(name.encode())):
        reader = Reader(data, at)
        with suppress(Truncated, ValueError, MetadataInvalid):
            entry = _entry.read(reader)
            if len(entry["default"]) == len(value) and entry["modifier"] <= 1:
                docs = len(_docs.write(entry["docs"]))
                found.append(reader.offset - docs - len(value))
    if len(found) != 1:
        raise MetadataInvalid(f"The metadata has {len(found)} items {name} of {len(value)} bytes.")
    return data[: found[0]] + value + data[found[0] + len(value) :]


def _places(data: bytes, label: bytes) -> list[int]:
    found, at = list[int](), data.find(label)
    while at >= 0:
        found.append(at)
        at = data.find(label, at + 1)
    return found


def _value_length(data: bytes, offset: int) -> int:
    reader = Reader(data, offset)
    try:
        reader.compact()
        return reader.compact()
    except Truncated:
        return -1


def _bare(value: Any, skip: str = "") -> Any:
    if isinstance(value, dict):
        return {k: [] if k == "docs" else v if k == skip else _bare(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_bare(item) for item in value)
    return value
