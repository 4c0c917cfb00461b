"""Several strategies beside each other: one row for each and seed, and one picture of all their curves.

Losses in the runs' unit, bytes as one miner uploads them in the whole run, seconds of the wall clock from the
first round's first block. A share of the gap is measured between the same two baselines for every strategy
with the same optimizer; what was not measured is null.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite, log10
from typing import TYPE_CHECKING, Any, Final

from subnetlab.record.view import RunView
from subnetlab.report import html, svg
from subnetlab.report.costs import costs
from subnetlab.report.format import bytes_text, loss_text, percent
from subnetlab.report.gap import Gap

if TYPE_CHECKING:
    import polars as pl

_HUES: Final = ("#2f7fd0", "#d1691a", "#1f9d74", "#c0599a", "#a88a00", "#7a6fd0")
"""Apart for most eyes, on light paper and on dark; later strategies differ by their dashes too."""
_DASHES: Final = ("", "7 4", "2 3")
_NO_SHARE: Final = "not measurable"
WIDTH, _HEIGHT, _TOP, _BOTTOM, _PANEL, _GAP, _LEFT = 900, 300, 46, 244, 192, 30, 52
_LEGEND: Final = _LEFT + 3 * _PANEL + 2 * _GAP + 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One run of a comparison."""

    name: str
    """What the comparison calls its strategy."""
    seed: int
    run: str
    """The run's name, for `sl.attach`."""
    view: RunView
    seconds: dict[int, float]
    """When each round closed."""
    gap: Gap = field(default_factory=lambda: Gap(None, None))
    """Between the baselines with this strategy's optimizer and this seed."""

    @property
    def rounds(self) -> list[int]:
        """The rounds that closed."""
        return sorted(self.view.val_loss)

    @property
    def loss(self) -> float | None:
        """After the last round of a run that came to its end; None else."""
        ended, rounds = self.view.ended, self.rounds
        finished = ended is not None and ended.status == "finished"
        return self.view.val_loss[rounds[-1]] if rounds and finished else None

    @property
    def gap_closed(self) -> float | None:
        """Share of the way from one alone to DDP; None where either is missing or they are too close."""
        return self.gap.closed(self.loss)

    def steps(self, round_: int) -> int:
        """Optimizer steps of a miner up to the end of a round."""
        return (round_ + 1) * self.view.inner_steps

    def sent(self, round_: int) -> float:
        """Bytes that one miner uploaded up to the end of a round."""
        return (round_ + 1) * self.view.wire_bytes_per_round

    def first_at(self, loss: float | None) -> int | None:
        """The first round after which the model was as good as this."""
        if loss is None:
            return None
        return next((number for number in self.rounds if self.view.val_loss[number] <= loss), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What several strategies came to; `outcomes` in the order in which they ran."""

    outcomes: tuple[Outcome, ...]
    unit: str

    @property
    def target(self) -> float | None:
        """The loss to which all are timed: the best that every finished run reached."""
        losses = [one.loss for one in self.outcomes if one.loss is not None and isfinite(one.loss)]
        return max(losses, default=None)

    @property
    def frame(self) -> "pl.DataFrame":
        """A row for each strategy and seed; null where not measured."""
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        schema = {
            "strategy": pl.String, "seed": pl.Int64, "status": pl.String, "loss": pl.Float64,
            "alone": pl.Float64, "ddp": pl.Float64, "gap_closed": pl.Float64, "steps": pl.Int64,
            "bytes": pl.Float64, "wall_s": pl.Float64, "cpu_s": pl.Float64, "target": pl.Float64,
            "steps_to_target": pl.Int64, "bytes_to_target": pl.Float64, "wall_s_to_target": pl.Float64,
            "run": pl.String,
        }  # fmt: skip
        return pl.DataFrame([self._row(one) for one in self.outcomes], schema=schema, orient="row")

    def _row(self, one: Outcome) -> dict[str, Any]:
        last, found = one.rounds[-1] if one.rounds else None, one.first_at(self.target)
        return {
            "strategy": one.name,
            "seed": one.seed,
            "status": str(one.view.status()),
            "loss": one.loss,
            "alone": one.gap.baseline,
            "ddp": one.gap.ddp,
            "gap_closed": one.gap_closed,
            **_spent(one, last, ("steps", "bytes", "wall_s")),
            "cpu_s": costs(one.view).peers or None,
            "target": self.target,
            **_spent(one, found, ("steps_to_target", "bytes_to_target", "wall_s_to_target")),
            "run": one.run,
        }

    @property
    def curves(self) -> "pl.DataFrame":
        """A row for each strategy, seed and closed round."""
        import polars as pl  # noqa: PLC0415

        rows = [
            {"strategy": one.name, "seed": one.seed, "round": number + 1, "loss": one.view.val_loss[number],
             **_spent(one, number, ("step", "bytes", "wall_s"))}
            for one in self.outcomes
            for number in one.rounds
        ]  # fmt: skip
        schema = {
            "strategy": pl.String, "seed": pl.Int64, "round": pl.Int64, "loss": pl.Float64, "step": pl.Int64,
            "bytes": pl.Float64, "wall_s": pl.Float64,
        }  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")

    def picture(self) -> str:
        """Loss over steps, over bytes and over time as one SVG, every seed a line."""
        low, high = _range(self.outcomes)
        marks = [svg.text(_LEFT, 18, f"Loss in {self.unit}, lower is better", size=13, bold=True)]
        for i, (title, at, logarithmic) in enumerate(_PANELS):
            left = _LEFT + i * (_PANEL + _GAP)
            marks += _panel(
                self.outcomes, left, title, at, (low, high), logarithmic=logarithmic, first=i == 0
            )
        marks += _legend(self.outcomes)
        said = "; ".join(f"{name} {_loss(loss)}" for name, loss in _by_loss(self.outcomes))
        return svg.document(WIDTH, _HEIGHT, f"Strategies by their last loss: {said}", marks)

    def _table(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [
            ("strategy", "seed", "loss", "gap closed", "steps", "bytes", "seconds", "processor s")
        ]
        for one in self.outcomes:
            row = self._row(one)
            rows.append(
                (
                    one.name,
                    str(one.seed),
                    _loss(one.loss) if one.loss is not None else str(row["status"]),
                    _gap_closed(one),
                    "–" if row["steps"] is None else f"{row['steps']:,}",
                    "–" if row["bytes"] is None else bytes_text(row["bytes"]),
                    _number(row["wall_s"], 1),
                    _number(row["cpu_s"], 1),
                )
            )
        return rows

    def _notes(self) -> list[str]:
        """Why rows have no share of the gap, where both of its ends were measured."""
        why = {one.gap.why_not for one in self.outcomes if _gap_closed(one) == _NO_SHARE}
        return [f"Gap closed, {said}." for said in sorted(why)]

    def __repr__(self) -> str:
        rows = self._table()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join([name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])])
            for name, *numbers in rows
        ]
        return "\n".join([*lines, *self._notes()])

    def _repr_html_(self) -> str:
        header, *rows = self._table()
        drawn = html.drawing(self.picture(), repr(self), width=WIDTH)
        return html.block(drawn, html.table(header, rows), *map(html.paragraph, self._notes()))


def _gap_closed(one: Outcome) -> str:
    if one.gap_closed is not None:
        return percent(one.gap_closed)
    return "–" if one.loss is None or one.gap.baseline is None or one.gap.ddp is None else _NO_SHARE


def _spent(one: Outcome, round_: int | None, names: tuple[str, str, str]) -> dict[str, Any]:
    """Steps, bytes and seconds up to the end of a round under these names."""
    if round_ is None:
        return dict.fromkeys(names)
    return dict(zip(names, (one.steps(round_), one.sent(round_), one.seconds.get(round_)), strict=True))


# -- the picture -----------------------------------------------------------------------------------

_At = Callable[[Outcome, int], float]
_PANELS: Final[tuple[tuple[str, _At, bool], ...]] = (
    ("steps of a miner", lambda one, number: float(one.steps(number)), False),
    ("bytes a miner sent, logarithmic", lambda one, number: one.sent(number), True),
    ("seconds", lambda one, number: one.seconds.get(number, 0.0), False),
)


def _range(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """The losses that are drawn: of every run the later four fifths of its rounds."""
    drawn = [one.view.val_loss[number] for one in outcomes for number in one.rounds[len(one.rounds) // 5 :]]
    finite = [loss for loss in drawn if isfinite(loss)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    room = (high - low if high > low else abs(high) or 1.0) * 0.05
    return low - room, high + room


def _panel(
    outcomes: Sequence[Outcome], left: int, title: str, at: _At, losses: tuple[float, float], *,
    logarithmic: bool, first: bool,
) -> list[str]:  # fmt: skip
    """One plot: every run's loss over what it took."""
    spent = [at(one, number) for one in outcomes for number in one.rounds]
    ends = [value for value in spent if value > 0]
    least, most = min(ends, default=1.0), max(ends, default=1.0)
    low, high = losses

    def x(value: float) -> float:
        if logarithmic:
            share = (log10(max(value, least)) - log10(least)) / ((log10(most) - log10(least)) or 1.0)
        else:
            share = value / most
        return left + _PANEL * share

    def y(loss: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * (loss - low) / (high - low)

    marks = [svg.polyline([(left, _BOTTOM), (left + _PANEL, _BOTTOM)], width=0.8, opacity=0.4)]
    if first:
        marks += [
            svg.text(left - 6, y(loss) + 4, loss_text(loss), size=11, opacity=0.65, anchor="end")
            for loss in (low, (low + high) / 2, high)
        ]
    start, end = (bytes_text(least), bytes_text(most)) if logarithmic else ("0", f"{most:,.0f}")
    marks.append(svg.text(left, _BOTTOM + 18, start, size=11, opacity=0.65))
    marks.append(svg.text(left + _PANEL, _BOTTOM + 18, end, size=11, opacity=0.65, anchor="end"))
    marks.append(svg.text(left + _PANEL / 2, _BOTTOM + 36, title, size=12, anchor="middle"))
    looks = _looks(outcomes)
    drawn: list[str] = []
    for one in outcomes:
        hue, dash = looks[one.name]
        known = [(x(at(one, number)), one.view.val_loss[number]) for number in one.rounds]
        points = [(place, y(loss)) for place, loss in known if isfinite(loss)]
        drawn.append(svg.polyline(points, stroke=hue, width=1.8, dash=dash))
    return [*marks, svg.window(left, _TOP - 4, _PANEL + 2, _BOTTOM - _TOP + 6, drawn)]


def _looks(outcomes: Sequence[Outcome]) -> dict[str, tuple[str, str]]:
    names = dict.fromkeys(one.name for one in outcomes)
    return {
        name: (_HUES[i % len(_HUES)], _DASHES[i // len(_HUES) % len(_DASHES)]) for i, name in enumerate(names)
    }


def _by_loss(outcomes: Sequence[Outcome]) -> list[tuple[str, float | None]]:
    """Names with the mean of their last losses, best first; those without one last."""
    losses: dict[str, list[float]] = {one.name: [] for one in outcomes}
    for one in outcomes:
        if one.loss is not None and isfinite(one.loss):
            losses[one.name].append(one.loss)
    means = [(name, sum(found) / len(found) if found else None) for name, found in losses.items()]
    return sorted(means, key=lambda pair: (pair[1] is None, pair[1] or 0.0))


def _legend(outcomes: Sequence[Outcome]) -> list[str]:
    looks, marks = _looks(outcomes), list[str]()
    for i, (name, loss) in enumerate(_by_loss(outcomes)):
        y = _TOP + 8 + 22 * i
        hue, dash = looks[name]
        short = name if len(name) <= 18 else f"{name[:17]}…"
        marks.append(svg.polyline([(_LEGEND, y), (_LEGEND + 22, y)], stroke=hue, width=2.4, dash=dash))
        marks.append(svg.text(_LEGEND + 28, y + 4, f"{_loss(loss, 2)} {short}", size=12))
    return marks


def _loss(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else loss_text(value, digits)


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"
