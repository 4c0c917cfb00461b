"""Judge a run of answers again, as a third party: whose scores on chain are not what the judge gives.

Commitments come from the bodies of blocks, answers and records from the store. A validator whose record is
gone, or whose score of a miner is another than the judge's, is named with round and uid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose
from typing import Any, Final, cast

from subnetlab.answers.calls import Calls
from subnetlab.answers.closed_rounds import record_at
from subnetlab.answers.manifest import AnswersManifest
from subnetlab.answers.score_record import Entry, ScoreRecord
from subnetlab.answers.validator import Judged, JudgingValidator
from subnetlab.errors import StoreUnreachable
from subnetlab.network.commit_history import ChainHistory
from subnetlab.record.events import RoundClosed
from subnetlab.record.reasons import JUDGE_FAILED, NO_ANSWER
from subnetlab.store.base import Store
from subnetlab.store.places import place_of
from subnetlab.train.roster import FixedRoster, Roster
from subnetlab.train.verify.findings import Report
from subnetlab.train.verify.sources import PastChain, Sources

_TIMED: Final = frozenset({JUDGE_FAILED, NO_ANSWER})
"""Verdicts that a slow machine may reach and a fast one not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersSources:
    """What is read of a run of answers."""

    manifest: AnswersManifest
    roster: Roster
    store: Store
    history: ChainHistory
    closed: Mapping[int, RoundClosed]
    """The rounds that the run's own record has as closed."""


def verify_answers(sources: AnswersSources, calls: Calls, report: Report) -> None:
    """Judge every round again and compare; `calls` holds the judge, and what makes tasks."""
    read = Sources(
        name="", manifest=cast("Any", sources.manifest), manifest_hash=sources.manifest.hash,
        roster=sources.roster, store=sources.store, history=sources.history,
    )  # fmt: skip
    chain = PastChain(sources.history)
    judge = JudgingValidator(
        sources.manifest, FixedRoster(()), chain, sources.store, lambda _event: None, lambda data: data,
        hotkey="", calls=calls,
    )  # fmt: skip
    report.count("manifest")
    with calls:
        for round_ in read.rounds:
            heights = sources.manifest.heights(round_)
            chain.height, judge.seats = heights.beacon, read.seats(round_)
            try:
                with report.timed("scores"):
                    judged = judge.judge(heights)
            except StoreUnreachable as error:
                report.unchecked("scores", "score", str(error), round_=round_)
                continue
            report.count("payloads", sum(bool(one.payload_hash) for one in judged.values()))
            records = _records(read, sources, round_, report)
            for uid, record in records.items():
                _compare(uid, record, judged, report)
            _compare_log(sources.closed.get(round_), records, round_, report)
            report.rounds += 1


def _records(read: Sources, sources: AnswersSources, round_: int, report: Report) -> dict[int, ScoreRecord]:
    """Every validator's record of a round that is anchored and can be had, the lead's first."""
    found: dict[int, ScoreRecord] = {}
    for seat in read.validators(round_):
        anchored = read.anchored(round_, seat)
        if anchored is None:
            continue
        anchor = anchored[1]
        record = record_at(anchor.current.hex(), place_of(sources.store, seat.uid, anchor.locator))
        if record is None or record.run != sources.manifest.hash or record.round != round_:
            said = "The record of scores that is anchored on chain is not in the store."
            report.tampered("rounds", "round record", said, round_=round_, uid=seat.uid)
            continue
        report.count("rounds")
        found[seat.uid] = record
    return found


def _compare(uid: int, record: ScoreRecord, judged: Mapping[int, Judged], report: Report) -> None:
    """Name a validator whose scores are not the judge's."""
    told = {entry.uid: entry for entry in record.entries}
    for miner, mine in judged.items():
        entry = told.get(miner)
        report.count("scores")
        if entry is not None and _agree(entry, mine):
            continue
        if entry is not None and {entry.verdict, mine.verdict} & _TIMED:
            said = f"Uid {miner} was {entry.verdict} there and is {mine.verdict} here, as time limits decide."
            report.unchecked("scores", "score", said, round_=record.round, uid=uid)
            continue
        given = "no score" if entry is None else f"{entry.score:g} ({entry.verdict})"
        said = f"It gave uid {miner} {given}; the judge gives {mine.score:g} ({mine.verdict})."
        report.tampered("scores", "score", said, round_=record.round, uid=uid)


def _agree(entry: Entry, mine: Judged) -> bool:
    same = entry.verdict == mine.verdict and entry.payload_hash == mine.payload_hash
    return same and isclose(entry.score, mine.score, rel_tol=1e-9)


def _compare_log(
    closed: RoundClosed | None, records: Mapping[int, ScoreRecord], round_: int, report: Report
) -> None:
    """Whether the run's own record of the round is that of its lead."""
    lead = next(iter(records), None)
    if closed is None or lead is None:
        return
    report.count("record")
    mean = records[lead].mean
    if closed.lead != lead or (mean is not None and not isclose(closed.metrics.get("score", -1.0), mean)):
        said = "The run's record closes the round otherwise than the scores on chain do."
        report.tampered("record", "record line", said, round_=round_, uid=closed.lead)
