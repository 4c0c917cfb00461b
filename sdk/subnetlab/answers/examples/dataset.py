"""A subnet that pays for data: a miner's shard is worth what it removes from the loss of a small model.

The model counts which byte follows which three, and mixes shorter contexts in (Witten and Bell 1991). It
learns a base text, then base and shard; the share of its loss on held-out Python source that goes is the
score. Which source is held out, the beacon draws after all shards were committed, so that none is made of it.

Example:
    >>> run = subnet.run([library, little, babble], judge, tasks=order)  # doctest: +SKIP
"""

import sysconfig
from collections import Counter, defaultdict
from functools import cache
from math import log
from pathlib import Path
from random import Random
from typing import Any, Final

ORDER: Final = 3
"""Bytes of the longest context."""
SHARD: Final = 4096
"""Bytes of a shard at most."""
_WINDOWS, _WINDOW = 8, 128
"""Pieces of source that are held out, and the bytes of each."""
_BASE: Final = 2048


@cache
def files() -> list[Path]:
    """Python source that every installation has, in the order of names."""
    found = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return [path for path in found if path.stat().st_size > 4 * SHARD]


def order(random: Random) -> dict[str, Any]:
    """A task: a shard of Python source of so many bytes at most; the seed tells one order from another."""
    return {"bytes": SHARD, "seed": random.randrange(1 << 32)}


def library(task: dict[str, Any]) -> str:
    """A miner that brings real source, each time other."""
    return _window(Random(task["seed"]), task["bytes"])  # noqa: S311 - a choice of text


def little(task: dict[str, Any]) -> str:
    """A miner that brings a sixteenth of it."""
    return library(task)[: task["bytes"] // 16]


def babble(task: dict[str, Any]) -> str:
    """A miner that brings random letters."""
    random = Random(task["seed"])  # noqa: S311 - babble
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyz ", k=task["bytes"]))


def repeat(task: dict[str, Any]) -> str:
    """A miner that brings one line of source again and again."""
    line = "    return self.value\n"
    return (line * task["bytes"])[: task["bytes"]]


def judge(task: dict[str, Any], answer: object, random: Random) -> float:
    """The share of the held-out loss that the shard removes; 0 for what is no text, or too long."""
    if not isinstance(answer, str) or len(answer.encode()) > task["bytes"]:
        return 0.0
    held_out = "".join(_window(random, _WINDOW) for _ in range(_WINDOWS)).encode()
    before = loss(held_out, base())
    return max(0.0, (before - loss(held_out, base() + answer.encode())) / before)


@cache
def base() -> bytes:
    """What the model knows without any shard: English, from Python's documentation."""
    return (Path(sysconfig.get_path("stdlib")) / "pydoc_data" / "topics.py").read_bytes()[:_BASE]


def loss(held_out: bytes, text: bytes) -> float:
    """Nats a byte on one text, of the model that counted another."""
    counts: dict[bytes, Counter[int]] = defaultdict(Counter)
    for place, byte in enumerate(text):
        for length in range(min(ORDER, place) + 1):
            counts[text[place - length : place]][byte] += 1
    total = 0.0
    for place, byte in enumerate(held_out):
        chance = 1 / 256
        for length in range(min(ORDER, place) + 1):
            seen = counts.get(held_out[place - length : place])
            if seen:
                kinds, times = len(seen), seen.total()
                chance = (seen[byte] + kinds * chance) / (times + kinds)
        total -= log(chance)
    return total / len(held_out)


def _window(random: Random, size: int) -> str:
    """So many bytes of a random source file, from a random place."""
    text = random.choice(files()).read_text(encoding="utf-8", errors="ignore")
    start = random.randrange(max(1, len(text) - size))
    return text[start : start + size].encode()[:size].decode(errors="ignore")
