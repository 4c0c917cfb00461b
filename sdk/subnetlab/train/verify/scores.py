"""Validators' verdicts: their arithmetic in every round, their measurements in a drawn share of the rounds.

Two honest validators measure the same, so a round in which they differ is always measured again. Ratings and
weights follow from the verdicts on record, as those of a validator that is started again do; so one false
line is named in its own round and does not make later ones wrong.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from math import isclose
from typing import Final

from subnetlab.errors import PayloadRejected, TrainError
from subnetlab.record.events import Event, Scored, WeightsSet
from subnetlab.record.reasons import ACCEPTED, COPIED, GATED, MISSED
from subnetlab.train.audit.exclusion import AWAY
from subnetlab.train.judging import Judged
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.replica import Replica
from subnetlab.train.roster import miners
from subnetlab.train.validator import Validator, weights_set
from subnetlab.train.verify.findings import Report
from subnetlab.train.verify.payloads import Opened
from subnetlab.train.verify.remembered import CONTRADICTORY, EXACT, Remembered, is_rating
from subnetlab.train.verify.sources import PastChain, Sources, read_only

RELATIVE: Final = 1e-3
ABSOLUTE: Final = 2e-6
"""How far a measured loss may differ: other processors round otherwise, cheats gain nothing by so little."""
_NATS: Final = 0.05
"""The same for evidence, which divides a small difference by its noise."""
_MEASURED: Final = ("score", "loss_removed_assigned", "loss_removed_held_out", "norm", "noise")


class ScoreAudit:
    """Compares the verdicts on record, round by round."""

    def __init__(self, sources: Sources, replica: Replica, report: Report) -> None:
        assert sources.history is not None
        assert sources.store is not None
        self.sources, self.report = sources, report
        self.chain = PastChain(sources.history)
        self.events: list[Event] = []
        self.judge = Validator(
            sources.manifest, sources.roster, self.chain, read_only(sources.store), self.events.append,
            lambda message: message, hotkey="", corpus=sources.corpus,
        )  # fmt: skip
        self.judge.replica = replica  # one model serves all
        self.memories = Remembered(self.judge)

    def check(self, heights: RoundHeights, opened: Opened, *, measured: bool, may_measure: bool) -> None:
        """Compare a round's verdicts.

        Args:
            heights: of the round; θ of the replica is the one before it.
            opened: its payloads.
            measured: whether the payloads are tried on data again even if all validators agree.
            may_measure: whether model, data and payloads are what they were.
        """
        log = self.sources.log
        assert log is not None
        seats = self.sources.validators(heights.round)
        told = {seat.uid: log.scored.get((heights.round, seat.uid), []) for seat in seats}
        told = {uid: verdicts for uid, verdicts in told.items() if verdicts}
        self.report.checks["scores"].of += sum(map(len, told.values()))
        self.judge.seats = self.sources.seats(heights.round)
        self.judge.codec = self.judge.codec_at(heights.round)
        self.chain.height = heights.beacon
        for uid, verdicts in told.items():
            self.memories.settle(uid, verdicts)
        try:
            if told and may_measure and (measured or _differ(told.values())):
                self._measure(heights, told)
            else:
                self._keep_copies(heights, opened)
        except (TrainError, ValueError) as error:
            said = f"The payloads of this round cannot be judged again: {error}"
            self.report.unchecked("scores", "score", said, round_=heights.round)
        for uid, verdicts in told.items():
            self._recall(heights, uid, verdicts, told)
        for seat in seats if log.of_peers else ():
            if seat.uid not in told and self.sources.anchored(heights.round, seat) is not None:
                self.memories.miss(seat.uid, heights.round, told)
        for uid, verdicts in told.items():
            self.memories.count(uid, verdicts)

    # -- what was measured -------------------------------------------------------------------------

    def _measure(self, heights: RoundHeights, told: Mapping[int, Sequence[Scored]]) -> None:
        """Judge the round again as each validator did, once for those that thought alike before."""
        copies, answers = deepcopy(self.judge.near_copies), dict[int, dict[int, Scored]]()
        for uid, verdicts in told.items():
            past = self.memories.past.get(uid, 0)
            if past not in answers:
                self.judge.near_copies = deepcopy(copies)
                answers[past] = self._judged_by(uid, heights)
            self.report.count("scores", len(verdicts))
            for said in _each_once(verdicts, self.report, heights.round):
                _compare(said, answers[past].get(said.uid), heights.round, self.report)
            missing = sorted(answers[past].keys() - {said.uid for said in verdicts})
            if missing and not self._may_miss(uid):
                for miner in missing:
                    self.report.tampered(
                        "scores", "score", f"The record holds no verdict of validator {uid} on this miner.",
                        round_=heights.round, uid=miner,
                    )  # fmt: skip

    def _judged_by(self, uid: int, heights: RoundHeights) -> dict[int, Scored]:
        """The verdicts that a validator comes to which remembers what this one remembered."""
        judge = self.judge
        vars(judge).update(deepcopy(self.memories.memory(uid)))
        judge.hotkey = next(seat.hotkey for seat in judge.seats if seat.uid == uid)
        self.events.clear()
        judge.rate(judge.judge(heights), heights)
        return {event.uid: event for event in self.events if isinstance(event, Scored)}

    def _keep_copies(self, heights: RoundHeights, opened: Opened) -> None:
        """Remember a round's payloads, with which those of the next are compared."""
        if not self.judge.near_copies.share or self.judge.replica.layout.size == 0:
            return
        updates = {uid: opened.received[uid].update for uid in sorted(opened.received)}
        order = sorted(updates, key=lambda uid: (opened.received[uid].entry.block, uid))
        beacon = self.judge.drawn_at(heights.beacon)
        self.judge.near_copies.found(updates, order, self.judge.replica.layout.size, beacon)

    # -- what follows from the record --------------------------------------------------------------

    def _recall(
        self, heights: RoundHeights, uid: int, verdicts: Sequence[Scored],
        told: Mapping[int, Sequence[Scored]],
    ) -> None:  # fmt: skip
        """Take a validator's verdicts into what it remembers; compare its ratings and weights with that."""
        missing = {seat.uid for seat in miners(self.judge.seats)} - {said.uid for said in verdicts}
        broken_off = bool(missing) and self._may_miss(uid)
        whole = self.memories.completed(uid, verdicts, told) if broken_off else verdicts
        try:
            if broken_off:
                before = deepcopy(self.memories.memory(uid))
                if whole is None:
                    self._say_broken_off(heights, uid, len(verdicts))
                else:
                    self._compare_with(heights, uid, verdicts, whole)
                self.memories.of[uid] = before
                self.memories.add(uid, verdicts)  # as one that is started again, of what is on record
            else:
                self._compare_with(heights, uid, verdicts, verdicts)
        except CONTRADICTORY as error:
            said = f"The verdicts of this validator contradict one another: {error}"
            self.report.tampered("scores", "score", said, round_=heights.round, uid=uid)

    def _say_broken_off(self, heights: RoundHeights, uid: int, count: int) -> None:
        said = (
            f"This validator was gone or away in this round and left {count} of its verdicts, and no other "
            "validator had seen the same: its ratings of the round cannot be computed. A kill leaves that."
        )
        self.report.unchecked("scores", "score", said, round_=heights.round, uid=uid)

    def _compare_with(
        self, heights: RoundHeights, uid: int, verdicts: Sequence[Scored], whole: Sequence[Scored]
    ) -> None:
        """Compare ratings, weights and vote with what all verdicts of the round make."""
        judge, gap = self.judge, self.memories.gaps.get(uid)
        self.memories.add(uid, whole)
        refused = {
            said.uid: PayloadRejected("", reason=said.verdict)
            for said in whole
            if said.verdict not in (ACCEPTED, GATED)
        }
        weights = judge.vote(Judged(rejected=refused))
        if gap is not None and not all(is_rating(said, judge) for said in verdicts):
            text = (
                f"This validator did not report its verdicts of round {gap + 1}, so its ratings cannot be "
                "computed from there on: its store was away, or it was killed."
            )
            self.report.unchecked("scores", "score", text, round_=heights.round, uid=uid)
            return
        for said in verdicts:
            if not is_rating(said, judge):
                text = f"Validator {uid} tells a rating of {said.rating:.4f}; its verdicts make another."
                self.report.tampered("scores", "score", text, round_=heights.round, uid=said.uid)
        given = {said.uid: said.weight for said in verdicts}
        if any(not _close(given[to], weights.get(to, 0.0), EXACT, EXACT) for to in given):
            text = "The weights of this validator are not what its own ratings make."
            self.report.tampered("scores", "weights", text, round_=heights.round, uid=uid)
        if len(whole) == len(verdicts):
            self._compare_vote(heights, uid, given)
        else:
            self._compare_vote(heights, uid, weights)

    def _compare_vote(self, heights: RoundHeights, uid: int, given: dict[int, float]) -> None:
        """Whether the vote on record is that of the verdicts."""
        log = self.sources.log
        assert log is not None
        for vote in log.weights.get((heights.round, uid), []):
            expected = weights_set(uid, heights, given).weights if any(given.values()) else {}
            if not same_votes(vote, expected):
                text = "The vote on record is not that of this validator's verdicts."
                self.report.tampered("scores", "weights", text, round_=heights.round, uid=uid)

    def _may_miss(self, uid: int) -> bool:
        return self.sources.log is None or self.sources.log.may_miss(uid)


