"""The verdict on a run: the subnet beside one miner alone, as a table and as plain sentences.

Only what was measured is said: no ratio without both of its numbers, "reached" only after the last round, a
difference within the noise of its measurement is called noise, and where the subnet loses the sentence says
so in the same place.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from subnetlab.record.view import RunView
from subnetlab.report import html
from subnetlab.report.format import amount_alpha, bytes_text, count_word, percent
from subnetlab.report.headline import Headline, headline
from subnetlab.report.merit import merits
from subnetlab.train.attackers import noun

if TYPE_CHECKING:
    import polars as pl

LOSS_NOISE: Final = 0.01
"""Losses on the held-out text closer than this are the same: the text is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Losses in `unit`, bytes per miner and round, pay in alpha-rao; None where not measured."""

    said: Headline
    unit: str
    loss_first: float | None
    loss_last: float | None
    loss_baseline: float | None
    wire_bytes: float
    dense_bytes: int
    chain_wait_share: float
    honest_median_pay: float
    honest_pay: tuple[int, ...]
    free_rider_pay: tuple[int, ...]
    attackers: tuple[str, ...]
    """Which attack each miner of `free_rider_pay` played."""
    pay_is_noise: bool | None
    """Whether honest miners' merits differ by no more than their rounds leave uncertain; None: unknown."""

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
        """Rounds that left the model as it was."""
        return self.said.lost

    @property
    def miners(self) -> int:
        """How many miners the run started, honest or not."""
        return self.said.miners

    @property
    def headline(self) -> str:
        """The result as one sentence."""
        return str(self.said)

    @property
    def gain(self) -> float | None:
        """How much lower the subnet's loss is than that of one miner alone."""
        if self.loss_last is None or self.loss_baseline is None:
            return None
        return self.loss_baseline - self.loss_last

    @property
    def byte_ratio(self) -> float | None:
        """How many times smaller than the plain fp32 update one upload is."""
        return self.dense_bytes / self.wire_bytes if self.wire_bytes and self.dense_bytes else None

    @property
    def saving(self) -> str:
        """What a miner sent beside the plain update, as a sentence; empty where it was not measured."""
        ratio = self.byte_ratio
        if ratio is None:
            return ""
        plain = f"the plain update of {bytes_text(self.dense_bytes)}"
        if ratio < 0.95:
            beside = f"more than {plain}"
        elif ratio < 1.05:
            beside = f"as much as {plain}"
        else:
            beside = (
                f"{ratio:.0f} times less than {plain}"
                if ratio >= 10
                else f"{ratio:.1f} times less than {plain}"
            )
        return f"Each miner sent {bytes_text(self.wire_bytes)} a round, {beside}."

    def sentences(self) -> list[str]:
        """What the table means, in words."""
        return [self.headline, *filter(None, (self._worth(), self.saving, self._cut_off(), *self._pay()))]

    def _worth(self) -> str:
        gain = self.gain
        if gain is None:
            return ""
        when = "In the end" if self.finished else "So far"
        if abs(gain) < LOSS_NOISE:
            apart = f"{abs(gain):.3f} {self.unit}"
            return f"{when} both are equal: {apart} apart is less than the measurement can tell."
        if gain > 0:
            return f"{when} training together was worth {gain:.2f} {self.unit}."
        return f"{when} training together did not pay off here: it was {-gain:.2f} {self.unit} worse."

    def _cut_off(self) -> str:
        if not self.lost:
            return ""
        rounds = "round was" if self.lost == 1 else "rounds were"
        return f"{count_word(self.lost).capitalize()} {rounds} cut off and left the model as it was."

    def _pay(self) -> list[str]:
        said: list[str] = []
        if self.free_rider_pay and self.honest_median_pay:
            share = percent(max(self.free_rider_pay) / self.honest_median_pay)
            many, kind = len(self.free_rider_pay), self._attacker
            who = f"The {kind}" if many == 1 else f"The best paid of {count_word(many)} {kind}s"
            said.append(f"{who} earned {share} of what the median honest miner earned.")
        if self.pay_is_noise and len(set(self.honest_pay)) > 1:
            low, high = amount_alpha(min(self.honest_pay)), amount_alpha(max(self.honest_pay))
            said.append(
                f"Honest miners earned {low} to {high} each, while their updates helped alike within the"
                " noise of the rounds: do not read merit into these differences."
            )
        return said

    @property
    def _attacker(self) -> str:
        """What to call every miner that attacked: by its kind where there is one kind alone."""
        kinds = set(self.attackers)
        return noun(kinds.pop()) if len(kinds) == 1 else "attacker"

    def _rows(self) -> list[tuple[str, str, str]]:
        loss = (f"validation loss, {self.unit}", _loss(self.loss_last), _loss(self.loss_baseline))
        pay = ("an honest miner's pay (median)", amount_alpha(self.honest_median_pay), "nothing")
        rows = [
            ("", "the subnet", "one miner alone"),
            loss,
            ("sent per miner and round", bytes_text(self.wire_bytes), "nothing"),
            ("the same as plain fp32", bytes_text(self.dense_bytes), "–"),
            ("waiting for the chain", percent(self.chain_wait_share), "none"),
            pay,
        ]
        if self.free_rider_pay:
            rows.append(
                (f"{_a(self._attacker)}'s pay (highest)", amount_alpha(max(self.free_rider_pay)), "–")
            )
        return rows

    def frame(self) -> "pl.DataFrame":
        """The table as numbers: one row per quantity with its unit; null where not measured."""
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        rows: list[tuple[str, str, float | None, float | None]] = [
            ("validation_loss", self.unit, self.loss_last, self.loss_baseline),
            ("sent_per_miner_and_round", "bytes", self.wire_bytes, 0.0),
            ("plain_update", "bytes", float(self.dense_bytes), None),
            ("chain_wait_share", "share", self.chain_wait_share, 0.0),
            ("honest_median_pay", "alpha-rao", self.honest_median_pay, 0.0),
            ("free_rider_pay", "alpha-rao", float(max(self.free_rider_pay, default=0)), None),
        ]
        schema = {"quantity": pl.String, "unit": pl.String, "subnet": pl.Float64, "baseline": pl.Float64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = [
            "  ".join((row[0].ljust(widths[0]), row[1].rjust(widths[1]), row[2].rjust(widths[2])))
            for row in rows
        ]
        return "\n".join([lines[0], "─" * len(lines[0]), *lines[1:], "", *self.sentences()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        header, *rows = self._rows()
        said = [html.paragraph(sentence, bold=i == 0) for i, sentence in enumerate(self.sentences())]
        return html.block(html.table(header, rows), *said)


def verdict(view: RunView) -> Verdict:
    """Read the verdict off a view; fields stay None until they were measured."""
    said = headline(view)
    curve = [view.val_loss[number] for number in sorted(view.val_loss)]
    return Verdict(
        said=said,
        unit=view.loss_unit,
        loss_first=curve[0] if curve else None,
        loss_last=said.loss,
        loss_baseline=said.baseline,
        wire_bytes=view.wire_bytes_per_round,
        dense_bytes=view.dense_bytes,
        chain_wait_share=view.chain_wait_share,
        honest_median_pay=view.honest_median_pay,
        honest_pay=tuple(view.pay.total(uid) for uid in view.honest),
        free_rider_pay=tuple(view.pay.total(uid) for uid in view.cheating),
        attackers=tuple(view.role(uid) for uid in view.cheating),
        pay_is_noise=_alike(view),
    )


def _alike(view: RunView) -> bool | None:
    found = merits(view)
    honest = [found[uid] for uid in view.honest if uid in found]
    if len(honest) < 2:
        return None
    low, high = min(honest, key=lambda one: one.mean), max(honest, key=lambda one: one.mean)
    return not high.differs_from(low)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _loss(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"
