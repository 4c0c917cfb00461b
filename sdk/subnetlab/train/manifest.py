"""The manifest: everything that fixes a run, immutable and hashed. Nothing in a run depends on anything else.

A run's rounds follow the chain: four heights a round, open, commit deadline, beacon, close. On an embedded
node they are neighbours; on a public network `offsets` and `blocks_per_round` stretch them.
"""

import platform
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import torch

from subnetlab.errors import ArgumentInvalid, ManifestInvalid, ManifestOfAnotherVersion
from subnetlab.train import models, optimizer, strategies, tasks
from subnetlab.train.audit.report import ReportingCodec
from subnetlab.train.choices import Clip
from subnetlab.train.data.corpus import DataManifest
from subnetlab.train.execution import FLOAT32, ON_CPU, Execution, check_dtype
from subnetlab.train.hashing import canonical_json, digest
from subnetlab.train.models.spec import ModelSpec
from subnetlab.train.optimizer import AdamWConfig, OptimizerConfig
from subnetlab.train.strategies.base import Codec, Progress, Strategy
from subnetlab.train.tasks import Task, code
from subnetlab.train.tasks.code import Code
from subnetlab.train.theta import Layout

FORM: Final = "subnetlab-manifest/3"
_SECOND_FORM: Final = "subnetlab-manifest/2"
"""With `batch` for `batch_size` and other names in `scoring`; still read."""
_FIRST_FORM: Final = "subnetlab-manifest/1"
"""Besides, runs of language models alone; still read."""


MOST_ROUNDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RoundHeights:
    """The four block heights of a round, and the height that opens the next."""

    round: int
    open: int
    commit: int
    """Last block in which a commitment counts."""
    beacon: int
    """Its hash chooses the validators' samples."""
    close: int
    """Last block in which an anchor counts."""
    next_open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringConfig:
    """How validators judge; every number is relative to the model at hand, none to a data set."""

    assigned_sequences: int = 8
    """Sequences of a miner's own work of this round on which its update is tried."""
    held_out_sequences: int = 24
    """Sequences that no miner was assigned, the same for all miners and validators."""
    median_clip: Clip = "tensor"
    """How updates are clipped to the median norm before they are tried."""
    trial_share: float = 0.2
    """Share of an update that is tried: a whole one, with all its error feedback, can overshoot by itself."""
    gate: float = 0.4
    """An update that removes less than this share of what the median update removes is shut out."""
    rating_decay: float = 0.8
    """Share of the old rating that a new one keeps."""
    proof_decay: float = 0.95
    """The same for the proof that a miner works on its own data, where `own_work` is 0."""
    validation_batches: int = 8
    validation_sequences: int = 32
    near_copies: float = 0.25
    """A payload nearer to another than this share of the typical distance is a copy; 0: equal bytes alone."""
    own_work: float = 0.5
    """What the sequential test expects of own work at least, of the median miner's difference between own and
    other data; 0: the moving average of signs decides instead."""
    standing: float = 0.5
    """How far the gate goes by earlier rounds; 0: by the round alone."""
    slash: float = 0.0
    """Share of its rating that a miner keeps who sends what only a cheat can; 1: nothing lasts."""
    certainty: float = 2.5
    """Standard errors by which harm must exceed the noise of its measurement, and rounds count by how much
    they say beside it; 0: every number as it is, every round alike."""
    newcomer: int = 6
    """Trials in which the gate judges a miner that joined later than the others for the length of its
    updates: error feedback adds to them only from the second round on. 0: as all others from the first."""
    tried: int = 0
    """Most updates that are tried on data in a round; of more, a sample that the beacon draws. 0: all."""
    audits: float = 0.0
    """Share of the miners' rounds that a validator trains again, drawn by the block of the deadline."""
    tolerance: float = 0.1
    """How far an update trained again may lie from the one that was sent, in norms of it: a processor of
    another kind rounds otherwise."""
    exclusion: int = 0
    """Rounds in which a miner is neither taken nor paid after it sent what only a cheat can; then it begins
    again as one that has just come. 0: the rating alone suffers (`slash`)."""
    sync: int = 0
    """How many rounds back a model that a miner trained from is recognised; a payload from any model but the
    round's is left out. 0: miners do not say from which."""

    score: Code | None = None
    """What a payload that passed is worth, by a function of one's own; None for the loss it removed on
    held-out data."""

    @property
    def reports(self) -> bool:
        """Whether payloads carry a work report."""
        return self.audits > 0 or self.sync > 0


