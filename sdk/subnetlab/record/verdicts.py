"""What validators think of a miner: of one payload, and of all it sent so far.

Two rules, used by every page. A payload is accepted where more validators accepted than refused it; where
they are split evenly the lead decides, because its aggregate is the one the model took. A miner works while
at least half of its judged rounds were accepted; one bad round among many is no offence. Roles do not count
here.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isnan
from statistics import fmean

from subnetlab.record.events import Mined, Scored
from subnetlab.record.reasons import ACCEPTED, MISSED, UNTRIED, in_words, measured


class Standing(StrEnum):
    """What validators made of a miner's rounds so far; the values are the words a page shows."""

    NOT_JUDGED = "not judged yet"
    WORKS = "works"
    REFUSED = "refused"
    MISSED = "missed"
    """Most of its rounds were not accepted, and mostly because nothing arrived in time."""
    GONE = "gone"
    """Its process ended before the run did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the validators of a round made of one payload; numbers are means over them."""

    verdict: str
    """`accepted`, or the word with which it was refused."""
    reason: str
    """Why it was refused, in words; for an accepted one empty, or why it earned nothing all the same."""
    score: float
    rating: float
    weight: float
    removed: float
    """Loss removed on held-out data, also by what was refused; the score where nothing was measured so."""
    tried: bool = True
    """Whether any validator opened the payload and tried it on data."""

    @property
    def accepted(self) -> bool:
        """Whether the payload was taken."""
        return self.verdict == ACCEPTED

    @property
    def untried(self) -> bool:
        """Whether the payload was sound, and no validator tried it on data."""
        return not self.tried and self.verdict in {ACCEPTED, UNTRIED}

    @property
    def missed(self) -> bool:
        """Whether no payload was there in time."""
        return self.verdict in MISSED


def deciding(votes: Mapping[int, Scored], lead: int | None) -> Scored:
    """The vote that says what became of a payload: the lead's if it is on the deciding side.

    Args:
        votes: by validator, one at least.
        lead: the validator whose aggregate the round adopted; None before it closed.
    """
    yes = [vote for vote in votes.values() if vote.verdict == ACCEPTED]
    no = [vote for vote in votes.values() if vote.verdict != ACCEPTED]
    leads = votes.get(lead) if lead is not None else None
    even = len(yes) == len(no) and leads is not None and leads.verdict == ACCEPTED
    side = yes if even or len(yes) > len(no) else no
    if leads is not None and leads in side:
        return leads
    common = Counter(vote.verdict for vote in side).most_common(1)[0][0]
    return min((vote for vote in side if vote.verdict == common), key=lambda vote: vote.validator)


def worth(vote: Scored) -> float:
    """What a measured payload was worth: the loss removed on held-out data, or a judge's own score."""
    no_loss = isnan(vote.loss_removed_assigned) and isnan(vote.loss_removed_held_out)
    return vote.score if no_loss else vote.loss_removed_held_out


def judge(votes: Mapping[int, Scored], lead: int | None) -> Judgement | None:
    """One verdict out of those of several validators; None before the first.

    Args:
        votes: by validator.
        lead: the validator whose aggregate the round adopted; None before it closed.
    """
    if not votes:
        return None
    vote = deciding(votes, lead)
    # `Scored.score` is 0 for whatever was gated, though it was measured too.
    found = [worth(each) for each in votes.values() if measured(each)]
    return Judgement(
        verdict=vote.verdict,
        reason=in_words(vote),
        score=fmean(each.score for each in votes.values()),
        rating=fmean(each.rating for each in votes.values()),
        weight=fmean(each.weight for each in votes.values()),
        removed=fmean(found or (each.score for each in votes.values())),
        tried=bool(found),
    )


def standing(*, judged: int, accepted: int, missed: int) -> Standing:
    """What so many judged, accepted and missed rounds make of a miner that is still there."""
    if not judged:
        return Standing.NOT_JUDGED
    if 2 * accepted >= judged:
        return Standing.WORKS
    return Standing.MISSED if 2 * missed > judged - accepted else Standing.REFUSED


