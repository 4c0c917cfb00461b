"""What a miner states of a round's work beside its payload, under the same commitment and signature.

The hash of what it remembered before and after, values of the model that it trained from, and for each inner
step the loss and a digest of the parameters. The digests are a hash chain: two traces that differ in a step
differ in every later one, so `first_difference` finds the step in a binary search. The report has a fixed
length in a run and lies before the payload; nothing in it is believed before a replay.
Shapes: H inner steps, S probed positions.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from subnetlab.train.hashing import SIZE, digest
from subnetlab.train.payload import container
from subnetlab.train.payload.sparse import State
from subnetlab.train.payload.update import Update
from subnetlab.train.strategies.base import Codec
from subnetlab.train.theta import FlatModel

PROBES: Final = 64
"""Positions at which a miner states the model that it trained from."""
TRACED: Final = 4096
"""Positions whose values a step's digest covers: training spreads a difference over all of them."""
_STEP_BYTES: Final = 4 + SIZE
_SAME_LOSS: Final = 1e-4
"""Relative difference of a step's loss between two processors that do the same work."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkReport:
    """One miner's round, as it states it."""

    before: bytes
    """Hash of what it remembered when the round began."""
    after: bytes
    """The same when its payload was made."""
    probes_S: NDArray[np.float32]
    losses_H: NDArray[np.float32]
    trace: tuple[bytes, ...]
    """The hash chain over its inner steps, one digest each."""

    def to_bytes(self) -> bytes:
        """Fixed layout: both hashes, probes, losses, digests; numbers in little-endian fp32."""
        numbers = (part.astype("<f4", copy=False).tobytes() for part in (self.probes_S, self.losses_H))
        return b"".join([self.before, self.after, *numbers, *self.trace])

    @staticmethod
    def from_bytes(data: bytes, steps: int) -> "WorkReport":
        """Read the report of a round of so many steps.

        Raises:
            PayloadRejected: of another length.
        """
        if len(data) != length(steps):
            raise container.malformed("its work report has another length")
        numbers = np.frombuffer(data, "<f4", PROBES + steps, 2 * SIZE)
        chain = data[2 * SIZE + 4 * (PROBES + steps) :]
        trace = tuple(chain[start : start + SIZE] for start in range(0, len(chain), SIZE))
        return WorkReport(data[:SIZE], data[SIZE : 2 * SIZE], numbers[:PROBES], numbers[PROBES:], trace)


def length(steps: int) -> int:
    """Bytes of a report."""
    return 2 * SIZE + 4 * PROBES + _STEP_BYTES * steps


class Trace:
    """Collects the inner steps of a round while a model trains."""

    def __init__(self, positions_S: Tensor) -> None:
        """Begin before the first step; the positions are drawn from the block that opened the round."""
        self.positions_S = positions_S
        self.losses: list[float] = []
        self.chain: list[bytes] = []

    def step(self, model: FlatModel, loss: float) -> None:
        """Take in a step that the model has just made."""
        self.losses.append(loss)
        at_S = self.positions_S.to(model.theta_P.device)
        parts = (vector_P[at_S].cpu().numpy() for vector_P in (model.theta_P, model.gradient_P))
        values = (part.astype("<f4", copy=False).tobytes() for part in parts)
        self.chain.append(digest("work-step", self.chain[-1] if self.chain else b"", *values))


@dataclass(frozen=True, slots=True)
class ReportingCodec:
    """A strategy's codec whose payloads carry a work report in front."""

    inner: Codec
    steps: int
    """Inner steps of a round."""

    @property
    def limit(self) -> int:
        """Most bytes a payload with its report can take."""
        return self.inner.limit + length(self.steps)

    def encode(self, delta_P: Tensor, memory: State) -> bytes:
        """Code a pseudo-gradient behind a report that states nothing."""
        return bytes(length(self.steps)) + self.inner.encode(delta_P, memory)

    def reported(self, payload: bytes, report: WorkReport) -> bytes:
        """A payload of `encode` with this report in the place of the empty one."""
        return report.to_bytes() + payload[length(self.steps) :]

    def report(self, data: bytes) -> WorkReport:
        """The report of a payload.

        Raises:
            PayloadRejected: it has none.
        """
        return WorkReport.from_bytes(data[: length(self.steps)], self.steps)

    def decode(self, data: bytes) -> Update:
        """Read a payload that may be hostile.

        Raises:
            PayloadRejected: anything that `encode` would not write.
        """
        self.report(data)
        return self.inner.decode(data[length(self.steps) :])


def report_of(codec: Codec, payload: bytes) -> WorkReport | None:
    """The report of a payload; None in a run that asks for none.

    Raises:
        PayloadRejected: the run asks for one, and it is not there.
    """
    return codec.report(payload) if isinstance(codec, ReportingCodec) else None


def first_difference(one: WorkReport, other: WorkReport) -> int | None:
    """The first inner step, from 0, in which two reports of one round differ; None where none does.

    The chain makes it a binary search. On processors that round otherwise every digest differs; there the
    first step whose loss is another one is named.
    """
    steps = min(len(one.trace), len(other.trace))
    by_bits = _first(steps, lambda step: one.trace[step] != other.trace[step])
    if by_bits is None or by_bits > 0 or not _alike(one.losses_H[0], other.losses_H[0]):
        return by_bits
    return next(
        (step for step in range(steps) if not _alike(one.losses_H[step], other.losses_H[step])), by_bits
    )


def where_different(one: WorkReport, other: WorkReport) -> str:
    """The first inner step in which two reports differ, as the end of a sentence."""
    step = first_difference(one, other)
    return (
        "after its last inner step" if step is None else f"from inner step {step + 1} of {len(one.trace)} on"
    )


def comparisons(steps: int) -> int:
    """How many digests a search among so many steps compares at most."""
    return math.ceil(math.log2(steps + 1)) if steps else 0


def _first(count: int, differs: Callable[[int], bool]) -> int | None:
    """The least number below `count` from which on something differs."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if differs(middle) else (middle + 1, high)
    return low if low < count else None


def _alike(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_SAME_LOSS) or (math.isnan(one) and math.isnan(other))
