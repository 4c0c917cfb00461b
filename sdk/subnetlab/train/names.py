"""Names of a run's objects in the store, one place for all of them."""


def sealed(round_: int, uid: int, commitment: bytes) -> str:
    """A miner's encrypted payload."""
    return f"rounds/{round_:06}/sealed/{uid}/{commitment.hex()}"


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


def initial(hash_: str) -> str:
    """The tensors that a run starts from, where the seed does not make them."""
    return f"initial/{hash_}"
