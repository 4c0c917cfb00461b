"""A validator of answers: opens what miners revealed, asks its judge, publishes the scores, and sets weights.

Its judge runs in a process of its own. An answer on which the judge fails, or takes too long, costs its miner
the score of that round and nothing else. Every validator anchors its own record of scores; a round is closed
by the first validator in the order of seats whose record was in time.
"""

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import nan
from typing import Any, ClassVar, Final, cast

from subnetlab.answers import payload
from subnetlab.answers.calls import FunctionFailed
from subnetlab.answers.closed_rounds import anchored
from subnetlab.answers.draw import judged_by, tasks_of
from subnetlab.answers.payload import Answer
from subnetlab.answers.peer import AnswersPeer
from subnetlab.answers.score_record import Entry, Ratings, ScoreRecord
from subnetlab.errors import ObjectExists, PayloadRejected
from subnetlab.record.events import Role, RoundClosed, Scored, WeightsSet
from subnetlab.record.reasons import ACCEPTED, IN_WORDS, JUDGE_FAILED, NO_ANSWER, NO_SCORE
from subnetlab.store.places import locator_of
from subnetlab.train import object_paths
from subnetlab.train.anchors import NOTHING, Anchor
from subnetlab.train.intake import Fetched, Intake
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.payload import seal
from subnetlab.train.roster import Seat, miners, validators
from subnetlab.train.stragglers import Until
from subnetlab.units import U16_MAX

JUDGE: Final = "judge"
"""What a validator's function is called among its functions."""
MALFORMED: Final = "malformed"
TOO_LARGE: Final = "too_large"
MOST_SCORE: Final = 1e9
"""Above it a score is none: sums of scores stay finite."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one miner's answers in a round."""

    verdict: str
    score: float
    reason: str = ""
    payload_hash: str = ""


@dataclass(frozen=True, slots=True)
class _Sealed:
    """As much of a codec as the checks on a sealed object ask for."""

    limit: int