_EXCLUSION, _SYNC = 20, 4
"""What a run that audits asks for beside, unless it says otherwise."""


def audited(share: float, score: Code | None = None) -> ScoringConfig:
    """How validators judge that train so large a share of the miners' rounds again; 0 for none.

    Args:
        share: from 0 to 1.
        score: what they pay by; None for the usual score.

    Raises:
        ArgumentInvalid: it is no share.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ArgumentInvalid(
            f"audits={share!r} is no share of rounds.", hint="Give 0.1 for a tenth of them."
        )
    if not share:
        return ScoringConfig(score=score)
    return ScoringConfig(score=score, audits=float(share), exclusion=_EXCLUSION, sync=_SYNC)


EARLIER: Final[dict[str, Any]] = {
    "near_copies": 0.0, "own_work": 0.0, "standing": 0.0, "slash": 1.0, "certainty": 0.0, "tried": 0,
    "newcomer": 0,
    "audits": 0.0, "tolerance": 0.1, "exclusion": 0, "sync": 0,
    "score": None,
}  # fmt: skip
"""What runs were judged by before a manifest named these; such values are not written."""

_OLD_SCORING: Final = {
    "clip": "median_clip", "step": "trial_share", "memory": "rating_decay", "proof_memory": "proof_decay",
}  # fmt: skip


def _renamed(scoring: dict[str, Any]) -> dict[str, Any]:
    """The scoring of an earlier form under the names of this one."""
    return {_OLD_SCORING.get(name, name): value for name, value in dict(**scoring).items()}


def _scoring(told: dict[str, Any], *, trusted: bool) -> ScoringConfig:
    options = {**EARLIER, **told}
    if options["score"] is not None:
        if not trusted:
            raise ManifestInvalid(
                "This manifest's score is code of its author.", hint="Read it, then join with trusted=True."
            )
        options["score"] = code.from_json(options["score"])
    return ScoringConfig(**options)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "torch": str(torch.__version__)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One run. `first_block` is the height at which round 0 opens."""

    run_id: str
    netuid: int
    model: ModelSpec
    task: Task
    data: DataManifest
    strategy: Strategy
    rounds: int
    first_block: int
    blocks_per_round: int = 4
    offsets: tuple[int, int, int] = (1, 2, 3)
    """Commit deadline, beacon and close, in blocks after open."""
    batch_size: int = 4
    """Sequences per inner step and miner."""
    seed: int = 0
    optimizer: OptimizerConfig = field(default_factory=AdamWConfig)
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    versions: dict[str, str] = field(default_factory=_versions)
    """What wrote the manifest; bit-exact replay needs the same torch."""
    init: str = ""
    """Hash of the tensors the run starts from (see `initial`); empty where the seed makes them."""
    deterministic: bool = False
    """Whether all draws follow from the seed alone, so that the run can be repeated and its work foreseen."""
    checkpoint_every: int = 0
    """Rounds between two checkpoints in the store, from which a late joiner replays; 0 for none."""

    dtype: str = FLOAT32
    """In which products are computed, by miners and validators alike; see `execution`."""

    def __post_init__(self) -> None:
        check_dtype(self.dtype)
        commit, beacon, close = self.offsets
        if not 0 < commit < beacon < close < self.blocks_per_round:
            raise ManifestInvalid(
                f"The heights {self.offsets} do not fit into {self.blocks_per_round} blocks a round.",
                hint="Give ascending offsets between 1 and blocks_per_round - 1.",
            )
        if min(self.rounds, self.batch_size) < 1 or min(self.first_block, self.netuid) < 0 or not self.run_id:
            raise ManifestInvalid(
                "A run needs a name, at least one round and one sequence per step.",
                hint="Give rounds=8 and batch_size=4, for instance.",
            )
        scoring = self.scoring
        if not 0 <= scoring.audits <= 1 or not 0 < scoring.tolerance < 1:
            raise ManifestInvalid(
                f"audits={scoring.audits!r} with tolerance={scoring.tolerance!r} is no share of rounds.",
                hint="Give audits from 0 to 1, such as 0.1, and a tolerance between 0 and 1.",
            )
        if min(scoring.exclusion, scoring.sync, scoring.newcomer) < 0:
            raise ManifestInvalid(
                "A number of rounds (exclusion, sync, newcomer) is below 0.", hint="0 leaves it out."
            )
        every: object = self.checkpoint_every
        if type(every) is not int or not 0 <= every <= MOST_ROUNDS:
            raise ManifestInvalid(
                f"checkpoint_every={every!r} is no whole number from 0 to {MOST_ROUNDS:,}.",
                hint="Give the rounds between two checkpoints, or 0 for none.",
            )

    def heights(self, round_: int) -> RoundHeights:
        """The block heights of a round."""
        opens = self.first_block + round_ * self.blocks_per_round
        commit, beacon, close = (opens + offset for offset in self.offsets)
        return RoundHeights(round_, opens, commit, beacon, close, opens + self.blocks_per_round)

    def codec(self, layout: Layout, round_: int) -> Codec:
        """How payloads of a round are written, with a work report in front where the run asks for one."""
        codec = self.strategy.codec(layout, round_)
        return ReportingCodec(codec, self.strategy.inner_steps) if self.scoring.reports else codec

    def execution(self, on: Execution = ON_CPU) -> Execution:
        """How a peer's model computes in this run: on the peer's own device, in the run's arithmetic."""
        return replace(on, dtype=self.dtype)

    def progress(self, round_: int) -> Progress:
        """The place of a round in its run."""
        return Progress(round_, self.rounds, self.strategy.inner_steps)

    def to_json(self) -> dict[str, Any]:
        """The manifest in JSON types; an option that came later is left out where it is not taken."""
        return {
            "form": FORM,
            "run_id": self.run_id,
            "netuid": self.netuid,
            "model": self.model.to_json(),
            "task": tasks.to_json(self.task),
            "data": self.data.to_json(),
            "strategy": strategies.to_json(self.strategy),
            "rounds": self.rounds,
            "first_block": self.first_block,
            "blocks_per_round": self.blocks_per_round,
            "offsets": list(self.offsets),
            "batch_size": self.batch_size,
            "seed": self.seed,
            "optimizer": self.optimizer.to_json(),
            "scoring": {
                name: self.scoring.score.to_json() if name == "score" and self.scoring.score else value
                for name, value in asdict(self.scoring).items()
                if name not in EARLIER or value != EARLIER[name]
            },
            "versions": dict(self.versions),
            **({"init": self.init} if self.init else {}),
            **({"deterministic": True} if self.deterministic else {}),
            **({"checkpoint_every": self.checkpoint_every} if self.checkpoint_every else {}),
            **({"dtype": self.dtype} if self.dtype != FLOAT32 else {}),
        }

    def to_bytes(self) -> bytes:
        """Canonical JSON: what the hash is of, and what a public run keeps in its store."""
        return canonical_json(self.to_json())

    @property
    def hash(self) -> str:
        """The hash of the canonical JSON, 64 hex digits."""
        return digest("manifest", self.to_bytes()).hex()

    @property
    def drawn_for(self) -> str:
        """What a run's draws are made for: this run alone, or everything with the same seed."""
        return digest("deterministic", self.seed).hex() if self.deterministic else self.hash

    @staticmethod
    def from_json(data: dict[str, Any], *, trusted: bool = True) -> "Manifest":
        """Read a manifest back.

        Args:
            data: what `to_json` wrote.
            trusted: whether this peer runs code that the manifest names (see `models.from_json`).

        Raises:
            ManifestInvalid: a field is missing, unknown or contradicts another.
        """
        fields = dict(data)
        form = fields.pop("form", None)
        if form not in (FORM, _SECOND_FORM, _FIRST_FORM):
            raise ManifestInvalid(f"This is no {FORM}.", hint="Use the version that wrote it.")
        try:
            if form != FORM:
                fields["batch_size"] = fields.pop("batch")
                fields["scoring"] = _renamed(fields["scoring"])
            prompt = fields.pop("prompt") if form == _FIRST_FORM else ""
            model = fields["model"] = models.from_json(fields["model"], trusted=trusted)
            fields["task"] = (
                tasks.of_model(model, prompt)
                if form == _FIRST_FORM
                else tasks.from_json(fields["task"], trusted=trusted)
            )
            fields["data"] = DataManifest.from_json(fields["data"])
            fields["strategy"] = strategies.from_json(fields["strategy"])
            fields["optimizer"] = optimizer.from_json(fields["optimizer"])
            fields["scoring"] = _scoring(fields["scoring"], trusted=trusted)
            fields["offsets"] = tuple(fields["offsets"])
            return Manifest(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise ManifestOfAnotherVersion(f"The manifest does not fit: {error!r}.") from error
