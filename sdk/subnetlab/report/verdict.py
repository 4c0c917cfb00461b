"""The verdict on a run: the subnet beside one miner alone, as a table and as plain sentences.

Only what was measured is said: no ratio without both of its numbers, "reached" only after the last round, a
difference within the noise of its measurement is called noise, and where the subnet loses the sentence says
so in the same place.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from subnetlab.record.baselines import ALONE, DDP
from subnetlab.record.view import RunView
from subnetlab.report import html
from subnetlab.report.costs import Costs, costs
from subnetlab.report.format import amount_alpha, bytes_text, count_word, loss_text, percent, seconds_text
from subnetlab.report.gap import CLOSE, Gap
from subnetlab.report.headline import Headline, headline
from subnetlab.report.merit import merits
from subnetlab.report.noise import loss_noise
from subnetlab.report.speed_up import SpeedUp
from subnetlab.text import NAME, plain, with_article
from subnetlab.train.attackers import noun

if TYPE_CHECKING:
    import polars as pl

_METRICS: Final = {"macro_f1": "macro F1", "r2": "R²", "mae": "MAE"}
"""How a sentence names metrics whose names are short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Losses in `unit`, bytes per miner and round, pay in alpha-rao; None where not measured."""

    said: Headline
    unit: str
    loss_first: float | None
    loss_last: float | None
    loss_baseline: float | None
    loss_ddp: float | None
    """Of synchronous data parallelism on the data of all honest miners, after as many steps."""
    inner_steps: int
    """Optimizer steps of a miner in one round."""
    cpu_s: Costs
    """Processor seconds by role, and of each baseline's training."""
    energy_j: float | None
    """What the machine's processors used meanwhile, other programs included; None where it does not tell."""
    wire_bytes: float
    dense_bytes: int
    chain_wait_share: float
    honest_median_pay: float
    honest_pay: tuple[int, ...]
    attacker_pay: tuple[int, ...]
    attackers: tuple[str, ...]
    """Which attack each miner of `attacker_pay` played."""
    pay_is_noise: bool | None
    """Whether honest miners' merits differ by no more than their rounds leave uncertain; None: unknown."""
    loss_noise: float = 0.0
    """Losses closer than this are the same: the measured curves do not say more."""
    gap_noise: float = 0.0
    """The same for one alone and DDP."""
    metrics: tuple[tuple[str, float], ...] = ()
    """What the task measures beside the loss, after the last round."""

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
    def speed_up(self) -> SpeedUp | None:
        """How much sooner it was than one miner alone; None before the end, or where not measured."""
        return self.said.sooner

    @property
    def processor_speed_up(self) -> float | None:
        """Processor seconds of one alone up to the subnet's loss, over those of all peers; below 1 it lost.

        A bound where the speed-up is one; None where either was not measured.
        """
        found, spent = self.speed_up, self.cpu_s.peers
        return found.alone_cpu_s / spent if found is not None and found.alone_cpu_s and spent else None

    @property
    def gap_closed(self) -> float | None:
        """Share of the way from one miner alone to DDP; None where DDP is not clearly better."""
        return self.gap.closed(self.loss_last)

    @property
    def gap(self) -> Gap:
        """From one miner alone to DDP; where it has no share it says why."""
        return Gap(self.loss_baseline, self.loss_ddp, self.gap_noise)

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
            beside = f"{_times(ratio)} less than {plain}"
        every = ratio * self.inner_steps
        if self.inner_steps > 1 and every >= 1.05:
            beside += f", and {_times(every)} less than one such update every step"
        return f"Each miner sent {bytes_text(self.wire_bytes)} a round, {beside}."

    def sentences(self) -> list[str]:
        """What the table means, in words."""
        beside = (self._worth(), self._gap(), self.saving, self._processor_time())
        return [self.headline, *filter(None, (self._metrics(), *beside, self._cut_off(), *self._pay()))]

    def _metrics(self) -> str:
        """The metrics in a line; empty for a task that measures its loss alone."""
        if not self.metrics:
            return ""
        found = [
            f"{_METRICS.get(name, plain(name, NAME))} {loss_text(value, 3)}" for name, value in self.metrics
        ]
        return f"On the held-out data: {', '.join(found)}."

    def _worth(self) -> str:
        gain = self.gain
        if gain is None or self.said.undelivered:
            return ""
        when = "In the end" if self.finished else "So far"
        if abs(gain) < self.loss_noise:
            apart = f"{loss_text(abs(gain))} {self.unit}"
            return f"{when} both are equal: {apart} apart is less than the measurement can tell."
        if gain > 0:
            return f"{when} training together was worth {loss_text(gain)} {self.unit}."
        return f"{when} training together did not pay off here: it was {loss_text(-gain)} {self.unit} worse."

    def _gap(self) -> str:
        """The subnet's place between one alone and DDP."""
        if self.loss_ddp is None or self.loss_last is None:
            return ""
        ddp = f"DDP on the same data, sending {bytes_text(self.dense_bytes)} every step"
        share = self.gap_closed
        if share is None and self.gap.why_not == CLOSE:
            return f"{ddp}, is at {loss_text(self.loss_ddp)}; the share of that gap is {CLOSE}."
        if share is None:
            return f"{ddp}, is at {loss_text(self.loss_ddp)}, no better than one alone."
        if share >= 1:
            return f"{ddp}, is at {loss_text(self.loss_ddp)}: the subnet is not behind it."
        if share <= 0:
            return f"{ddp}, is at {loss_text(self.loss_ddp)}: the subnet closed none of that gap."
        return f"{ddp}, is at {loss_text(self.loss_ddp)}: the subnet closed {percent(share)} of that gap."

    def _processor_time(self) -> str:
        """What all peers took, beside one alone up to the same loss: here a subnet loses."""
        spent, by_role = self.cpu_s.peers, self.cpu_s.said
        if not spent:
            return ""
        said = f"All peers together took {seconds_text(spent)} of processor time ({by_role})"
        if self.energy_j is not None:
            said += f" and the machine {self.energy_j / 1000:,.1f} kJ with all that ran on it"
        found = self.speed_up
        if found is None or not found.alone_cpu_s:
            return f"{said}."
        alone = found.alone_cpu_s
        how = {"more": "more than", "less": "at most", "": "about"}[found.bound]
        said = f"{said}; one alone takes {how} {seconds_text(alone)} to the same loss"
        if found.bound == "more" and alone < spent:
            return f"{said}."
        times = max(alone, spent) / min(alone, spent)
        return f"{said}, {times:.1f} times {'less' if alone < spent else 'more'}."

    def _cut_off(self) -> str:
        if not self.lost:
            return ""
        rounds = "round was" if self.lost == 1 else "rounds were"
        return f"{count_word(self.lost).capitalize()} {rounds} cut off and left the model as it was."

    def _pay(self) -> list[str]:
        said: list[str] = []
        if self.attacker_pay and self.honest_median_pay:
            share = percent(max(self.attacker_pay) / self.honest_median_pay)
            many, kind = len(self.attacker_pay), self._attacker
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

    def _rows(self) -> list[tuple[str, ...]]:
        every_step = bytes_text(self.dense_bytes * self.inner_steps)
        losses = (_loss(self.loss_last), _loss(self.loss_baseline), _loss(self.loss_ddp))
        rows: list[tuple[str, ...]] = [
            ("", "the subnet", "one miner alone", "DDP"),
            (f"validation loss, {self.unit}", *losses),
            ("sent per miner and round", bytes_text(self.wire_bytes), "nothing", every_step),
            ("the same as plain fp32", bytes_text(self.dense_bytes), "–", every_step),
            ("waiting for the chain", percent(self.chain_wait_share), "none", "–"),
        ]
        if self.cpu_s.peers:
            spent = (self.cpu_s.peers, self.cpu_s.baselines.get(ALONE), self.cpu_s.baselines.get(DDP))
            rows.append(("processor time", *(seconds_text(s) if s else "not measured" for s in spent)))
        rows.append(("an honest miner's pay (median)", amount_alpha(self.honest_median_pay), "nothing", "–"))
        if self.attacker_pay:
            highest = amount_alpha(max(self.attacker_pay))
            rows.append((f"{with_article(self._attacker)}'s pay (highest)", highest, "–", "–"))
        return rows if self.loss_ddp is not None else [row[:3] for row in rows]

    def frame(self) -> "pl.DataFrame":
        """The table as numbers: one row per quantity with its unit; null where not measured."""
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        cpu, sooner = self.cpu_s, self.speed_up
        by_it, alone = (float(sooner.steps), sooner.needed) if sooner else (None, None)
        rows: list[tuple[str, str, float | None, float | None, float | None]] = [
            ("validation_loss", self.unit, self.loss_last, self.loss_baseline, self.loss_ddp),
            ("steps_to_that_loss", "steps", by_it, alone, None),
            ("sent_per_miner_and_round", "bytes", self.wire_bytes, 0.0, self.dense_bytes * self.inner_steps),
            ("plain_update", "bytes", float(self.dense_bytes), None, None),
            ("processor_time", "s", cpu.peers or None, cpu.baselines.get(ALONE), cpu.baselines.get(DDP)),
            ("energy", "J", self.energy_j, None, None),
            ("chain_wait_share", "share", self.chain_wait_share, 0.0, None),
            ("honest_median_pay", "alpha-rao", self.honest_median_pay, 0.0, None),
            ("attacker_pay", "alpha-rao", float(max(self.attacker_pay, default=0)), None, None),
        ]
        numbers = dict.fromkeys(("subnet", "baseline", "ddp"), pl.Float64)
        schema = {"quantity": pl.String, "unit": pl.String, **numbers}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join([name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])])
            for name, *numbers in rows
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
        loss_ddp=_ddp(view),
        inner_steps=view.inner_steps,
        cpu_s=costs(view),
        energy_j=view.ended.energy_j if view.ended else None,
        wire_bytes=view.wire_bytes_per_round,
        dense_bytes=view.dense_bytes,
        chain_wait_share=view.chain_wait_share,
        honest_median_pay=view.honest_median_pay,
        honest_pay=tuple(view.pay.total(uid) for uid in view.honest),
        attacker_pay=tuple(view.pay.total(uid) for uid in view.cheating),
        attackers=tuple(view.role(uid) for uid in view.cheating),
        pay_is_noise=_alike(view),
        loss_noise=loss_noise(curve, [loss for _, loss in sorted(view.baseline_loss.items())]),
        gap_noise=Gap.between(view.baselines.get(ALONE), view.baselines.get(DDP)).noise,
        metrics=_last_metrics(view),
    )


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


def _last_metrics(view: RunView) -> tuple[tuple[str, float], ...]:
    return tuple(view.closed[max(view.closed)].metrics.items()) if view.closed else ()


def _ddp(view: RunView) -> float | None:
    """DDP at its end, beside a subnet at its own."""
    curve = view.baselines.get(DDP)
    return curve.final if curve is not None and view.ended is not None else None


def _alike(view: RunView) -> bool | None:
    found = merits(view)
    honest = [found[uid] for uid in view.honest if uid in found]
    if len(honest) < 2:
        return None
    low, high = min(honest, key=lambda one: one.mean), max(honest, key=lambda one: one.mean)
    return not high.differs_from(low)


def _loss(value: float | None) -> str:
    return "not measured" if value is None else loss_text(value, 3)
