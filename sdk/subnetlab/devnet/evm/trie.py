"""The root of a list in Ethereum's Merkle Patricia trie: what names a block's transactions and receipts.

Only roots of whole lists: there are no proofs. Source: Ethereum's yellow paper, appendix D.
"""

from collections.abc import Sequence
from string import hexdigits

from subnetlab.devnet.evm import rlp
from subnetlab.devnet.evm.keccak import keccak

EMPTY_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
"""Of an empty list."""
_Pair = tuple[str, bytes]
"""A key as hexadecimal digits, its nibbles, and the item."""


def list_root(items: Sequence[bytes]) -> bytes:
    """The root of a trie from each item's RLP index to the item."""
    pairs = sorted((rlp.encode(rlp.number(index)).hex(), item) for index, item in enumerate(items))
    return keccak(rlp.encode(_node(pairs, 0))) if pairs else EMPTY_ROOT


def _node(pairs: list[_Pair], depth: int) -> rlp.Item:
    """The node over pairs that share their first `depth` nibbles."""
    first, last = pairs[0][0], pairs[-1][0]
    if len(pairs) == 1:
        return [_compact(first[depth:], leaf=True), pairs[0][1]]
    shared = depth
    while shared < len(first) and first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        return [_compact(first[depth:shared], leaf=False), _reference(pairs, shared)]
    branches = [
        [pair for pair in pairs if len(pair[0]) > depth and pair[0][depth] == n] for n in hexdigits[:16]
    ]
    value = pairs[0][1] if len(first) == depth else b""
    return [*(_reference(branch, depth + 1) if branch else b"" for branch in branches), value]


def _reference(pairs: list[_Pair], depth: int) -> rlp.Item:
    node = _node(pairs, depth)
    encoded = rlp.encode(node)
    return node if len(encoded) < 32 else keccak(encoded)


def _compact(nibbles: str, *, leaf: bool) -> bytes:
    """Nibbles packed into bytes behind a flag of parity and kind."""
    flag = 2 if leaf else 0
    return bytes.fromhex(f"{flag + 1}{nibbles}" if len(nibbles) % 2 else f"{flag}0{nibbles}")
