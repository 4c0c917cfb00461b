"""Who attacked a run and how, what the gate saw of each miner round by round, and what it paid.

Roles are the record's: a run on a fleet of one's own knows which attacker each peer was started as, and a run
of strangers does not. What the gate saw is the loss that an update removed on held-out data, beside the noise
of that measurement; both are means over validators. Validators never see roles.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import TYPE_CHECKING, Final, Literal

from subnetlab.record.events import Scored
from subnetlab.record.reasons import UNTRIED
from subnetlab.record.verdicts import Judgement
from subnetlab.record.view import RunView
from subnetlab.report import html
from subnetlab.report.format import amount_alpha, count_word, counted, listed, percent
from subnetlab.text import capitalised, plain_lines, with_article
from subnetlab.train.attackers import ATTACKERS, noun

if TYPE_CHECKING:
    import polars as pl

Mark = Literal["taken", "shut out", "refused", "missed", "untried"]
"""`shut out` after a trial on data, `refused` before any; `untried` is sound and not drawn to be tried."""
_ROWS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One round of a miner; numbers are None where nothing was measured."""

    round: int
    """From 1, as on every page."""
    mark: Mark
    verdict: str
    reason: str
    removed: float | None
    """Loss removed on held-out data, relative."""
    noise: float | None
    """Standard error of what it removed on assigned data less that on held-out data."""
    own_work: float | None
    """Evidence over all rounds that its work is its own, in nats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MinerRounds:
    """A miner, what it was started as, and what became of its rounds."""

    uid: int
    role: str
    """`miner`, or an attacker's word such as `sign_flip`."""
    seen: tuple[Seen, ...]
    paid_alpha_rao: int
    paid_by_epoch: tuple[int, ...]
    """Alpha-rao, oldest epoch first."""

    @property
    def attacks(self) -> bool:
        """Whether it was started to attack."""
        return self.role != "miner"

    @property
    def judged(self) -> int:
        """Rounds in which it was judged."""
        return sum(each.mark != "untried" for each in self.seen)

    @property
    def taken(self) -> int:
        """Rounds whose update was taken."""
        return sum(each.mark == "taken" for each in self.seen)

    @property
    def first_out(self) -> int | None:
        """The first round in which its update was not taken, though it was there."""
        return next((each.round for each in self.seen if each.mark in ("shut out", "refused")), None)

    @property
    def last_taken(self) -> int | None:
        """The last round in which its update was taken."""
        return next((each.round for each in reversed(self.seen) if each.mark == "taken"), None)

    @property
    def reason(self) -> str:
        """Why the newest update that was not taken was not; empty where all were."""
        return next((each.reason for each in reversed(self.seen) if each.mark in ("shut out", "refused")), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacks:
    """All miners of a run, attackers first, each by its rounds."""

    miners: tuple[MinerRounds, ...]
    medians: dict[int, float]
    """By round, from 1: the median of what the updates that were taken removed."""
    judges: tuple[tuple[int, str, int], ...]
    """Validators that attack: uid, the attacker's word, and pay in alpha-rao."""
    rounds: int
    """Rounds that are over."""
    honest_median_pay: float
    """Alpha-rao."""
    gate: float | None = None
    """The share of the median's effect that an update must reach; None where the run has no gate."""
    trains: bool = True
    """Whether the run trains a model; of a run of answers `removed` and `medians` are scores."""
    run: str = ""
    """The run's name."""
    ended: bool = False
    """Whether the run's record is complete."""
    again: "Callable[[], Attacks] | None" = field(default=None, compare=False)
    """Reads the record again; None where it is not known."""

    @property
    def attackers(self) -> tuple[MinerRounds, ...]:
        """Those that were started to attack."""
        return tuple(one for one in self.miners if one.attacks)

    def share(self, miner: MinerRounds) -> float | None:
        """A miner's pay beside the honest median's; None where nothing was paid yet."""
        return miner.paid_alpha_rao / self.honest_median_pay if self.honest_median_pay > 0 else None

    @property
    def headline(self) -> str:
        """Who attacked and what it brought, as a sentence."""
        found = self.attackers
        if not found:
            if self.judges:
                return f"No miner attacks; {self._judged()}."
            out = sum(one.first_out is not None for one in self.miners)
            shut = f"; {count_word(out)} of {len(self.miners)} were shut out at times" if out else ""
            return f"No miner of this run is known to attack{shut}."
        kinds = listed(sorted({noun(one.role) for one in found}))
        many = f"{capitalised(count_word(len(found)))} of {count_word(len(self.miners))} miners"
        taken, judged = sum(one.taken for one in found), sum(one.judged for one in found)
        said = f"{many} {'attacks' if len(found) == 1 else 'attack'} ({kinds})"
        if not judged:
            return f"{said}; none was judged yet."
        paid = self._paid(found)
        return f"{said}; {percent(taken / judged)} of their updates were taken{paid}."

    def _paid(self, found: Sequence[MinerRounds]) -> str:
        total = sum(one.paid_alpha_rao for one in self.miners)
        if not total:
            return ""
        return f", and {percent(sum(one.paid_alpha_rao for one in found) / total)} of miners' pay is theirs"

    def _judged(self) -> str:
        return listed([f"validator {uid} is {with_article(noun(word))}" for uid, word, _ in self.judges])

    @property
    def frame(self) -> "pl.DataFrame":
        """A row for each miner and judged round; null where not measured."""
        import polars as pl  # noqa: PLC0415  (loaded when a frame is wanted)

        schema = {
            "uid": pl.Int64(), "role": pl.String(), "round": pl.Int64(), "mark": pl.String(),
            "verdict": pl.String(), "removed": pl.Float64(), "noise": pl.Float64(), "median": pl.Float64(),
            "own_work": pl.Float64(), "reason": pl.String(),
        }  # fmt: skip
        rows = [
            (
                one.uid, one.role, each.round, each.mark, each.verdict, each.removed, each.noise,
                self.medians.get(each.round), each.own_work, each.reason,
            )
            for one in self.miners
            for each in one.seen
        ]  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _table(self) -> list[tuple[str, ...]]:
        head = ("uid", "was started as", "updates taken", "first shut out", "paid", "of honest median")
        rows: list[tuple[str, ...]] = [head]
        for one in self.miners:
            share = self.share(one)
            rows.append(
                (
                    str(one.uid),
                    noun(one.role) if one.attacks else "miner",
                    f"{one.taken} of {one.judged}",
                    "–" if one.first_out is None else f"round {one.first_out}",
                    amount_alpha(one.paid_alpha_rao),
                    "–" if share is None else percent(share),
                )
            )
        return rows

    def sentences(self) -> list[str]:
        """The headline, what each kind of attacker does, and what was last said against it."""
        said = [self.headline]
        for role in dict.fromkeys(one.role for one in self.attackers):
            one = next(one for one in self.attackers if one.role == role)
            known = ATTACKERS.get(role)
            what = f" {known.what}" if known else ""
            because = f" {one.reason}" if one.reason else ""
            said.append(f"The {noun(role)}{what}.{because}")
        if self.attackers and self.judges:
            said.append(f"{capitalised(self._judged())}.")
        return said

    def __repr__(self) -> str:
        rows = self._table()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return plain_lines("\n".join([*self.sentences(), "", *lines]))

    def page(self) -> str:
        """Sentences and a row for each miner as HTML; of very many miners the first."""
        head, *rows = self._table()
        rest = len(rows) - _ROWS
        more = html.paragraph(f"and {counted(rest, 'miner')} more: run.attacks().frame") if rest > 0 else ""
        first, *others = self.sentences()
        return html.block(
            html.paragraph(first, bold=True),
            *map(html.paragraph, others),
            html.table(head, rows[:_ROWS], words=2),
            more,
        )

    _repr_html_ = page


def attacks(view: RunView, *, again: "Callable[[], Attacks] | None" = None) -> Attacks:
    """What a run's record says of its attackers, and of all its miners beside them.

    Args:
        view: of the record.
        again: reads the record again, for a view that follows the run.
    """
    found = [
        MinerRounds(
            uid=uid,
            role=_role(view, uid),
            seen=_seen(view, uid),
            paid_alpha_rao=view.pay.total(uid),
            paid_by_epoch=tuple(view.pay.by_epoch(uid)),
        )
        for uid in view.mining
    ]
    removed: dict[int, list[float]] = {}
    for one in found:
        for each in one.seen:
            if each.mark == "taken" and each.removed is not None:
                removed.setdefault(each.round, []).append(each.removed)
    judges = [(uid, view.role(uid)) for uid in view.peers if view.seated_as(uid) == "validator"]
    return Attacks(
        miners=tuple(sorted(found, key=lambda one: (not one.attacks, one.uid))),
        medians={number: median(values) for number, values in sorted(removed.items())},
        judges=tuple((uid, role, view.pay.total(uid)) for uid, role in judges if role != "validator"),
        rounds=len(view.over),
        honest_median_pay=view.honest_median_pay,
        gate=_gate(view),
        trains=view.trains,
        run=view.started.run_id if view.started else "",
        ended=view.ended is not None,
        again=again,
    )


def _gate(view: RunView) -> float | None:
    scoring = view.started.manifest.get("scoring") if view.started else None
    share = scoring.get("gate") if isinstance(scoring, dict) else None
    return float(share) if isinstance(share, int | float) and not isinstance(share, bool) else None


def _role(view: RunView, uid: int) -> str:
    role = view.role(uid)
    return role if role in ATTACKERS else "miner"


def _seen(view: RunView, uid: int) -> tuple[Seen, ...]:
    miner = view.miners.get(uid)
    if miner is None:
        return ()
    rounds: list[Seen] = []
    for number in sorted(miner.votes):
        judgement = miner.judgement(number)
        if judgement is not None:
            rounds.append(_round(number, judgement, list(miner.votes[number].values())))
    return tuple(rounds)


def _round(number: int, judgement: Judgement, votes: list[Scored]) -> Seen:
    noise = [vote.noise for vote in votes if vote.noise > 0]
    own = [vote.own_work for vote in votes if vote.own_work]
    return Seen(
        round=number + 1,
        mark=_mark(judgement),
        verdict=judgement.verdict,
        reason=judgement.reason,
        removed=judgement.removed if judgement.tried else None,
        noise=fmean(noise) if noise else None,
        own_work=fmean(own) if own else None,
    )


def _mark(judgement: Judgement) -> Mark:
    if judgement.accepted:
        return "taken"
    if judgement.verdict == UNTRIED:
        return "untried"
    if judgement.missed:
        return "missed"
    return "shut out" if judgement.tried else "refused"
