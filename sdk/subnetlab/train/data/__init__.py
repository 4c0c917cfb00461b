"""What a run trains on: tokens or rows of a table, written once, mapped by every peer, fixed by one hash.

`of(…)` takes whatever a person has in hand. `stdlib()` is always there; `text(…)` and `dataset(…)` make
tokens of text and of token sequences.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from subnetlab.train.data.columns import Column
from subnetlab.train.data.corpus import Corpus, DataManifest, sequences
from subnetlab.train.data.library import Stdlib, from_json, stdlib
from subnetlab.train.data.spec import DataSpec
from subnetlab.train.data.table import Table
from subnetlab.train.data.tokens import Items, Text, dataset, text

if TYPE_CHECKING:
    from subnetlab.train.data.kinds import of

__all__ = [
    "Column",
    "Corpus",
    "DataManifest",
    "DataSpec",
    "Items",
    "Stdlib",
    "Table",
    "Text",
    "dataset",
    "from_json",
    "of",
    "sequences",
    "stdlib",
    "text",
]


def __getattr__(name: str) -> Any:
    """Load `of`, and polars with it, when a plan is made: a peer maps what is on disk and needs neither."""
    if name != "of":
        raise AttributeError(f"module 'subnetlab.train.data' has no attribute {name!r}")
    return import_module("subnetlab.train.data.kinds").of
