"""Proof that one shard belongs to a run's data: the hashes of all shards, and the way from one to the root.

The manifest fixes the root of a binary hash tree over all shards. Who holds one shard and a `ShardProof`
can tell that it is the run's without any other shard; the list of all hashes, published once beside the
run, tells which shard of a damaged copy is wrong.
"""

from dataclasses import dataclass
from typing import Any, Final

from subnetlab.errors import ManifestInvalid
from subnetlab.store.base import Store
from subnetlab.train import object_paths
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.hashing import SIZE, merkle_path, merkle_root, root_from, shard_hash

MOST_SHARDS: Final = 1 << 20
"""A list of hashes that is longer is not read; at the default size of a shard these are 68 billion tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardProof:
    """That a shard is the one at its place in the data of a root."""

    index: int
    """Training shards first, then those of the validation data."""
    shards: int
    path: tuple[str, ...]
    """Hashes of the neighbours on the way to the root, 64 hex digits each."""

    def proves(self, shard: bytes, root: str) -> bool:
        """Whether these bytes are the shard of that place under a root; False for anything malformed."""
        try:
            path = [bytes.fromhex(text) for text in self.path]
            return root_from(shard_hash(shard), self.index, self.shards, path).hex() == root
        except (ValueError, TypeError):
            return False

    def to_json(self) -> dict[str, Any]:
        """The proof in JSON types."""
        return {"index": self.index, "shards": self.shards, "path": list(self.path)}

    @staticmethod
    def from_json(data: dict[str, Any]) -> "ShardProof":
        """Read a proof back.

        Raises:
            ManifestInvalid: it is none.
        """
        try:
            index, shards, path = data["index"], data["shards"], tuple(data["path"])
        except (TypeError, KeyError) as error:
            raise ManifestInvalid("This is no proof of a shard.") from error
        if (
            type(index) is not int
            or type(shards) is not int
            or not all(isinstance(text, str) for text in path)
        ):
            raise ManifestInvalid("This is no proof of a shard.")
        return ShardProof(index=index, shards=shards, path=path)


def prove_shard(corpus: Corpus, index: int) -> ShardProof:
    """The proof of one shard of a corpus.

    Raises:
        IndexError: there is no such shard.
    """
    leaves = corpus.shard_hashes()
    path = merkle_path(leaves, index)
    return ShardProof(index=index, shards=len(leaves), path=tuple(node.hex() for node in path))


def publish_shard_hashes(store: Store, corpus: Corpus) -> None:
    """Put the hashes of all shards where everyone finds them by the root.

    Raises:
        ObjectExists: they lie there already.
        StoreUnreachable: nothing was written.
    """
    store.put(object_paths.shard_hashes(corpus.manifest.root), b"".join(corpus.shard_hashes()))


def read_shard_hashes(store: Store, root: str) -> list[bytes]:
    """The hashes of all shards of a root.

    Raises:
        ObjectMissing, ObjectTooLarge: none were published.
        ManifestInvalid: what lies there does not have this root.
        StoreUnreachable: the store did not answer.
    """
    data = store.get(object_paths.shard_hashes(root), MOST_SHARDS * SIZE)
    leaves = [data[start : start + SIZE] for start in range(0, len(data), SIZE)]
    if not data or len(data) % SIZE or merkle_root(leaves).hex() != root:
        raise ManifestInvalid("The published hashes of the data's shards do not have the manifest's root.")
    return leaves
