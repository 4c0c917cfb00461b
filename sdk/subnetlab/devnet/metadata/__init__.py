"""The recorded runtime metadata that the node serves."""

import zlib
from importlib.resources import files

SPEC_VERSION = 461
TRANSACTION_VERSION = 1


def recorded() -> bytes:
    """The bare V15 metadata of spec 461."""
    return zlib.decompress(files("subnetlab.devnet.metadata").joinpath(f"{SPEC_VERSION}.bin").read_bytes())