def _each_once(verdicts: Sequence[Scored], report: Report, round_: int) -> Iterable[Scored]:
    """A validator's verdicts, one per miner; a second one is named."""
    seen: set[int] = set()
    for said in verdicts:
        if said.uid in seen:
            text = f"The record holds two verdicts of validator {said.validator} on this miner."
            report.tampered("scores", "record line", text, round_=round_, uid=said.uid)
        else:
            seen.add(said.uid)
            yield said


def _compare(said: Scored, found: Scored | None, round_: int, report: Report) -> None:
    """Compare one verdict on record with the one that is come to again."""
    whose = f"validator {said.validator}"
    if found is None:
        text = f"The record holds a verdict of {whose} on a uid that no miner of this round held."
        report.tampered("scores", "score", text, round_=round_, uid=said.uid)
        return
    if said.verdict != found.verdict:
        text = f"The verdict of {whose} is {said.verdict!r}; judged again it is {found.verdict!r}."
        add = (
            report.unchecked
            if said.verdict in MISSED or COPIED in (said.verdict, found.verdict)
            else report.tampered
        )
        add("scores", "score", text, round_=round_, uid=said.uid)
        return
    if said.audit != found.audit and AWAY not in (said.audit, found.audit):
        told, again = (f"{word!r}" if word else "none" for word in (said.audit, found.audit))
        text = f"The audit by {whose} came to {told}; made again it comes to {again}."
        report.tampered("scores", "score", text, round_=round_, uid=said.uid)
        return
    for name in _MEASURED:
        one, other = getattr(said, name), getattr(found, name)
        if not _close(one, other, RELATIVE, ABSOLUTE):
            text = f"The {name.replace('_', ' ')} of {whose} is {one:.6g}; measured again it is {other:.6g}."
            report.tampered("scores", "score", text, round_=round_, uid=said.uid)
            return
    if not _close(said.own_work, found.own_work, RELATIVE, _NATS):
        text = (
            f"{whose.capitalize()} tells {said.own_work:.3f} nats for own work; measured again it is another."
        )
        report.tampered("scores", "score", text, round_=round_, uid=said.uid)


def _differ(told: Iterable[Sequence[Scored]]) -> bool:
    """Whether two validators measured or decided differently."""
    every: list[dict[int, Scored]] = [{said.uid: said for said in verdicts} for verdicts in told]
    first = every[0]
    for other in every[1:]:
        if other.keys() != first.keys():
            return True
        for uid, said in other.items():
            if (said.verdict, said.audit) != (first[uid].verdict, first[uid].audit):
                return True
            if any(
                not _close(getattr(said, n), getattr(first[uid], n), RELATIVE, ABSOLUTE) for n in _MEASURED
            ):
                return True
    return False


def same_votes(vote: WeightsSet, expected: Mapping[str, int]) -> bool:
    """Whether a vote says the same as another, to one part of u16; a weight of zero is none."""
    uids = {uid for uid, weight in (*vote.weights.items(), *expected.items()) if weight}
    return all(abs(vote.weights.get(uid, 0) - expected.get(uid, 0)) <= 1 for uid in uids)


def _close(one: float, other: float, relative: float, absolute: float) -> bool:
    return isclose(one, other, rel_tol=relative, abs_tol=absolute) or (one != one and other != other)  # noqa: PLR0124
