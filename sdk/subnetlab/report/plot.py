"""The saved picture of a run: its loss beside the baselines' in one plot, and every miner's pay beside it.

One hand-written SVG. The round axis always spans the whole run; the loss axis is cropped to what matters and
changes scale once, after a fifth of the run. Pay shares one scale, so that a collapse looks like one. What
moves (`report/animation.py`) is drawn from the same pieces.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TypeAlias

from subnetlab.record.baselines import ALONE, DDP, budget, known_titles
from subnetlab.record.verdicts import Standing
from subnetlab.record.view import RunView
from subnetlab.report import svg
from subnetlab.report.format import amount_alpha, loss_text
from subnetlab.report.headline import said_of
from subnetlab.report.scale import level_text, levels, outlier_bound, round_range

WIDTH = 900
LEFT, CURVE_RIGHT, _TOP, _BOTTOM = 52, 424, 46, 244
PAY_LEFT, PAY_WIDTH = 678, 130
_PAY_NAMES, _PAY_ENDS, _ROW = 614, WIDTH - 16, 22
_MOST_ROWS = 10
_APART = 16.0
"""How far labels keep from one another."""
_DASHES = {budget(ALONE).title: "6 4", budget(DDP).title: "2 3"}
Beside: TypeAlias = Mapping[str, Mapping[int, float]]
"""Losses of baselines by their titles, by round."""


def picture(view: RunView) -> str:
    """The run as one SVG; axes have their final size before there is anything to draw."""
    rows = pay_rows(view)
    others = beside(view)
    marks = [*axes(view), lines(view, curve(view), others), *ends(view, curve(view), others)]
    marks += pay_axis(view, rows)
    top = pay_top(view, rows)
    for i, uid in enumerate(rows):
        state = view.standing(uid)
        marks += [pay_name(uid, i, state=state), pay_steps(view, uid, i, state=state, top=top)]
        marks.append(pay_sum(i, view.pay.total(uid)))
    return svg.document(WIDTH, height(rows), said_of(view), marks)


def height(rows: Sequence[int]) -> int:
    """How tall the drawing is with these rows of pay."""
    return max(_BOTTOM + 34, _TOP + _ROW * len(rows) + 36)


def curve(view: RunView) -> Mapping[int, float]:
    """What the left plot draws by round: the held-out loss, or the mean score where no model is trained."""
    return view.val_loss if view.trains else view.mean_score


# -- does it learn ---------------------------------------------------------------------------------


def beside(view: RunView, *, upto: int | None = None) -> Beside:
    """What is drawn beside the subnet, by title: losses by the round that closes after as many steps.

    A baseline of more steps than the subnet's is a level, drawn once it is through.
    """
    whole = view.rounds - 1
    last = whole if upto is None else upto
    found: dict[str, Mapping[int, float]] = {}
    for name, title in known_titles(sorted(view.baselines)).items():
        curve = view.baselines[name]
        if curve.steps <= view.rounds * view.inner_steps or not view.rounds:
            rounds = {step // view.inner_steps - 1: loss for step, loss in curve.losses.items()}
            found[title] = {number: loss for number, loss in rounds.items() if upto is None or number <= upto}
        elif curve.final is not None and last >= whole:
            found[title] = {0: curve.final, whole: curve.final}
    return found


def points(view: RunView, curve: Mapping[int, float]) -> list[svg.Point]:
    """Where a curve runs; rounds without a number are left out."""
    low, high, _ = _loss_range(view)
    above = high + (high - low)  # out of the plot, whose window cuts it off
    return [
        (_x(view, number), _BOTTOM - (_BOTTOM - _TOP) * (min(curve[number], above) - low) / (high - low))
        for number in sorted(curve)
        if curve[number] == curve[number]
    ]


def _x(view: RunView, number: int) -> float:
    return LEFT + (CURVE_RIGHT - LEFT) * number / (max(view.rounds, 2) - 1)


def reached(view: RunView, number: int) -> float:
    """Which share of the round axis lies left of a round, 0 to 1."""
    return (_x(view, number) - LEFT) / (CURVE_RIGHT - LEFT)


def axes(view: RunView) -> list[str]:
    """Heading, levels and rounds of the curve."""
    title = f"Loss on held-out data, {view.loss_unit}; lower is better"
    if not view.trains:
        title = "Mean score of all miners; higher is better"
    marks = [svg.text(LEFT, 26, title, size=13, bold=True)]
    marks += _loss_axis(*_loss_range(view))
    marks.append(svg.text(LEFT, _BOTTOM + 20, "round 1", size=11, opacity=0.65))
    end = str(max(view.rounds, 2))
    return [*marks, svg.text(CURVE_RIGHT, _BOTTOM + 20, end, size=11, opacity=0.65, anchor="end")]


def lines(view: RunView, subnet: Mapping[int, float], others: Beside) -> str:
    """All curves, cut off at the edges of the plot."""
    frame = (LEFT, _TOP - 2, CURVE_RIGHT - LEFT + 2, _BOTTOM - _TOP + 4)
    drawn = [
        svg.polyline(points(view, curve), dash=_DASHES.get(title, "1 5")) for title, curve in others.items()
    ]
    drawn.append(svg.polyline(points(view, subnet), stroke=svg.WORK, width=2.6))
    return svg.window(*frame, drawn)


def ends(view: RunView, subnet: Mapping[int, float], others: Beside) -> list[str]:
    """The last value of each curve where the curve ends, kept apart and inside the plot."""
    mine = [(x, max(y, _TOP)) for x, y in points(view, subnet)[-1:]]
    labels = [
        (y, x, f"{loss_text(curve[max(curve)])} {title}", False)
        for title, curve in others.items()
        for x, y in points(view, curve)[-1:]
    ]
    labels += [(y, x, f"{loss_text(subnet[max(subnet)])} the subnet", True) for x, y in mine]
    marks = [svg.disc(x, level, svg.WORK, radius=3.2) for x, level in mine]
    edge = _TOP - _APART
    for y, x, said, ours in sorted(labels, key=lambda label: (max(label[0], _TOP), label[3])):
        edge = max(y, edge + _APART)
        marks.append(svg.text(x + 10, edge + 4, said, size=13, bold=ours, fill=svg.WORK if ours else svg.INK))
    return marks


def _loss_range(view: RunView) -> tuple[float, float, float]:
    """What the loss axis shows and its step, cropped to what matters once a fifth of the run is there."""
    curves = [curve(view), *beside(view).values()]
    drawn = [value for curve in curves for value in curve.values() if isfinite(value)]
    bound = outlier_bound(drawn)
    finite = [value for value in drawn if abs(value) <= bound]
    if not finite:
        return 2.0, 6.0, 1.0
    since = max(view.rounds // 5, 1)
    late = [
        value
        for curve in curves
        for number, value in curve.items()
        if number >= since and isfinite(value) and abs(value) <= bound
    ]
    enough = len(curve(view)) > since and late
    return round_range(min(finite), max(late if enough else finite))


def _loss_axis(low: float, high: float, step: float) -> list[str]:
    marks: list[str] = []
    for level in levels(low, high, step):
        y = _BOTTOM - (_BOTTOM - _TOP) * (level - low) / (high - low)
        said = level_text(level, step)
        marks.append(svg.text(LEFT - 8, y + 4, said, size=11, opacity=0.65, anchor="end"))
        marks.append(svg.polyline([(LEFT, y), (CURVE_RIGHT, y)], width=0.6, opacity=0.18))
    return marks


# -- who gets paid ---------------------------------------------------------------------------------


def pay_rows(view: RunView) -> list[int]:
    """Miners by pay, best first; beyond ten, the best and those that were paid least."""
    miners = sorted(view.mining, key=view.pay.total, reverse=True)
    if len(miners) <= _MOST_ROWS:
        return miners
    return [*miners[: _MOST_ROWS // 2], *miners[-_MOST_ROWS // 2 :]]


def pay_top(view: RunView, rows: Sequence[int]) -> int:
    """The most that any of these was paid in one epoch: the height of every row."""
    return max((pay for uid in rows for pay in view.pay.by_epoch(uid)), default=0)


def pay_axis(view: RunView, rows: Sequence[int]) -> list[str]:
    """Heading and epochs of the rows of pay."""
    marks = [svg.text(_PAY_NAMES, 26, "Pay per tempo", size=13, bold=True)]
    if rows and view.pay.epochs:
        y = _row_y(len(rows)) + 2
        marks.append(svg.text(PAY_LEFT, y, "tempo 1", size=11, opacity=0.65))
        end = str(len(view.pay.epochs))
        marks.append(svg.text(PAY_LEFT + PAY_WIDTH, y, end, size=11, opacity=0.65, anchor="end"))
    return marks


def _row_y(i: int) -> int:
    return _TOP + _ROW * i + 12


def pay_name(uid: int, i: int, *, state: Standing) -> str:
    """A miner's mark and name."""
    x, y = _PAY_NAMES + 5, _row_y(i)
    if state is Standing.REFUSED:
        mark = svg.diamond(x, y - 4, svg.FLAG)
    elif state is Standing.WORKS:
        mark = svg.disc(x, y - 4, svg.WORK)
    else:
        mark = svg.cross(x, y - 4) if state is Standing.GONE else svg.ring(x, y - 4)
    return mark + svg.text(_PAY_NAMES + 16, y, f"uid {uid}")


def pay_steps(view: RunView, uid: int, i: int, *, state: Standing, top: int) -> str:
    """A miner's pay, epoch by epoch."""
    hue = svg.FLAG if state is Standing.REFUSED else svg.WORK
    place = {"x": PAY_LEFT, "y": _row_y(i) + 1, "width": PAY_WIDTH, "height": _ROW - 6}
    return svg.steps(view.pay.by_epoch(uid), **place, top=top, hue=hue)


def pay_sum(i: int, alpha_rao: int) -> str:
    """What a miner was paid in all, at the end of its row."""
    return svg.text(_PAY_ENDS, _row_y(i), amount_alpha(alpha_rao), bold=True, anchor="end")
