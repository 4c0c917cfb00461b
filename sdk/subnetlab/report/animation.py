"""A run that plays itself: the saved picture, growing round by round, as one SVG without script.

CSS alone moves it, so it plays inside `<img>`, on a page without scripts. It ends on the whole picture,
stays there for a while and begins again; who asked for less motion sees that last picture only. Every number
in it is on record; what a round did not have yet is not shown before that round.
"""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby

from subnetlab.record.verdicts import Standing
from subnetlab.record.view import RunView
from subnetlab.report import plot, svg
from subnetlab.report.headline import headline, taking_part

FRAME_S = 0.4
STILL_S = 5.0
"""How long the end stays before the run begins again."""
_MOST_FRAMES = 25
_HEAD, _LINE = 34, 22
"""Room above the panels for one line of the sentence, and for each further one."""
_MOST_LETTERS = 84
"""Of a line of the sentence: at 17 px in a wide font they fill the width."""


@dataclass(slots=True)
class _Film:
    """Marks that come and go: one loop of `length` frames, the last of them standing still."""

    frames: int
    _durations: set[int] = field(default_factory=set[int])
    _rules: list[str] = field(default_factory=list[str])

    @property
    def length(self) -> int:
        return self.frames + round(STILL_S / FRAME_S)

    def shown(self, marks: str, since: int, until: int | None = None) -> str:
        """Marks that are there from one frame until another; without the other, until the loop ends."""
        last = self.length if until is None else until
        if since <= 0 and until is None:
            return marks
        self._durations.add(last - since)
        # Negative, because an animation that has not begun would show its mark.
        delay = f"animation-delay:{(since - self.length) * FRAME_S:.1f}s"
        stays = " z" if until is None else ""
        return f'<g class="f d{last - since}{stays}" style="{delay}">{marks}</g>'

    def uncovered(self, name: str, box: tuple[float, float, float, float], shares: Sequence[float]) -> str:
        """A clip that lets through, frame by frame, this share of a box from its left edge."""
        x, y, width, height = box
        keys = [
            f"{100 * frame / self.length:.2f}%{{transform:scaleX({share:.4f})}}"
            for frame, share in enumerate(shares)
        ]
        self._rules.append(
            f"@keyframes {name}{{{''.join(keys)}to{{transform:scaleX(1)}}}}"
            f"#{name} rect{{transform-origin:{x:.0f}px 0;animation:{name} {self._loop} step-end infinite}}"
        )
        place = f'x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}"'
        return f'<clipPath id="{name}"><rect {place}/></clipPath>'

    @property
    def _loop(self) -> str:
        return f"{self.length * FRAME_S:.1f}s"

    def style(self) -> str:
        """The CSS of everything that was shown."""
        fades = "".join(
            f"@keyframes d{n}{{0%{{opacity:1}}{100 * n / self.length:.2f}%,to{{opacity:0}}}}"
            f".slab .d{n}{{animation-name:d{n}}}"
            for n in sorted(self._durations)
        )
        still = "@media(prefers-reduced-motion:reduce){.slab *{animation:none!important}}"
        base = f".slab .f{{opacity:0;animation:{self._loop} step-end infinite}}.slab .z{{opacity:1}}"
        return base + fades + "".join(self._rules) + still


def animation(view: RunView) -> str:
    """The run as an SVG that plays from the first round to the last, and again.

    Example:
        >>> Path("run.svg").write_text(run.animation())  # doctest: +SKIP
    """
    rounds = _frames(sorted(view.val_loss)) if view.trains else []
    if not rounds:
        return plot.picture(view)
    return _Played(view, rounds).document()


def _frames(rounds: list[int]) -> list[int]:
    """The rounds that get a frame of their own: all, or evenly spaced ones and the last."""
    if len(rounds) <= _MOST_FRAMES:
        return rounds
    step = (len(rounds) - 1) / (_MOST_FRAMES - 1)
    return [rounds[round(i * step)] for i in range(_MOST_FRAMES)]


def _in_lines(said: str) -> list[str]:
    """A sentence in lines that fit the drawing, broken after its semicolon where that is enough."""
    if len(said) <= _MOST_LETTERS:
        return [said]
    first, _, rest = said.partition("; ")
    halves = [f"{first};", rest]
    if rest and max(map(len, halves)) <= _MOST_LETTERS:
        return halves
    return textwrap.wrap(said, _MOST_LETTERS)


