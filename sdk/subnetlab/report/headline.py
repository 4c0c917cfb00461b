"""The state of a run as one sentence: the same on every page, in a terminal and beside a live picture.

Miners whose work the validators did not take are counted apart, by verdicts and not by roles, so that the
sentence may appear where roles are hidden.
"""

from dataclasses import dataclass
from math import isfinite

from subnetlab.record.verdicts import Standing, last_missed
from subnetlab.record.view import RunView
from subnetlab.report.format import count_word, counted, loss_text
from subnetlab.report.speed_up import SpeedUp, speed_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What the sentence is made of; losses None where not measured."""

    miners: int
    taking_part: int
    """Miners whose rounds were mostly accepted, or not judged yet."""
    finished: bool
    rounds: int
    """Rounds that are over, closed or lost."""
    lost: int
    loss: float | None
    baseline: float | None
    """Of one miner alone, after the same round."""
    first: float | None = None
    """Of an ended run: after the first round that closed, where no later one was below it; None else."""
    measuring: bool = False
    """Whether the rounds are over and only baselines still train."""
    sooner: SpeedUp | None = None
    """Of a finished run, where one miner alone was measured to its end."""
    ended: str = ""
    """Why a run ended in which no round closed; empty while it goes on."""
    undelivered: bool = False
    """Whether no miner's update was there in time in any round that closed."""

    def __str__(self) -> str:
        if self.loss is None or (self.undelivered and self.ended):
            return self._nothing()
        if not isfinite(self.loss):
            return f"The model diverged: its loss is no number after {counted(self.rounds, 'round')}."
        if self.finished and self.first is not None and self.loss >= self.first:
            after = f"{loss_text(self.loss)} after {counted(self.rounds, 'round')}"
            who = self._who() if self.taking_part else self._without_them()
            return f"{who} learned nothing: {after}, {loss_text(self.first)} after the first."
        if self.finished:
            how = f"reached {loss_text(self.loss)}{self._beside()}."
            return f"{self._who()} {how}" if self.taking_part else f"{self._without_them()} {how}"
        rest = "" if self.baseline is None else f"; one alone is at {loss_text(self.baseline)}"
        last = " Baselines still train." if self.measuring else ""
        where = f"at {loss_text(self.loss)} after {counted(self.rounds, 'round')}{rest}.{last}"
        if not self.taking_part:
            return f"{self._without_them()} is {where}"
        return f"{self._who()} {'is' if self.taking_part == 1 else 'are'} {where}"

    def _beside(self) -> str:
        """The end of a finished run beside one miner alone."""
        if self.sooner is not None and self.sooner.is_sooner:
            return f" in {self.sooner.steps:,} steps; {self.sooner}"
        return "" if self.baseline is None else f"; one alone would be at {loss_text(self.baseline)}"

    def _without_them(self) -> str:
        """Whose model it is where no miner's work counts any more."""
        if self.miners == 1:
            return "The only stranger takes no part; the model"
        return f"None of {count_word(self.miners)} strangers takes part; the model"

    def _who(self) -> str:
        all_of_them = f"{count_word(self.miners)} stranger{'' if self.miners == 1 else 's'}"
        if self.taking_part == self.miners:
            return all_of_them.capitalize()
        return f"{count_word(self.taking_part).capitalize()} of {all_of_them}"

    def _nothing(self) -> str:
        if not self.ended:
            return "No round has closed yet."
        lost = f"{counted(self.lost, 'round')} lost" if self.lost else "no round closed"
        if self.undelivered:
            lost = f"{counted(self.rounds, 'round')} without an update"
        return f"Nothing was learned, {lost}: {self.ended}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersHeadline:
    """What the sentence of a run of answers is made of."""

    miners: int
    taking_part: int
    """Miners most of whose rounds had a score, or were not judged yet."""
    finished: bool
    rounds: int
    """Rounds that are over, closed or lost."""
    lost: int
    score: float | None
    """Mean over all miners in the newest closed round; None before the first."""
    ended: str = ""
    """Why a run ended in which no round closed; empty while it goes on."""

    def __str__(self) -> str:
        if self.score is None:
            return f"Nothing was scored: {self.ended}" if self.ended else "No round has closed yet."
        strangers = f"{count_word(self.miners)} stranger{'' if self.miners == 1 else 's'}"
        who = "None" if not self.taking_part else count_word(self.taking_part).capitalize()
        if 0 < self.taking_part == self.miners:
            who, strangers = strangers.capitalize(), ""
        answers = " of ".join(filter(None, (who, strangers)))
        if self.taking_part:
            verb = "earned scores" if self.finished else "earn scores" if self.miners > 1 else "earns scores"
        else:
            verb = "earned a score" if self.finished else "earns a score"
        over = counted(self.rounds, "round")
        when = f"after {over} their mean" if self.miners > 1 else f"after {over} it"
        return f"{answers} {verb}; {when} is {score_text(self.score)}."


def score_text(score: float) -> str:
    """A score: two decimals, or as many figures where it is small or large."""
    return loss_text(score)


def answers_headline(view: RunView) -> AnswersHeadline:
    """The sentence for a run of answers as it is now."""
    return AnswersHeadline(
        miners=len(view.mining),
        taking_part=taking_part(view),
        finished=view.ended is not None and view.ended.status == "finished",
        rounds=len(view.over),
        lost=len(view.lost),
        score=view.mean_score[max(view.mean_score)] if view.mean_score else None,
        ended=_why(view),
    )


def said_of(view: RunView) -> str:
    """The sentence for a run of either kind."""
    return str(headline(view) if view.trains else answers_headline(view))


def headline(view: RunView) -> Headline:
    """The sentence for a training run as it is now."""
    last = view.last_closed.round if view.last_closed else -1
    return Headline(
        miners=len(view.mining),
        taking_part=taking_part(view),
        finished=view.ended is not None and view.ended.status == "finished",
        rounds=len(view.over),
        lost=len(view.lost),
        loss=view.val_loss.get(last),
        first=_never_below(view),
        # The same round of both curves: one alone that trained longer would be no comparison.
        baseline=view.baseline_loss.get(last),
        measuring=_measuring(view),
        sooner=speed_up(view),
        ended=_why(view),
        undelivered=view.undelivered,
    )


def _never_below(view: RunView) -> float | None:
    if view.ended is None:
        return None
    losses = [loss for _, loss in sorted(view.val_loss.items())]
    # One later round may be worse by chance, the more so where a run went on from trained weights.
    return losses[0] if len(losses) > 2 and min(losses[1:]) >= losses[0] else None


def taking_part(view: RunView, *, upto: int | None = None) -> int:
    """How many miners' rounds were mostly accepted or not judged yet, so far or up to a round."""
    return sum(
        found is None or found.standing(upto=upto) in (Standing.WORKS, Standing.NOT_JUDGED)
        for found in map(view.miners.get, view.mining)
    )


def _measuring(view: RunView) -> bool:
    waiting = any(curve.final is None for curve in view.baselines.values())
    return view.ended is None and 0 < view.rounds <= len(view.over) and waiting


def _why(view: RunView) -> str:
    if view.ended is None:
        return ""
    if view.undelivered and not view.ended.reason:
        return last_missed(view.miners)
    return view.ended.reason or (view.lost[max(view.lost)] if view.lost else "the run ended before.")