def last_missed(miners: "Mapping[int, MinerView]") -> str:
    """What the validators say of the newest update that was not there, of the first miner, as a sentence."""
    for uid, miner in sorted(miners.items()):
        if (refusal := miner.refusal) is not None and refusal.missed:
            return f"Of uid {uid} the validators say: {refusal.reason}"
    return "None was there in time."


@dataclass(slots=True)
class MinerView:
    """What the record says of one miner; rounds count from 0."""

    uid: int
    mined: dict[int, Mined] = field(default_factory=dict[int, Mined])
    """Its work, by round."""
    votes: dict[int, dict[int, Scored]] = field(default_factory=dict[int, dict[int, Scored]])
    """What was said of it, by round and validator."""
    judged: int = 0
    """Rounds in which any validator judged it; to leave it out untried is no judgement."""
    accepted: int = 0
    missed: int = 0
    _leads: dict[int, int] = field(default_factory=dict[int, int])
    _forgotten: int = -1

    def judgement(self, round_: int) -> Judgement | None:
        """What the validators made of its payload of a round; None where none has judged it."""
        return judge(self.votes.get(round_, {}), self._leads.get(round_))

    @property
    def judgements(self) -> list[Judgement]:
        """One for each judged round, oldest first."""
        found = (self.judgement(number) for number in sorted(self.votes))
        return [judgement for judgement in found if judgement is not None]

    @property
    def last(self) -> Judgement | None:
        """The newest judged round's."""
        return self.judgement(max(self.votes)) if self.votes else None

    @property
    def refusal(self) -> Judgement | None:
        """Of the newest round that was not accepted."""
        found = (self.judgement(number) for number in sorted(self.votes, reverse=True))
        return next((one for one in found if one is not None and not one.accepted), None)

    @property
    def measured(self) -> list[Scored]:
        """Every verdict on a payload that was opened and tried on data, oldest first."""
        return [
            vote for number in sorted(self.votes) for vote in self.votes[number].values() if measured(vote)
        ]

    @property
    def score(self) -> float | None:
        """Mean of what was measured: the loss removed, relative, or a judge's scores; None before any."""
        # `Scored.score` is 0 for whatever was gated, though it was measured too.
        found = [worth(vote) for vote in self.measured]
        return fmean(found) if found else None

    def standing(self, *, upto: int | None = None) -> Standing:
        """What its judged rounds make of it, so far or up to a round; whether it is gone, `RunView` knows."""
        if upto is None:
            return standing(judged=self.judged, accepted=self.accepted, missed=self.missed)
        found = [one for one in map(self.judgement, [n for n in self.votes if n <= upto]) if one is not None]
        found = [one for one in found if one.verdict != UNTRIED]
        return standing(
            judged=len(found),
            accepted=sum(one.accepted for one in found),
            missed=sum(one.missed for one in found),
        )

    # -- folding, called by `RunView` --------------------------------------------------------------

    def score_with(self, event: Scored) -> None:
        """Take in a verdict; one on a round that was forgotten changes nothing."""
        if event.round <= self._forgotten:
            return
        self._count(event.round, -1)
        self.votes.setdefault(event.round, {})[event.validator] = event
        self._count(event.round, 1)

    def close(self, round_: int, lead: int) -> None:
        """Note who led a round: that decides where validators are split."""
        self._count(round_, -1)
        self._leads[round_] = lead
        self._count(round_, 1)

    def forget(self, before: int) -> None:
        """Drop the details of rounds below `before`; what was counted stays counted."""
        self._forgotten = max(self._forgotten, before - 1)
        for kept in (self.mined, self.votes, self._leads):
            for number in [number for number in kept if number < before]:
                del kept[number]

    def _count(self, round_: int, by: int) -> None:
        votes = self.votes.get(round_)
        if not votes:
            return
        verdict = deciding(votes, self._leads.get(round_)).verdict
        if verdict == UNTRIED:
            return
        self.judged += by
        self.accepted += by * (verdict == ACCEPTED)
        self.missed += by * (verdict in MISSED)
