"""What a run trains on: a source of tokens, written once, mapped by every peer, fixed by one root hash.

`stdlib()` is always at hand; `text(…)` and `dataset(…)` take anything else by the same small interface.
"""

from subnetlab.train.data.corpus import Corpus, DataManifest, sequences
from subnetlab.train.data.sources import DataSpec, Items, Stdlib, Text, dataset, from_json, stdlib, text

__all__ = [
    "Corpus",
    "DataManifest",
    "DataSpec",
    "Items",
    "Stdlib",
    "Text",
    "dataset",
    "from_json",
    "sequences",
    "stdlib",
    "text",
]
