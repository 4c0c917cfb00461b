"""The saved picture of a run: both loss curves in one plot, and every miner's pay beside it.

One hand-written SVG. The round axis always spans the whole run; the loss axis is cropped to what matters and
changes scale once, after a fifth of the run. Pay shares one scale, so that a collapse looks like one.
"""

from collections.abc import Mapping
from math import ceil, floor

from subnetlab.lab import svg
from subnetlab.lab.tally import ACCEPTED, Tally
from subnetlab.lab.verdict import verdict
from subnetlab.lab.words import amount_alpha

_WIDTH, _CURVE_RIGHT, _TOP, _BOTTOM = 900, 430, 34, 232
_LEFT = 40
_PAY_LEFT, _PAY_WIDTH = 610, 180
_MOST_ROWS = 10
_DIVERGED = 1e3
"""A loss beyond this is drawn at the top edge, and no axis stretches for it."""


def picture(tally: Tally) -> str:
    """The run as one SVG; axes stand at their final size before there is anything to draw."""
    rows = _pay_rows(tally)
    height = max(_BOTTOM + 24, _TOP + 22 * len(rows) + 20)
    marks = [*_curves(tally), *_pay(tally, rows)]
    return svg.document(_WIDTH, height, verdict(tally).headline, marks)


# -- does it learn ---------------------------------------------------------------------------------


def _curves(tally: Tally) -> list[str]:
    rounds = max(tally.rounds, 2)
    low, high = _loss_range(tally)

    def place(curve: Mapping[int, float]) -> list[svg.Point]:
        return [
            (
                _LEFT + (_CURVE_RIGHT - _LEFT) * number / (rounds - 1),
                _BOTTOM - (_BOTTOM - _TOP) * (min(curve[number], _DIVERGED) - low) / (high - low),
            )
            for number in sorted(curve)
            if curve[number] == curve[number]
        ]

    marks = [svg.text(_LEFT, 16, "Loss on text nobody trained on, lower is better", size=13, bold=True)]
    marks += _loss_axis(low, high)
    marks.append(svg.text(_LEFT, _BOTTOM + 18, "round 1", size=11, opacity=0.65))
    marks.append(svg.text(_CURVE_RIGHT, _BOTTOM + 18, str(rounds), size=11, opacity=0.65, anchor="end"))
    subnet, alone = place(tally.val_loss), place(tally.alone_loss)
    lines = [svg.polyline(alone, dash="6 4"), svg.polyline(subnet, stroke=svg.WORK, width=2.6)]
    frame = (_LEFT, _TOP - 2, _CURVE_RIGHT - _LEFT + 2, _BOTTOM - _TOP + 4)
    marks.append(svg.window(*frame, lines))
    return marks + _labels(tally, subnet, alone)


def _labels(tally: Tally, subnet: list[svg.Point], alone: list[svg.Point]) -> list[str]:
    marks: list[str] = []
    apart = 16.0
    if subnet:
        x, y = subnet[-1][0], max(subnet[-1][1], _TOP)
        if alone and abs(y - alone[-1][1]) < apart:
            y = alone[-1][1] + apart if y >= alone[-1][1] else alone[-1][1] - apart
        value = tally.val_loss[max(tally.val_loss)]
        marks.append(svg.text(x + 10, y + 4, f"{value:.2f} the subnet", size=13, bold=True, fill=svg.WORK))
    if alone:
        x, y = alone[-1][0], max(alone[-1][1], _TOP)
        value = tally.alone_loss[max(tally.alone_loss)]
        marks.append(svg.text(x + 10, y + 4, f"{value:.2f} one alone", size=13))
    return marks


def _loss_range(tally: Tally) -> tuple[float, float]:
    """What the loss axis shows, cropped to what matters once a fifth of the run is there."""
    drawn = [*tally.val_loss.values(), *tally.alone_loss.values()]
    finite = [value for value in drawn if abs(value) < _DIVERGED]
    if not finite:
        return 2.0, 6.0
    since = max(tally.rounds // 5, 1)
    late = [
        value
        for curve in (tally.val_loss, tally.alone_loss)
        for number, value in curve.items()
        if number >= since and abs(value) < _DIVERGED
    ]
    enough = len(tally.val_loss) > since and late
    high = ceil(max(late if enough else finite) * 2) / 2
    return floor(min(finite) * 2) / 2 if min(finite) % 0.5 else min(finite) - 0.5, high


def _loss_axis(low: float, high: float) -> list[str]:
    marks: list[str] = []
    step = 0.5 if high - low <= 2.5 else 1.0
    level = low
    while level <= high + 1e-9:
        y = _BOTTOM - (_BOTTOM - _TOP) * (level - low) / (high - low)
        marks.append(svg.text(_LEFT - 8, y + 4, f"{level:.1f}", size=11, opacity=0.65, anchor="end"))
        marks.append(svg.polyline([(_LEFT, y), (_CURVE_RIGHT, y)], width=0.6, opacity=0.18))
        level += step
    return marks


# -- who gets paid ---------------------------------------------------------------------------------


def _pay_rows(tally: Tally) -> list[int]:
    """Miners by pay, best first; beyond ten, the best and those that were paid least."""
    miners = sorted(tally.uids("miner", "free_rider"), key=tally.paid, reverse=True)
    if len(miners) <= _MOST_ROWS:
        return miners
    return [*miners[: _MOST_ROWS // 2], *miners[-_MOST_ROWS // 2 :]]


def _pay(tally: Tally, rows: list[int]) -> list[str]:
    marks = [svg.text(_PAY_LEFT, 16, "Pay per tempo", size=13, bold=True)]
    top = max((pay for uid in rows for pay in tally.pay_by_epoch(uid)), default=0)
    for i, uid in enumerate(rows):
        y = _TOP + 22 * i + 16
        caught = bool(tally.epochs) and is_caught(tally, uid)
        hue = svg.FLAG if caught else svg.WORK
        marks.append(
            svg.diamond(_PAY_LEFT + 4, y - 4, hue) if caught else svg.disc(_PAY_LEFT + 4, y - 4, hue)
        )
        marks.append(svg.text(_PAY_LEFT + 16, y, f"uid {uid}"))
        marks.append(
            svg.steps(
                tally.pay_by_epoch(uid),
                x=_PAY_LEFT + 66,
                y=y + 1,
                width=_PAY_WIDTH - 30,
                height=16,
                top=top,
                hue=hue,
            )
        )
        marks.append(svg.text(_WIDTH - 4, y, amount_alpha(tally.paid(uid)), bold=True, anchor="end"))
    return marks


def is_caught(tally: Tally, uid: int) -> bool:
    """Whether most verdicts on a miner were refusals; one bad round is no offence, and roles do not count."""
    miner = tally.miners.get(uid)
    if miner is None or not miner.scores:
        return False
    verdicts = miner.verdicts
    return 2 * sum(verdict.verdict != ACCEPTED for verdict in verdicts) > len(verdicts)
