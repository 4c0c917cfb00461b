"""The recorded runtime metadata that the node serves, and the file it is kept in.

A file is zlib over one JSON line of versions and the bare V15 bytes. `record.py` makes one from any node.
"""

import json
import zlib
from pathlib import Path
from typing import NamedTuple

from subnetlab.errors import MetadataInvalid

SPEC_VERSION = 461
TRANSACTION_VERSION = 1


class Recorded(NamedTuple):
    """One runtime's metadata with the versions that signatures are made over."""

    spec_version: int
    transaction_version: int
    v15: bytes

    def packed(self) -> bytes:
        """As a file holds it."""
        versions = {k: v for k, v in self._asdict().items() if k != "v15"}
        return zlib.compress(json.dumps(versions).encode() + b"\n" + self.v15, 9)


def unpack(data: bytes) -> Recorded:
    """Read what `packed` wrote.

    Raises:
        MetadataInvalid: it is something else.
    """
    try:
        line, v15 = zlib.decompress(data).split(b"\n", 1)
        versions = json.loads(line)
        return Recorded(
            spec_version=int(versions["spec_version"]),
            transaction_version=int(versions["transaction_version"]),
            v15=v15,
        )
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise MetadataInvalid(
            f"The file holds no recorded metadata: {error}.",
            hint="Leave --metadata out for the runtime that is shipped, or record it anew.",
        ) from error


def recorded() -> bytes:
    """The bare V15 metadata of the runtime which SDK 11.3 was made for."""
    return recording().v15


def recording(path: Path | None = None) -> Recorded:
    """The metadata in a file, or that of the runtime which SDK 11.3 was made for.

    Raises:
        MetadataInvalid: the file cannot be read.
    """
    source = Path(__file__).with_name(f"{SPEC_VERSION}.bin") if path is None else path
    try:
        return unpack(source.read_bytes())
    except OSError as error:
        raise MetadataInvalid(
            f"{source} cannot be read: {error.strerror}.",
            hint="Check the path; leave --metadata out for the runtime that is shipped.",
        ) from error
