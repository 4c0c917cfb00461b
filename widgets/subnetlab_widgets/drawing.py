"""The SDK's objects as plain HTML: what a cell shows and what a saved notebook keeps.

Text is escaped, drawings come from `subnetlab.lab.plot`; this file only arranges them and opens no widget.
"""

from statistics import fmean
from typing import TYPE_CHECKING

from subnetlab_widgets import html

if TYPE_CHECKING:
    from subnetlab.commands.doctor import Checkup
    from subnetlab.lab.explain import Explanation
    from subnetlab.lab.holdings import Holdings
    from subnetlab.lab.run import Run, Runs
    from subnetlab.lab.session import Net
    from subnetlab.lab.subnet import Subnet
    from subnetlab.lab.tally import Tally
    from subnetlab.lab.verdict import Verdict


def run_html(run: "Run") -> str:
    """The headline, where the run stands, both curves with everybody's pay, and the miners' table."""
    from subnetlab.lab import plot  # noqa: PLC0415  (loaded with the object it draws)

    tally = run.tally
    on = f" on {tally.started.network}" if tally.started else ""
    where = (
        f"Run {run.id}: {run.status}, round {run.round} of {tally.rounds or '–'}, block {tally.block}{on}."
    )
    words = f"Both loss curves and every miner's pay. {run.headline}"
    header = ["uid", "verdict", "loss removed", "rating", "weight", "incentive", "paid", "sent"]
    rows = [_miner_row(tally, uid) for uid in sorted(tally.uids("miner", "free_rider"), key=tally.paid)[::-1]]
    return html.block(
        html.paragraph(run.headline, bold=True),
        html.paragraph(f"{where} {run.verdict().saving}".rstrip(), faint=True),
        html.drawing(run.picture(), words, width=plot.WIDTH),
        html.table(header, rows, words=2) if rows else "",
    )


def _miner_row(tally: "Tally", uid: int) -> list[str]:
    from subnetlab.lab import plot  # noqa: PLC0415
    from subnetlab.lab.words import amount_alpha, bytes_text, percent  # noqa: PLC0415

    miner, state = tally.miners.get(uid), plot.standing(tally, uid)
    mark = "◆ " if state == plot.CAUGHT else ""
    last = miner.scores[max(miner.scores)] if miner and miner.scores else []
    return [
        str(uid),
        mark + state + (", gone" if uid in tally.gone else ""),
        percent(miner.mean_score) if miner and last else "–",
        f"{fmean(verdict.rating for verdict in last):.2f}" if last else "–",
        percent(fmean(verdict.weight for verdict in last)) if last else "–",
        percent(tally.incentive(uid)) if tally.epochs else "–",
        amount_alpha(tally.paid(uid)) if tally.epochs else "–",
        bytes_text(sum(miner.wire_bytes.values())) if miner else "–",
    ]


def runs_html(found: "Runs") -> str | None:
    """One row per run."""
    if not found:
        return None
    rows = [[run.id, run.status, str(run.round), str(run.tally.block), run.headline] for run in found]
    return html.table(["run", "status", "rounds", "block", ""], rows, words=2)


def verdict_html(verdict: "Verdict") -> str:
    """The table and what it means."""
    header, *rows = verdict.rows()
    said = [html.paragraph(sentence, bold=i == 0) for i, sentence in enumerate(verdict.sentences())]
    return html.block(html.table(header, rows), *said)


def explanation_html(explanation: "Explanation") -> str:
    """The flow from work to pay as a strip of numbers, then each step in words."""
    names = [step.name for step in explanation.steps]
    values = [step.value for step in explanation.steps]
    words = [
        html.paragraph(f"{number}. {step.name} ({step.who}). {step.sentence}")
        for number, step in enumerate(explanation.steps, 1)
    ]
    return html.block(
        html.paragraph(f"Why uid {explanation.uid} earned what it earned", bold=True),
        html.table(names, [values], words=0),
        *words,
        html.paragraph(explanation.answer, bold=True),
    )


def net_html(net: "Net") -> str:
    """Which chain, at which block, and whether the money is real."""
    money = "play money" if net.play_money else "REAL TAO"
    line = html.paragraph(repr(net))
    return html.block(html.badge(money, real=not net.play_money), line)


def holdings_html(held: "Holdings") -> str:
    """Whose money, where it stands, and what may still be spent."""
    header, *rows = held.rows()
    money = f"{'play money' if held.play_money else 'REAL TAO'}, {held.network}"
    return html.block(
        html.paragraph(held.name, bold=True),
        html.paragraph(f"{held.address}, at block {held.block}", faint=True),
        html.table(header, rows, words=3),
        html.paragraph(f"Budget: {held.budget}"),
        html.badge(money, real=not held.play_money),
    )


MOST_SEATS = 64
"""Rows of a plain table; a saved notebook stays small, and `subnet.metagraph()` has them all."""


def subnet_html(subnet: "Subnet") -> str:
    """The seats of a subnet as the chain knows them; of very many the first."""
    header, *rows = subnet.rows()
    more = f"and {len(rows) - MOST_SEATS} more: subnet.metagraph() has them all"
    return html.block(
        html.paragraph(repr(subnet), bold=True),
        html.table(header, rows[:MOST_SEATS], words=3),
        html.paragraph(more, faint=True) if len(rows) > MOST_SEATS else "",
    )


def checkup_html(checkup: "Checkup") -> str:
    """One row per check, with what to do where something is not good enough."""
    rows = [[check.name, check.state, check.found, check.advice] for check in checkup.checks]
    return html.table(["", "", "found", "what to do"], rows, words=4)
