"""The standard library as a source of tokens: about 10 MB of real text that needs no download.

Another Python version has another text, and so another root.
"""

import hashlib
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final

import numpy as np

from subnetlab.errors import ManifestInvalid
from subnetlab.settings import home
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.data.spec import DataSpec, Readable
from subnetlab.train.data.tokens import split

_NOT_LIBRARY: Final = ("/test", "/site-packages", "/dist-packages", "/idle_test", "/__pycache__")


@dataclass(frozen=True, slots=True)
class Stdlib(Readable):
    """The Python standard library's own source without its tests; always installed."""

    limit_bytes: int = 0
    """Read at most about this much; 0 reads all."""

    def read(self) -> Corpus:
        """Read every library file in path order (about half a second)."""
        library = Path(sysconfig.get_paths()["stdlib"])
        paths = sorted(
            (path for path in library.rglob("*.py") if _of_library(path.relative_to(library))),
            key=lambda path: path.relative_to(library).as_posix(),
        )
        documents: list[bytes] = []
        total = 0
        for path in paths:
            documents.append(path.read_bytes())
            total += len(documents[-1])
            if 0 < self.limit_bytes <= total:
                break
        source = {"kind": "Stdlib", "limit_bytes": self.limit_bytes}
        arrays = [np.frombuffer(document, dtype=np.uint8) for document in documents]
        return split(f"stdlib-{sys.version_info.major}.{sys.version_info.minor}", arrays, source)

    def load(self) -> Corpus:
        """Map the corpus from the home folder, made on first use."""
        version = f"{sys.version}|{sysconfig.get_paths()['stdlib']}|{self.limit_bytes}"
        folder = home() / "data" / f"stdlib-{hashlib.blake2b(version.encode(), digest_size=8).hexdigest()}"
        if not (folder / "data.json").exists():
            return self.materialise(folder)
        return Corpus.open(folder)


def stdlib(limit_bytes: int = 0) -> Stdlib:
    """The Python standard library as a corpus: real text that needs no download."""
    return Stdlib(limit_bytes)


def from_json(source: dict[str, Any]) -> DataSpec:
    """The source that a data manifest names.

    Raises:
        ManifestInvalid: the data of this run cannot be made again from its description.
    """
    if source.get("kind") != "Stdlib":
        raise ManifestInvalid(
            "The data of this run cannot be made again here.", hint="Use the data folder of the run."
        )
    return Stdlib(int(source.get("limit_bytes", 0)))


def _of_library(path: PurePath) -> bool:
    return not any(part in f"/{path.as_posix()}" for part in _NOT_LIBRARY)
