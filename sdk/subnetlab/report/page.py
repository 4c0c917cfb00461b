"""A run as one HTML page without script: the headline, its progress, the picture and the miners' table."""

from typing import TYPE_CHECKING, Final

from subnetlab.record.verdicts import MinerView, Standing
from subnetlab.record.view import RunView
from subnetlab.report import html, plot
from subnetlab.report.answers import mean_score
from subnetlab.report.format import amount_alpha, bytes_text, percent
from subnetlab.report.headline import score_text
from subnetlab.report.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANSWERS_COLUMNS: Final = ("uid", "verdict", "score", "rating", "weight", "incentive", "paid", "sent")
_COLUMNS: Final = ("uid", "verdict", "loss removed", "rating", "weight", "incentive", "paid", "sent")


def run_page(view: RunView, *, where: str, headline: str) -> str:
    """A run as HTML.

    Args:
        view: of the run.
        where: which run, and how far it is, as a sentence.
        headline: what came of it so far, as a sentence.
    """
    drawn = "Both loss curves" if view.trains else "The mean score"
    words = f"{drawn} and every miner's pay. {headline}"
    saving = verdict(view).saving if view.trains else ""
    columns = _COLUMNS if view.trains else _ANSWERS_COLUMNS
    rows = [_row(view, uid) for uid in sorted(view.mining, key=view.pay.total)[::-1]]
    return html.block(
        html.paragraph(headline, bold=True),
        html.paragraph(f"{where} {saving}".rstrip(), faint=True),
        html.drawing(plot.picture(view), words, width=plot.WIDTH),
        html.table(columns, rows, words=2) if rows else "",
    )


def _row(view: RunView, uid: int) -> "Sequence[str]":
    miner, standing = view.miners.get(uid), view.standing(uid)
    last = miner.last if miner else None
    return [
        str(uid),
        ("◆ " if standing is Standing.REFUSED else "") + standing,
        _score(view, miner),
        f"{last.rating:.2f}" if last else "–",
        percent(last.weight) if last else "–",
        percent(view.pay.incentive(uid)) if view.pay.last else "–",
        amount_alpha(view.pay.total(uid)) if view.pay.last else "–",
        bytes_text(sum(mined.wire_bytes for mined in miner.mined.values())) if miner else "–",
    ]


def _score(view: RunView, miner: MinerView | None) -> str:
    if miner is None or miner.score is None:
        return "–"
    return percent(miner.score) if view.trains else score_text(mean_score(miner))
