"""The verdict on a run: the subnet beside one miner alone, as a table and as plain sentences.

Only what was measured is said: no ratio without both of its numbers, "reached" only after the last round, and
where the subnet loses the sentence says so in the same place.
"""

from dataclasses import dataclass

from subnetlab.lab.tally import Tally
from subnetlab.lab.words import amount_alpha, bytes_text, count_word, percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Losses in nats per byte, bytes per miner and round, pay in alpha-rao; None where not measured."""

    finished: bool
    rounds: int
    lost: int
    """Rounds that were cut off and left the model as it was."""
    miners: int
    free_riders: int
    loss_first: float | None
    loss_last: float | None
    loss_alone: float | None
    loss_synchronous: float | None
    """DDP on the same data, when it was measured."""
    wire_bytes: float
    dense_bytes: int
    chain_wait_share: float
    honest_median_pay: float
    free_rider_pay: tuple[int, ...]

    @property
    def gain(self) -> float | None:
        """How much lower the subnet's loss is than that of one miner alone."""
        if self.loss_last is None or self.loss_alone is None:
            return None
        return self.loss_alone - self.loss_last

    @property
    def byte_ratio(self) -> float | None:
        """How many times smaller than the plain fp32 update one upload is."""
        return self.dense_bytes / self.wire_bytes if self.wire_bytes and self.dense_bytes else None

    def rows(self) -> list[tuple[str, ...]]:
        """The table: a header, then one row per quantity, one column per way of training."""
        ddp = self.loss_synchronous is not None
        header = ("", "the subnet", "one miner alone", *(("all in one room",) if ddp else ()))
        loss = ["validation loss, nats/byte", _loss(self.loss_last), _loss(self.loss_alone)]
        sent = ["sent per miner and round", bytes_text(self.wire_bytes), "nothing"]
        plain = ["the same as plain fp32", bytes_text(self.dense_bytes), "–"]
        wait = ["waiting for the chain", percent(self.chain_wait_share), "none"]
        pay = ["an honest miner's pay (median)", amount_alpha(self.honest_median_pay), "nothing"]
        rows = [loss, sent, plain, wait, pay]
        if self.free_rider_pay:
            worst = max(self.free_rider_pay)
            rows.append(["a free rider's pay", amount_alpha(worst), "–"])
        if ddp:
            for row, cell in zip(rows, [_loss(self.loss_synchronous), *["–"] * len(rows)], strict=False):
                row.append(cell)
        return [header, *(tuple(row) for row in rows)]

    @property
    def headline(self) -> str:
        """The result as one sentence."""
        if self.loss_last is None:
            return "No round has closed yet."
        strangers = f"{count_word(self.miners).capitalize()} strangers"
        if not self.finished:
            rounds = "1 round" if self.rounds == 1 else f"{self.rounds} rounds"
            return f"{strangers} are at {self.loss_last:.2f} after {rounds}."
        if self.loss_alone is None:
            return f"{strangers} reached {self.loss_last:.2f}."
        return f"{strangers} reached {self.loss_last:.2f}; one alone would be at {self.loss_alone:.2f}."

    @property
    def saving(self) -> str:
        """What a miner sent beside the plain update, as a sentence; empty where it was not measured."""
        if self.byte_ratio is None:
            return ""
        return (
            f"Each miner sent {bytes_text(self.wire_bytes)} a round, {self.byte_ratio:.0f} times less"
            f" than the plain update of {bytes_text(self.dense_bytes)}."
        )

    def sentences(self) -> list[str]:
        """What the table means, in words."""
        said = [self.headline]
        gain = self.gain
        if gain is not None:
            better = f"training together was worth {gain:.2f} nats per byte."
            worse = f"training together did not pay off here: it was {-gain:.2f} nats per byte worse."
            when = "In the end" if self.finished else "So far"
            said.append(f"{when} {better if gain > 0 else worse}")
        if self.saving:
            said.append(self.saving)
        if self.lost:
            rounds = "round was" if self.lost == 1 else "rounds were"
            said.append(
                f"{count_word(self.lost).capitalize()} {rounds} cut off and left the model as it was."
            )
        if self.free_rider_pay and self.honest_median_pay:
            share = max(self.free_rider_pay) / self.honest_median_pay
            said.append(f"The free rider earned {percent(share)} of what an honest miner earned.")
        return said

    def __str__(self) -> str:
        rows = self.rows()
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [
            "  ".join(
                [
                    row[0].ljust(widths[0]),
                    *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
                ]
            )
            for row in rows
        ]
        rule = "─" * len(lines[0])
        return "\n".join([lines[0], rule, *lines[1:], "", *self.sentences()])

    __repr__ = __str__


def verdict(tally: Tally) -> Verdict:
    """Read the verdict off a tally; fields stay None until they were measured."""
    curve = [tally.val_loss[number] for number in sorted(tally.val_loss)]
    last_round = max(tally.val_loss, default=-1)
    return Verdict(
        finished=tally.ended is not None and tally.ended.status == "finished",
        rounds=len(curve),
        lost=len(tally.lost),
        miners=len(tally.uids("miner", "free_rider")),
        free_riders=len(tally.uids("free_rider")),
        loss_first=curve[0] if curve else None,
        loss_last=curve[-1] if curve else None,
        # The same round of both curves: one alone that trained longer would be no comparison.
        loss_alone=tally.alone_loss.get(last_round),
        loss_synchronous=None,
        wire_bytes=tally.wire_bytes_per_round,
        dense_bytes=tally.dense_bytes,
        chain_wait_share=tally.chain_wait_share,
        honest_median_pay=tally.honest_median_pay,
        free_rider_pay=tuple(tally.paid(uid) for uid in tally.uids("free_rider")),
    )


def _loss(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"
