"""What a run of answers means: its verdict, and why a miner of it earned what it earned.

Scores are what validators' judges gave; there is no model, so nothing here speaks of a loss.
"""

from collections import Counter
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

from subnetlab.record.verdicts import MinerView, Standing
from subnetlab.record.view import RunView
from subnetlab.report import html
from subnetlab.report.costs import Costs, costs
from subnetlab.report.format import amount_alpha, bytes_text, counted, percent, seconds_text
from subnetlab.report.headline import AnswersHeadline, answers_headline, score_text
from subnetlab.text import with_article
from subnetlab.train.attackers import noun

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class MinerResult:
    """What one miner came to: its mean score over all rounds, a round without one as 0, and its pay."""

    uid: int
    role: str
    score: float
    paid_alpha_rao: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersVerdict:
    """A run of answers as numbers; bytes per miner and round, pay in alpha-rao."""

    said: AnswersHeadline
    miners: tuple[MinerResult, ...]
    """Best paid first."""
    cpu_s: Costs
    """Processor seconds by role."""
    energy_j: float | None
    """What the machine's processors used meanwhile; None where it does not tell."""
    wire_bytes: float
    chain_wait_share: float

    saving = ""
    """Nothing is compressed."""

    @property
    def finished(self) -> bool:
        """Whether every planned round is over."""
        return self.said.finished

    @property
    def rounds(self) -> int:
        """Rounds that are over, closed or lost."""
        return self.said.rounds

    @property
    def lost(self) -> int:
        """Rounds without scores."""
        return self.said.lost

    @property
    def headline(self) -> str:
        """The result as one sentence."""
        return str(self.said)

    def sentences(self) -> list[str]:
        """What the table means, in words."""
        lost = f"{counted(self.lost, 'round')} ended without scores." if self.lost else ""
        return [self.headline, *filter(None, (self._pay(), *self._cheats(), lost))]

    def _pay(self) -> str:
        if not any(one.paid_alpha_rao for one in self.miners):
            return ""
        best, least = self.miners[0], self.miners[-1]
        said = f"The best paid miner, uid {best.uid}, earned {amount_alpha(best.paid_alpha_rao)}"
        said += f" with a mean score of {score_text(best.score)}"
        if best is least:
            return f"{said}."
        paid = amount_alpha(least.paid_alpha_rao) if least.paid_alpha_rao else "nothing"
        return f"{said}; the least paid, uid {least.uid}, earned {paid} with {score_text(least.score)}."

    def _cheats(self) -> list[str]:
        cheats = [one for one in self.miners if one.role != "miner"]
        return [
            f"Uid {one.uid}, {with_article(noun(one.role))}, earned "
            f"{amount_alpha(one.paid_alpha_rao) if one.paid_alpha_rao else 'nothing'}."
            for one in cheats
        ]

    def _rows(self) -> list[tuple[str, str]]:
        score = self.said.score
        pay = [one.paid_alpha_rao for one in self.miners]
        rows = [
            ("", "the subnet"),
            ("mean score, last round", "–" if score is None else score_text(score)),
            ("sent per miner and round", bytes_text(self.wire_bytes)),
            ("waiting for the chain", percent(self.chain_wait_share)),
        ]
        if self.cpu_s.peers:
            rows.append(("processor time", seconds_text(self.cpu_s.peers)))
        if pay:
            rows += [
                ("a miner's pay (highest)", amount_alpha(max(pay))),
                ("a miner's pay (median)", amount_alpha(median(pay))),
            ]
        return rows

    def frame(self) -> "pl.DataFrame":
        """One row per miner: its mean score and its pay, best paid first."""
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        rows = [(one.uid, one.role, one.score, one.paid_alpha_rao) for one in self.miners]
        schema = {"uid": pl.Int64, "role": pl.String, "score": pl.Float64, "paid_alpha_rao": pl.Int64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def __str__(self) -> str:
        rows = self._rows()
        left, right = (max(len(row[i]) for row in rows) for i in (0, 1))
        lines = [f"{name.ljust(left)}  {value.rjust(right)}" for name, value in rows]
        return "\n".join([lines[0], "─" * len(lines[0]), *lines[1:], "", *self.sentences()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        header, *rows = self._rows()
        said = [html.paragraph(sentence, bold=i == 0) for i, sentence in enumerate(self.sentences())]
        return html.block(html.table(header, rows), *said)


def answers_verdict(view: RunView) -> AnswersVerdict:
    """Read the verdict off a view."""
    ranked = sorted(view.mining, key=lambda uid: (-view.pay.total(uid), uid))
    return AnswersVerdict(
        said=answers_headline(view),
        miners=tuple(
            MinerResult(uid, view.role(uid), mean_score(view.miner(uid)), view.pay.total(uid))
            for uid in ranked
        ),
        cpu_s=costs(view),
        energy_j=view.ended.energy_j if view.ended else None,
        wire_bytes=view.wire_bytes_per_round,
        chain_wait_share=view.chain_wait_share,
    )


def mean_score(miner: MinerView) -> float:
    """A miner's mean score over the rounds in which it was judged; 0 before the first."""
    judged = miner.judgements
    return fmean(one.score for one in judged) if judged else 0.0


# -- why a miner earned what it earned --------------------------------------------------------------


def worked(miner: MinerView) -> tuple[str, str]:
    """What a miner sent, as a sentence and a number."""
    sizes = [mined.wire_bytes for mined in miner.mined.values()]
    if not sizes:
        return "The record holds no answers of it.", "nothing"
    sent = counted(len(sizes), "round")
    size = bytes_text(median(sizes))
    before = "committed them before it could see any other miner's"
    return f"It sealed answers in {sent}, about {size} each, and {before}.", sent


def scored(view: RunView, miner: MinerView) -> tuple[str, str]:
    """What validators gave for it, as a sentence and a number."""
    judged = miner.judgements
    if not judged:
        return "No validator has judged it yet.", "–"
    mine = mean_score(miner)
    others = [mean_score(other) for uid, other in view.miners.items() if uid != miner.uid and other.judged]
    beside = f" The other miners' median is {score_text(median(others))}." if others else ""
    said = f"Over {counted(len(judged), 'round')} its mean score is {score_text(mine)}.{beside}"
    refused = [one for one in judged if not one.accepted]
    if refused:
        common = Counter(one.reason for one in refused).most_common(1)[0][0]
        said += f' In {len(refused)} of them it had none: "{common}"'
    return said, score_text(mine)


def in_short(view: RunView, miner: MinerView) -> str:
    """Why it was paid what it was paid, in a sentence."""
    standing, paid = view.standing(miner.uid), view.pay.total(miner.uid)
    start, share = f"In short: uid {miner.uid}", amount_alpha(paid) if paid else "nothing"
    if standing is Standing.GONE:
        return f"{start} left the run ({view.gone[miner.uid]}), and pay follows scores: it was paid {share}."
    if standing is Standing.NOT_JUDGED:
        return f"{start} was judged by no validator, and was paid {share}."
    judged = counted(miner.judged, "round")
    if standing is Standing.WORKS:
        how = f"a mean score of {score_text(mean_score(miner))} over {judged}"
        return f"{start} earned {how}, and was paid {share}."
    why = view.reason(miner.uid).rstrip(".")
    return (
        f"{start} had no score in {miner.judged - miner.accepted} of {judged} ({why}), and was paid {share}."
    )
