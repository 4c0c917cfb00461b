"""Names of a run's objects in the store, one place for all of them."""


def sealed(round_: int, uid: int, commitment: bytes) -> str:
    """A miner's encrypted payload."""
    return f"{all_sealed(round_, uid)}/{commitment.hex()}"


def all_sealed(round_: int, uid: int) -> str:
    """The prefix of what a miner sealed in a round."""
    return f"rounds/{round_:06}/sealed/{uid}"


def reveals(round_: int, uid: int) -> str:
    """The prefix of a miner's reveals."""
    return f"rounds/{round_:06}/reveal/{uid}"


def reveal(round_: int, uid: int, token: str) -> str:
    """What opens a miner's payload."""
    return f"{reveals(round_, uid)}/{token}"


def aggregate(round_: int, hash_: str) -> str:
    """The update that everyone applies."""
    return f"rounds/{round_:06}/aggregate/{hash_}"


def record(hash_: str) -> str:
    """A round's record; found from the anchor on chain, and backwards from record to record."""
    return f"records/{hash_}"