class _Played:
    """One run on film; `rounds` says which round each frame shows."""

    def __init__(self, view: RunView, rounds: list[int]) -> None:
        self._view, self._rounds = view, rounds
        self._film = _Film(len(rounds))
        self._rows = plot.pay_rows(view)
        self._height = plot.height(self._rows)
        days = [sum(epoch.block <= view.closed_at[number] for epoch in view.pay.epochs) for number in rounds]
        self._days = [*days[:-1], len(view.pay.epochs)]
        """How many epochs have paid at each frame; the last one may pay after the last round."""
        said = max(len(_in_lines(self._said(frame))) for frame in range(self._film.frames))
        self._head = _HEAD + _LINE * (said - 1)

    def document(self) -> str:
        said = str(headline(self._view))
        panels = "".join([*self._curves(), *self._pay()])
        marks = [self._each(self._sentence), f'<g transform="translate(0 {self._head})">{panels}</g>']
        return svg.document(plot.WIDTH, self._height + self._head, said, marks, style=self._film.style())

    def _each(self, draw: Callable[[int], str]) -> str:
        """What `draw` makes of every frame, each shown in its own; equal neighbours become one."""
        marks: list[str] = []
        since = 0
        for drawn, same in groupby(draw(frame) for frame in range(self._film.frames)):
            until = since + len(list(same))
            marks.append(self._film.shown(drawn, since, None if until == self._film.frames else until))
            since = until
        return "".join(marks)

    def _said(self, frame: int) -> str:
        whole = headline(self._view)
        if frame < self._film.frames - 1:
            here = self._rounds[frame]
            whole = replace(
                whole,
                finished=False,
                taking_part=taking_part(self._view, upto=here),
                rounds=sum(number <= here for number in self._view.over),
                loss=self._view.val_loss[here],
                baseline=self._view.baseline_loss.get(here),
            )
        return str(whole)

    def _sentence(self, frame: int) -> str:
        lines = enumerate(_in_lines(self._said(frame)))
        return "".join(svg.text(16, 30 + _LINE * i, line, size=17, bold=True) for i, line in lines)

    def _curves(self) -> list[str]:
        view = self._view
        shares = [plot.reached(view, number) for number in self._rounds]
        box = (plot.LEFT, 0, plot.CURVE_RIGHT - plot.LEFT + 2, self._height)
        others = plot.beside(view)
        moving = {title: others[title] for title in plot.beside(view, upto=0) if title in others}
        lines = plot.lines(view, view.val_loss, moving)
        # A level is known at the end only, and then at once over the whole width.
        levels = {title: curve for title, curve in others.items() if title not in moving}
        known = self._film.shown(plot.lines(view, {}, levels), self._film.frames - 1) if levels else ""

        def ends(frame: int) -> str:
            here = None if frame == self._film.frames - 1 else self._rounds[frame]
            subnet = {
                number: loss for number, loss in view.val_loss.items() if here is None or number <= here
            }
            return "".join(plot.ends(view, subnet, plot.beside(view, upto=here)))

        clip = self._film.uncovered("curves", box, shares)
        return [*plot.axes(view), clip, f'<g clip-path="url(#curves)">{lines}</g>', known, self._each(ends)]

    def _pay(self) -> list[str]:
        box = (plot.PAY_LEFT, 0, plot.PAY_WIDTH, self._height)
        # A hair less than whole epochs, or the next one's riser would show already.
        shares = [max(days / max(self._days[-1], 1) - 0.01, 0) for days in self._days]
        marks = [*plot.pay_axis(self._view, self._rows), self._film.uncovered("pay", box, shares)]
        for i, uid in enumerate(self._rows):
            marks.append(self._each(partial(self._pay_row, uid, i)))
            paid = self._view.pay.by_epoch(uid)
            sums = [plot.pay_sum(i, sum(paid[:days])) for days in self._days]
            marks.append(self._each(sums.__getitem__))
        return marks

    def _pay_row(self, uid: int, i: int, frame: int) -> str:
        state = self._standing(uid, frame)
        steps = plot.pay_steps(self._view, uid, i, state=state, top=plot.pay_top(self._view, self._rows))
        return plot.pay_name(uid, i, state=state) + f'<g clip-path="url(#pay)">{steps}</g>'

    def _standing(self, uid: int, frame: int) -> Standing:
        # The last frame is the picture itself, and a peer that is gone is so by then.
        last = frame == self._film.frames - 1
        return self._view.standing(uid, upto=None if last else self._rounds[frame])
