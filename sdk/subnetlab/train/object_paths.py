"""Names of a run's objects in the store, one place for all of them."""

from subnetlab.train.hashing import digest


def sealed(round_: int, uid: int, commitment: bytes) -> str:
    """A miner's encrypted payload."""
    return f"{all_sealed(round_, uid)}/{commitment.hex()}"


def all_sealed(round_: int, uid: int) -> str:
    """The prefix of what a miner sealed in a round."""
    return f"rounds/{round_:06}/sealed/{uid}"


def reveals(round_: int, uid: int, deadline_hash: str) -> str:
    """The prefix of a miner's reveals; unknown to all before the deadline's block has its hash."""
    return f"rounds/{round_:06}/reveal/{uid}/{digest('reveals', deadline_hash).hex()[:16]}"


def reveal(round_: int, uid: int, deadline_hash: str, token: str) -> str:
    """What opens a miner's payload."""
    return f"{reveals(round_, uid, deadline_hash)}/{token}"


def state(round_: int, uid: int, hash_: bytes) -> str:
    """What a miner remembered before or after a round that is audited."""
    return f"rounds/{round_:06}/states/{uid}/{hash_.hex()}"


def aggregate(round_: int, hash_: str) -> str:
    """The update that everyone applies."""
    return f"rounds/{round_:06}/aggregate/{hash_}"


def detour(token: bytes) -> str:
    """Where an object lies whose own name is squatted, or the list of such places."""
    return f"detours/{token.hex()}"


def record(hash_: str) -> str:
    """A round's record; found from the anchor on chain, and backwards from record to record."""
    return f"records/{hash_}"


def checkpoint(hash_: str) -> str:
    """The model and the outer state after a round; its hash is in the round's record."""
    return f"checkpoints/{hash_}"


def initial(hash_: str) -> str:
    """The tensors that a run starts from, where the seed does not make them."""
    return f"initial/{hash_}"


def manifest(hash_: str) -> str:
    """A run's manifest as canonical JSON; found from the owner's announcement on chain."""
    return f"manifests/{hash_}"


def reports(round_: int, uid: int) -> str:
    """The prefix of what a peer of a public run says of its round."""
    return f"rounds/{round_:06}/reports/{uid}"


def shard_hashes(root: str) -> str:
    """The hashes of all shards of a run's data, found by the root in its manifest."""
    return f"shards/{root}"


def shard(hash_: str) -> str:
    """One shard of a corpus."""
    return f"data/{hash_}"