class JudgingValidator(AnswersPeer):
    """One validator's process."""

    role: ClassVar[Role] = "validator"
    last: ScoreRecord | None = None
    """Its record of the round before."""

    @cached_property
    def ratings(self) -> Ratings:
        """What this validator thinks of every miner, from its first round on."""
        return Ratings(self.manifest.rating_decay)

    def recall(self, verdicts: Iterable[Scored]) -> None:
        """Rate miners as this validator's own verdicts on record left them, when it is started again."""
        rounds: dict[int, dict[int, float]] = {}
        for verdict in verdicts:
            rounds.setdefault(verdict.round, {})[verdict.uid] = verdict.score
        for _, scores in sorted(rounds.items()):
            self.ratings.update(scores)

    def take_part(self, heights: RoundHeights) -> None:
        """Judge the round's answers between beacon and close."""
        self.done("ready", heights)
        self.wait(heights.beacon)
        judged = self.judge(heights)
        self.publish(judged, heights)
        self.rate(judged, heights)
        self.done("scored", heights)

    def judge(self, heights: RoundHeights) -> dict[int, Judged]:
        """Open every miner's answers and score them, by uid."""
        opened, deadline = (self.chain.block_hash(at) for at in (heights.open, heights.commit))
        limit = payload.limit(self.manifest.tasks_per_round, self.manifest.answer_bytes)
        intake = Intake(self.run_hash, self.store, cast("Any", _Sealed(limit)), deadline)
        seats = miners(self.seats)
        until = Until.judged(self.chain, heights)
        fetched = intake.fetch_all(seats, heights, self.chain.commitments(), until)
        beacon, judged = self.chain.block_hash(heights.beacon), dict[int, Judged]()
        for seat in seats:
            sent = fetched.pop(seat.uid)
            try:
                if isinstance(sent, PayloadRejected):
                    raise sent
                found = self._open(seat, heights, sent)
                answers = payload.decode(found, self.manifest.tasks_per_round, self.manifest.answer_bytes)
            except PayloadRejected as error:
                judged[seat.uid] = Judged(error.reason, 0.0, _in_words(error))
                continue
            tasks = tasks_of(self.manifest, heights.round, seat.uid, opened, self.calls)
            random = judged_by(self.manifest, heights.round, seat.uid, beacon)
            judged[seat.uid] = self._score(tasks, answers, random, seal.hash_of(found).hex())
        return judged

    def _open(self, seat: Seat, heights: RoundHeights, fetched: Fetched) -> bytes:
        """What a miner sealed.

        Raises:
            PayloadRejected: it is not what the miner committed, or not opened by its hotkey.
        """
        binding = seal.Binding(run=self.run_hash, round=heights.round, hotkey=seat.hotkey)
        commitment, reveal = fetched.anchor.current, fetched.reveal
        if not seal.verify(seat.hotkey, seal.signed_text(commitment, binding), reveal.signature):
            raise PayloadRejected("The reveal is not signed by its hotkey.", reason="bad_signature")
        found = seal.unseal(fetched.data, reveal, commitment, binding)
        if not seal.names_reveal(fetched.data, seal.token_of(reveal.salt)):
            raise PayloadRejected("The sealed object names another reveal.", reason="no_reveal")
        return found

    def _score(self, tasks: list[Any], answers: list[Answer], random: str, payload_hash: str) -> Judged:
        """The mean of what the judge gives for each answer; a task without an answer counts 0."""
        missing = [one.why_not for one in answers if one.why_not]
        if len(missing) == len(answers):
            return Judged(NO_ANSWER, 0.0, f"No task was answered: {missing[0]}.", payload_hash)
        deadline = time.monotonic() + self.manifest.time_limit_s
        total = 0.0
        for place, (task, answer) in enumerate(zip(tasks, answers, strict=True)):
            if answer.why_not:
                continue
            try:
                given = self._number(task, answer.value, f"{random}{place}", deadline)
            except FunctionFailed as error:
                return Judged(JUDGE_FAILED, 0.0, f"The judge gave no score: {error}.", payload_hash)
            total += max(0.0, given)
        score = total / len(answers)
        if score > 0:
            return Judged(ACCEPTED, score, "", payload_hash)
        rest = f" {len(missing)} of {len(answers)} tasks had none: {missing[0]}." if missing else ""
        return Judged(NO_SCORE, 0.0, f"{IN_WORDS[NO_SCORE]}{rest}", payload_hash)

    def _number(self, task: Any, answer: Any, random: str, deadline: float) -> float:
        """What the judge gives.

        Raises:
            FunctionFailed: it raised, was too slow, or gave no number that can be added up.
        """
        seed = random if self.manifest.takes_random else ""
        given = self.calls.number(JUDGE, task, answer, deadline=deadline, random=seed)
        if given > MOST_SCORE:
            raise FunctionFailed(f"it gave {given:g}, and {MOST_SCORE:g} is the most", reason="unfit")
        return given

    def publish(self, judged: dict[int, Judged], heights: RoundHeights) -> None:
        """Put the record of scores into the store and anchor it on chain."""
        entries = tuple(
            Entry(seat.uid, seat.hotkey, one.verdict, one.score, one.payload_hash)
            for seat in miners(self.seats)
            for one in (judged[seat.uid],)
        )
        previous = self.previous()
        record = ScoreRecord(run=self.run_hash, round=heights.round, previous=previous, entries=entries)
        with contextlib.suppress(ObjectExists):  # written by this hotkey before it was started again
            self.store.put(object_paths.record(record.hash), record.to_bytes())
        anchor = Anchor(
            "validator", heights.round, bytes.fromhex(record.hash), bytes.fromhex(previous),
            locator=locator_of(self.store),
        )  # fmt: skip
        self.chain.commit(anchor.to_bytes())
        self.last = record

    def previous(self) -> str:
        """The hash of its record before, also of one from before it was started again; zeros for none."""
        if self.last is not None:
            return self.last.hash
        found = anchored(self.manifest, self.chain.commitments().get(self.hotkey))
        return found.current.hex() if found is not None else NOTHING.hex()

    def rate(self, judged: dict[int, Judged], heights: RoundHeights) -> None:
        """Take the round into the ratings, set weights, and report every verdict."""
        self.ratings.update({uid: one.score for uid, one in judged.items()})
        weights = self.ratings.weights()
        if any(weights.values()):
            self.chain.set_weights(weights)
            top = max(weights.values())
            u16 = {str(uid): round(weight / top * U16_MAX) for uid, weight in weights.items()}
            self.report(WeightsSet(validator=self.seat.uid, round=heights.round, weights=u16))
        for uid, one in judged.items():
            self.report(
                Scored(
                    validator=self.seat.uid,
                    uid=uid,
                    round=heights.round,
                    verdict=one.verdict,
                    score=one.score,
                    loss_removed_assigned=nan,
                    loss_removed_held_out=nan,
                    rating=self.ratings.of[uid],
                    weight=weights[uid],
                    norm=nan,
                    reason=one.reason,
                    own_work=nan,
                    noise=nan,
                )
            )

    def closed(self, heights: RoundHeights) -> None:
        """The lead reports the round, once."""
        commitments = self.chain.commitments()
        for seat in validators(self.seats):
            anchor = anchored(self.manifest, commitments.get(seat.hotkey))
            if anchor is None or anchor.round != heights.round:
                continue
            record = self.last
            if record is not None and seat.hotkey == self.hotkey and anchor.current.hex() == record.hash:
                self.report(round_closed(record, heights, seat.uid))
            return


def round_closed(record: ScoreRecord, heights: RoundHeights, lead: int) -> RoundClosed:
    """The event of a round that a lead's record closed; no model, so no loss and no hashes of one."""
    accepted = [[one.uid, one.payload_hash] for one in record.entries if one.verdict == ACCEPTED]
    measured = {} if record.mean is None else {"score": record.mean}
    return RoundClosed(
        round=heights.round,
        lead=lead,
        heights=[heights.open, heights.commit, heights.beacon, heights.close],
        accepted=accepted,
        aggregate_hash="",
        theta_hash="",
        val_loss=nan,
        aggregate_s=nan,
        metrics=measured,
    )


def _in_words(error: PayloadRejected) -> str:
    """Why answers were refused; what other rooms say of payloads of a model is said of answers here."""
    own = error.reason in (MALFORMED, TOO_LARGE)
    return str(error) if own else IN_WORDS.get(error.reason, str(error))
