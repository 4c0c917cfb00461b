"""The manifest of a run of answers: the tasks, the judge and the limits, not how a miner answers.

Rounds follow the chain by the same four heights as a training run's (`train.manifest`).
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from subnetlab.answers.values import NotAValue, read, written
from subnetlab.errors import ManifestInvalid, ManifestOfAnotherVersion
from subnetlab.train.hashing import canonical_json, digest
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.tasks import code as codes
from subnetlab.train.tasks.code import Code

FORM: Final = "subnetlab-answers/1"
TASKS_BYTES: Final = 1 << 18
"""All tasks of a list together."""
MOST_TASKS: Final = 10_000
TASK_BYTES: Final = 1 << 16
"""One task that a function makes."""
MOST_ANSWER_BYTES: Final = 1 << 24
MOST_TASKS_A_ROUND: Final = 1000
MOST_TIME_LIMIT_S: Final = 3600.0


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersManifest:
    """One run. `first_block` is the height at which round 0 opens."""

    run_id: str
    netuid: int
    tasks: tuple[Any, ...] | Code
    """JSON values of which each round draws some, or a function that makes one from a `random.Random`."""
    judge: Code
    takes_random: bool = False
    """Whether the judge is given random numbers of the beacon."""
    rounds: int
    first_block: int
    blocks_per_round: int = 4
    offsets: tuple[int, int, int] = (1, 2, 3)
    """Commit deadline, beacon and close, in blocks after open."""
    tasks_per_round: int = 4
    """Tasks that a miner is given in a round, each miner others."""
    time_limit_s: float = 10.0
    """Seconds in which a miner answers the tasks of a round, and a validator judges one miner's answers."""
    answer_bytes: int = 1 << 16
    """Bytes of one answer as JSON."""
    rating_decay: float = 0.8
    """Share of the old rating that a new one keeps."""
    versions: Mapping[str, str] = field(default_factory=_versions)
    """What wrote the manifest."""

    def __post_init__(self) -> None:
        commit, beacon, close = self.offsets
        if not 0 < commit < beacon < close < self.blocks_per_round:
            raise ManifestInvalid(
                f"The heights {self.offsets} do not fit into {self.blocks_per_round} blocks a round.",
                hint="Give ascending offsets between 1 and blocks_per_round - 1.",
            )
        sound = (
            self.rounds > 0
            and min(self.first_block, self.netuid) >= 0
            and bool(self.run_id)
            and 0 < self.tasks_per_round <= MOST_TASKS_A_ROUND
            and 0 < self.answer_bytes <= MOST_ANSWER_BYTES
            and 0 < self.time_limit_s <= MOST_TIME_LIMIT_S
            and 0 <= self.rating_decay < 1
            and (isinstance(self.tasks, Code) or 0 < len(self.tasks) <= MOST_TASKS)
        )
        if not sound:
            raise ManifestInvalid(
                "The numbers of this run are out of range, or it has no task.",
                hint="Give at least one task, one round, and positive limits.",
            )

    def heights(self, round_: int) -> RoundHeights:
        """The block heights of a round."""
        opens = self.first_block + round_ * self.blocks_per_round
        commit, beacon, close = (opens + offset for offset in self.offsets)
        return RoundHeights(round_, opens, commit, beacon, close, opens + self.blocks_per_round)

    def to_json(self) -> dict[str, Any]:
        """The manifest in JSON types."""
        tasks = {"code": self.tasks.to_json()} if isinstance(self.tasks, Code) else list(self.tasks)
        return {
            "form": FORM,
            "run_id": self.run_id,
            "netuid": self.netuid,
            "tasks": tasks,
            "judge": self.judge.to_json(),
            "takes_random": self.takes_random,
            "rounds": self.rounds,
            "first_block": self.first_block,
            "blocks_per_round": self.blocks_per_round,
            "offsets": list(self.offsets),
            "tasks_per_round": self.tasks_per_round,
            "time_limit_s": self.time_limit_s,
            "answer_bytes": self.answer_bytes,
            "rating_decay": self.rating_decay,
            "versions": dict(self.versions),
        }

    def to_bytes(self) -> bytes:
        """Canonical JSON: what the hash is of."""
        return canonical_json(self.to_json())

    @property
    def hash(self) -> str:
        """The hash of the canonical JSON, 64 hex digits."""
        return digest("manifest", self.to_bytes()).hex()

    @staticmethod
    def from_json(data: dict[str, Any]) -> "AnswersManifest":
        """Read a manifest back; the code that it names is only described, and not run.

        Raises:
            ManifestInvalid: a field is missing, unknown or contradicts another.
        """
        fields = dict(data)
        if fields.pop("form", None) != FORM:
            raise ManifestInvalid(f"This is no {FORM}.", hint="Use the version that wrote it.")
        try:
            fields["judge"] = codes.from_json(fields["judge"])
            fields["tasks"] = _tasks(fields["tasks"])
            fields["offsets"] = tuple(fields["offsets"])
            return AnswersManifest(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise ManifestOfAnotherVersion(f"The manifest does not fit: {error!r}.") from error


def _tasks(told: Any) -> tuple[Any, ...] | Code:
    if isinstance(told, dict):
        return codes.from_json(told["code"])
    try:
        return tuple(read(written(told, TASKS_BYTES), TASKS_BYTES))
    except NotAValue as error:
        raise ValueError(f"the list of tasks {error}") from error


def is_answers(data: object) -> bool:
    """Whether a manifest, as JSON, is of a run of answers."""
    return isinstance(data, dict) and data.get("form") == FORM  # pyright: ignore[reportUnknownMemberType]
