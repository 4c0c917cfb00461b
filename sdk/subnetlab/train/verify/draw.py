"""Which rounds and miners a verification looks at again, drawn from the block that closed the last round.

Every verifier with the same share draws alike, and nobody could know the draw while the run went on.
"""

import math

import numpy as np

from subnetlab.train.hashing import stream


def drawn(count: int, share: float, what: str, run: str, beacon: str) -> list[int]:
    """So large a share of the numbers below `count`, at least one, in the order in which they are drawn."""
    if count < 1 or share <= 0:
        return []
    keys = np.frombuffer(stream("verify-draw", count * 8, what, run, beacon), dtype="<u8")
    order = np.argsort(keys, kind="stable").tolist()
    return [int(number) for number in order[: max(1, math.ceil(share * count))]]
