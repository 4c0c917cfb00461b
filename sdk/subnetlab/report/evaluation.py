"""One Yuma evaluation as a person follows it: from stake and weights to pay, a sentence and numbers a step.

The mathematics are `yuma.epoch`; here they become shares of one by uid, with sentences that name who was cut
and by how much. `changed` evaluates again with one weight moved, so that a reader sees what it does. Draws
nothing live and asks no chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from subnetlab.errors import ArgumentInvalid, UnknownUid
from subnetlab.report import html
from subnetlab.report.format import amount_alpha, counted, listed, percent
from subnetlab.text import plain_lines
from subnetlab.units import U16_MAX
from subnetlab.yuma.epoch import Epoch, EpochInput, run_epoch
from subnetlab.yuma.fixed import I32F32
from subnetlab.yuma.vectors import Matrix, Vector

if TYPE_CHECKING:
    import polars as pl

Rows = dict[int, dict[int, float]]
_CUT: Final = 1e-4
"""A weight counts as cut from this difference on: rows are rounded to u16."""
_MOST_SHOWN: Final = 16
"""Validators and miners a table shows; those with most stake and most incentive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step: its name, what it does in a sentence, and its numbers by validator and miner or by either."""

    name: str
    sentence: str
    of: Literal["validators", "miners", "both", "all"]
    matrix: Rows | None = None
    vector: dict[int, float] | None = None
    unit: Literal["share", "alpha-rao"] = "share"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One evaluation of a subnet; every property is by uid, shares are of one.

    `stake`, `weights`, `consensus`, `clipped`, `ranks`, `incentive`, `bonds`, `dividends`, `emission` in the
    order they are computed; `stages` has each with its sentence, `given` and `epoch` the chain's own numbers.
    """

    given: EpochInput
    epoch: Epoch
    where: str
    """Which subnet, and which epoch or block, in words."""

    @classmethod
    def of(cls, given: EpochInput, *, where: str) -> "Evaluation":
        """Evaluate."""
        return cls(given=given, epoch=run_epoch(given), where=where)

    # -- who takes part ----------------------------------------------------------------------------

    @cached_property
    def validators(self) -> tuple[int, ...]:
        """The uids whose weights count, those with most stake first."""
        held = self.epoch.active_stake
        voting = [uid for uid, row in enumerate(self.epoch.weights) if row and held[uid]]
        return tuple(sorted(voting, key=lambda uid: (-held[uid], uid)))

    @cached_property
    def miners(self) -> tuple[int, ...]:
        """The uids that any counting weight is for, in order."""
        return tuple(sorted({j for uid in self.validators for j, _ in self.epoch.weights[uid]}))

    # -- the steps as shares -----------------------------------------------------------------------

    @property
    def stake(self) -> dict[int, float]:
        """The share of the stake that may vote, of each uid with a permit; one without weights has it too."""
        held = self.epoch.active_stake
        voting = sorted((uid for uid in range(len(held)) if held[uid]), key=lambda uid: (-held[uid], uid))
        return {uid: _share(held[uid]) for uid in voting}

    @property
    def weights(self) -> Rows:
        """What each validator gave each miner; a row sums to 1."""
        return self._rows(self.epoch.weights)

    @property
    def consensus(self) -> dict[int, float]:
        """For each miner the largest weight that at least half of the stake supports."""
        return self._by_miner(self.epoch.consensus)

    @property
    def clipped(self) -> Rows:
        """The weights, what is above consensus cut off."""
        return self._rows(self.epoch.clipped)

    @property
    def ranks(self) -> dict[int, float]:
        """The clipped weights of each miner, counted by stake and summed."""
        return self._by_miner(self.epoch.ranks)

    @property
    def incentive(self) -> dict[int, float]:
        """Each miner's share of the ranks: its share of what miners are paid."""
        return self._by_miner(self.epoch.incentive)

    @property
    def bonds(self) -> Rows:
        """How much each validator is tied to each miner after this epoch."""
        return self._rows(self.epoch.bonds.end)

    @property
    def dividends(self) -> dict[int, float]:
        """Each validator's share of what validators are paid."""
        return {uid: _share(self.epoch.dividends[uid]) for uid in self.validators}

    @property
    def emission(self) -> dict[int, int]:
        """What each uid is paid by this epoch, alpha-rao."""
        return dict(enumerate(self.epoch.emission))

    # -- trying something --------------------------------------------------------------------------

    def changed(self, validator: int, miner: int, weight: float) -> "Evaluation":
        """The same epoch with one weight moved; the rest of that validator's row keeps its proportions.

        Args:
            validator: a uid of `validators`.
            miner: a uid of `miners`.
            weight: its new share of the row, 0 to 1.

        Raises:
            UnknownUid: no such validator or miner here.
            ArgumentInvalid: the weight is no share of one.
        """
        if validator not in self.validators or miner not in self.miners:
            raise UnknownUid(
                f"Validator {validator} gives no weight to uid {miner} here.",
                hint=f"Validators: {_uids(self.validators)}; miners: {_uids(self.miners)}.",
            )
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:  # pyright: ignore[reportUnnecessaryIsInstance]  # notebooks are untyped
            raise ArgumentInvalid(f"weight={weight!r} is not a share between 0 and 1.", hint="0.5 is a half.")
        row = _moved(self.weights[validator], miner, float(weight))
        neurons = list(self.given.neurons)
        neurons[validator] = replace(neurons[validator], weights=row)
        return Evaluation.of(replace(self.given, neurons=tuple(neurons)), where=self.where)

    # -- in words, tables and numbers --------------------------------------------------------------

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Every step with its sentence."""
        return (
            Stage(name="stake", sentence=_stake_said(self), of="validators", vector=self.stake),
            Stage(name="weights", sentence=_WEIGHTS, of="both", matrix=self.weights),
            Stage(name="consensus", sentence=_CONSENSUS, of="miners", vector=self.consensus),
            Stage(name="clipped", sentence=_cut_said(self), of="both", matrix=self.clipped),
            Stage(name="ranks", sentence=_RANKS, of="miners", vector=self.ranks),
            Stage(name="incentive", sentence=_INCENTIVE, of="miners", vector=self.incentive),
            Stage(name="bonds", sentence=_bonds_said(self), of="both", matrix=self.bonds),
            Stage(name="dividends", sentence=_DIVIDENDS, of="validators", vector=self.dividends),
            Stage(
                name="emission",
                sentence=_emission_said(self),
                of="all",
                vector={uid: float(paid) for uid, paid in self.emission.items() if paid},
                unit="alpha-rao",
            ),
        )

    def frame(self) -> "pl.DataFrame":
        """One row per step, validator and miner; a null uid where a step has no such side."""
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        rows: list[tuple[str, int | None, int | None, float]] = []
        for stage in self.stages:
            for uid, row in (stage.matrix or {}).items():
                rows += [(stage.name, uid, miner, value) for miner, value in row.items()]
            for uid, value in (stage.vector or {}).items():
                votes = stage.of == "validators"
                rows.append((stage.name, uid if votes else None, None if votes else uid, value))
        schema = {"step": pl.String, "validator": pl.Int64, "miner": pl.Int64, "value": pl.Float64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def __str__(self) -> str:
        lines = [f"Yuma on {self.where}"]
        for number, stage in enumerate(self.stages, 1):
            lines += ["", f"{number}. {stage.name}: {stage.sentence}"]
            lines += ["   " + "  ".join(cell.rjust(8) for cell in row) for row in self.cells(stage)]
        return plain_lines("\n".join(lines))

    __repr__ = __str__

    def cells(self, stage: Stage) -> list[list[str]]:
        """A step as the cells of a table, its header first; of very many uids those that weigh most."""
        miners = sorted(sorted(self.miners, key=lambda uid: -self.epoch.incentive[uid])[:_MOST_SHOWN])
        voters = self.validators[:_MOST_SHOWN]
        if stage.matrix is not None:
            rows = [[f"by {v}", *(percent(stage.matrix[v].get(m, 0.0)) for m in miners)] for v in voters]
            return [["", *map(str, miners)], *rows]
        vector = stage.vector or {}
        shown = miners if stage.of == "miners" else list(vector)[: 2 * _MOST_SHOWN]
        show = amount_alpha if stage.unit == "alpha-rao" else percent
        return [["uid", *map(str, shown)], ["", *(show(vector.get(uid, 0.0)) for uid in shown)]]

    def page(self) -> str:
        """Every step as HTML without script."""
        parts = [html.paragraph(f"Yuma on {self.where}", bold=True)]
        for number, stage in enumerate(self.stages, 1):
            header, *rows = self.cells(stage)
            parts += [html.paragraph(f"{number}. {stage.name}. {stage.sentence}"), html.table(header, rows)]
        return html.block(*parts)

    _repr_html_ = page

    def _rows(self, matrix: Matrix) -> Rows:
        found: Rows = {}
        for uid in self.validators:
            row = dict(matrix[uid])
            found[uid] = {miner: _share(row.get(miner, 0)) for miner in self.miners}
        return found

    def _by_miner(self, vector: Vector) -> dict[int, float]:
        return {uid: _share(vector[uid]) for uid in self.miners}


# -- the sentences ---------------------------------------------------------------------------------

_WEIGHTS = "Each validator says which share of the miners' pay it would give to whom. A row sums to 100 %."
_CONSENSUS = "For each miner: the largest weight that validators with at least half of the stake support."
_RANKS = "Each miner's clipped weights, each counted by its validator's stake, added up."
_INCENTIVE = "The ranks divided by their sum, so that all shares add up to 100 %: the miners' shares of pay."
_DIVIDENDS = (
    "Each validator earns by its bonds: its stake, times its bonds to miners, times what those miners earned."
)


def _stake_said(found: Evaluation) -> str:
    if not found.validators:
        return "No validator with a permit has given weights, so stake alone decides who is paid."
    first, stake = found.validators[0], found.stake
    decides = stake[first] >= found.given.rules.kappa / U16_MAX
    alone = "and decides alone" if decides else "so none decides alone"
    silent = [uid for uid in stake if uid not in found.validators]
    said = f"How much each opinion counts. Validator {first} holds {percent(stake[first])}, {alone}."
    if not silent:
        return said
    names = f"Uid {silent[0]}" if len(silent) == 1 else f"Uids {_uids(tuple(silent))}"
    gave, part = "gives" if len(silent) == 1 else "give", percent(sum(stake[uid] for uid in silent))
    return f"{said} {names} {gave} no weights: {part} of the stake supports nothing."


def _cut_said(found: Evaluation) -> str:
    before, after = found.weights, found.clipped
    cuts = [
        (before[v][m] - after[v][m], v, m)
        for v in found.validators
        for m in found.miners
        if before[v][m] - after[v][m] > _CUT
    ]
    if not cuts:
        return "What is above consensus is cut off: nothing is."
    _, v, m = max(cuts)
    said = f"validator {v}'s weight for uid {m} falls from {percent(before[v][m])} to {percent(after[v][m])}"
    more = f", and {counted(len(cuts) - 1, 'other')} with it" if len(cuts) > 1 else ""
    return f"What is above consensus is cut off: {said}{more}."


def _bonds_said(found: Evaluation) -> str:
    rules = found.given.rules.bonds
    toward = "its clipped weights" if rules.penalty == U16_MAX else "its weights"
    if rules.liquid_alpha:
        return f"Each validator's bond with a miner moves towards {toward}, faster the earlier it was right."
    step = percent(_share(rules.alpha))
    return f"Each validator's bond with a miner moves {step} of the way towards {toward} in each epoch."


def _emission_said(found: Evaluation) -> str:
    total = sum(found.emission.values())
    if not total:
        return "Nothing waits to be shared out yet."
    miners = sum(found.epoch.server_emission) / total
    return (
        f"{amount_alpha(total)} are shared out: {percent(miners)} of it to miners by incentive,"
        f" {percent(1 - miners)} to validators by dividends."
    )


def _moved(row: Mapping[int, float], miner: int, weight: float) -> tuple[tuple[int, int], ...]:
    """A row in u16 with one share set, its largest at 65535 as the chain keeps rows."""
    rest = sum(share for uid, share in row.items() if uid != miner)
    others = len(row) - 1
    shares = {
        uid: weight if uid == miner else (1 - weight) * (share / rest if rest else 1 / others)
        for uid, share in row.items()
    }
    most = max(shares.values()) or 1.0
    return tuple((uid, round(share / most * U16_MAX)) for uid, share in sorted(shares.items()) if share)


def _share(bits: int) -> float:
    return bits / I32F32.one


def _uids(uids: tuple[int, ...]) -> str:
    return listed([str(uid) for uid in uids]) or "none"
