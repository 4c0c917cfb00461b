"""All checks of a run in one walk over its rounds: nothing of a round is kept once the next one begins."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import torch

from subnetlab.errors import ManifestInvalid, StoreError, TrainError
from subnetlab.train.manifest import RoundHeights
from subnetlab.train.payload import seal
from subnetlab.train.replica import Replica
from subnetlab.train.verify import payloads
from subnetlab.train.verify.draw import drawn
from subnetlab.train.verify.findings import Report, What
from subnetlab.train.verify.lines import LineCheck
from subnetlab.train.verify.models import ModelChain
from subnetlab.train.verify.records import Followed, RecordChain
from subnetlab.train.verify.replay import Replay
from subnetlab.train.verify.scores import ScoreAudit
from subnetlab.train.verify.sources import PastChain, Sources, read_only
from subnetlab.train.verify.weights import check_pay, check_votes


def verify(sources: Sources, report: Report, *, replay: float) -> Report:
    """Check everything that can be read of a run, from its first round to its last.

    Args:
        sources: what can be read.
        report: of the checks so far, such as those of manifest, data and seats; this one is returned.
        replay: share of the miners' rounds that are trained again, and of the rounds whose verdicts are
            measured again; 0 for none, 1 for all.
    """
    began, cpu = time.perf_counter(), time.process_time()
    log = sources.log
    report.training_cpu_s = log.miners_cpu_s if log else 0.0
    for name, said in sources.missing.items():
        report.unchecked(*_OF_SOURCE[name], said)
    with _one_thread():
        if log is not None and not log.of_peers:
            with report.timed("record"):
                LineCheck(sources, log, report).check_frame()
        if sources.history is not None and log is not None and not log.of_peers:
            with report.timed("pay"):
                check_pay(sources.history, log, report)
        if sources.history is not None and sources.store is not None:
            _unread(sources, report)
            _walk(sources, report, replay)
    report.wall_s += time.perf_counter() - began
    report.cpu_s += time.process_time() - cpu
    return report


_OF_SOURCE: Final[dict[str, tuple[str, What]]] = {
    "manifest": ("manifest", "manifest"), "history": ("rounds", "anchor"), "store": ("payloads", "payload"),
    "log": ("record", "record line"), "corpus": ("data", "data"), "owner": ("manifest", "manifest"),
}  # fmt: skip


def _walk(sources: Sources, report: Report, share: float) -> None:
    assert sources.history is not None
    assert sources.store is not None
    try:
        replica = Replica(
            sources.manifest, sources.roster, PastChain(sources.history), read_only(sources.store)
        )
    except ManifestInvalid as error:
        report.tampered("model", "model", f"The model before the first round is not the manifest's: {error}")
        return
    except (StoreError, TrainError) as error:
        report.unchecked("model", "model", f"The model before the first round cannot be built: {error}")
        return
    walk = _Walk(sources, replica, report, share)
    for round_ in sources.rounds:
        try:
            walk.step(sources.manifest.heights(round_))
        except StoreError as error:
            report.unchecked("payloads", "payload", f"The store did not answer: {error}", round_=round_)
            return
        report.rounds += 1
        report.theta = "" if walk.models.lost else replica.hash


class _Walk:
    """The state of a verification between two rounds."""

    def __init__(self, sources: Sources, replica: Replica, report: Report, share: float) -> None:
        assert sources.history is not None
        self.sources, self.replica, self.report = sources, replica, report
        self.records = RecordChain(sources, report)
        self.models = ModelChain(sources, replica, self.records, report)
        count, run = len(sources.rounds), sources.manifest_hash
        beacon = sources.history.hashes[sources.manifest.heights(count - 1).close] if count else ""
        self.measured = {sources.rounds[number] for number in drawn(count, share, "rounds", run, beacon)}
        self.share = share
        log = sources.log
        most = sources.manifest.codec(replica.layout, 0).limit + seal.OVERHEAD
        self.lines = LineCheck(sources, log, report, most_bytes=most) if log and not log.of_peers else None
        self.scores = ScoreAudit(sources, replica, report) if sources.log and sources.corpus else None
        self.replay = Replay(sources, replica, share, beacon, report)

    def step(self, heights: RoundHeights) -> None:
        """Check one round, and move the model on."""
        sources, report, replica = self.sources, self.report, self.replica
        before = len(report.findings)
        with report.timed("payloads"):
            codec = sources.manifest.codec(replica.layout, heights.round)
            opened = payloads.open_round(sources, codec, heights)
        with report.timed("rounds"):
            followed = self.records.follow(heights, opened, replica.hash)
        with report.timed("payloads"):
            self._check_payloads(heights, followed, opened)
        sound = len(report.findings) == before and not self.models.lost
        combined = self.models.check(followed, heights, opened)
        measured = heights.round in self.measured
        if self.scores is not None:
            with report.timed("scores"):
                self.scores.check(heights, opened, measured=measured, may_measure=sound)
                taken = followed[0].record.accepted if followed and followed[0].record else ()
                self.scores.judge.continuity.close(heights.round, opened.received, taken)
        if not self.models.lost:
            record = followed[0].record if followed else None
            with report.timed("replay"):
                accepted = {entry.uid for entry in record.accepted} if record else set[int]()
                self.replay.check(heights, opened, accepted)
        self.models.move(followed, combined, heights)
        if self.lines is not None:
            with report.timed("record"):
                last = heights.round == sources.rounds[-1] and self.share > 0
                measured = (measured or last) and not self.models.lost
                self.lines.check_round(heights, followed, replica, measured=measured)
        if sources.log is not None:
            with report.timed("weights"):
                check_votes(sources, sources.log, heights, report)

    def _check_payloads(
        self, heights: RoundHeights, followed: list[Followed], opened: payloads.Opened
    ) -> None:
        seen: set[str] = set()
        for each in followed:
            if each.record is not None and each.record.hash not in seen:
                seen.add(each.record.hash)
                payloads.check_accepted(self.sources, heights, each.record.accepted, opened, self.report)


def _unread(sources: Sources, report: Report) -> None:
    history = sources.history
    assert history is not None
    if history.unread:
        said = (
            f"Blocks {', '.join(map(str, history.unread[:8]))} hold extrinsics that cannot be decoded here."
        )
        report.unchecked("rounds", "anchor", said)
    if history.unproven:
        count = len(history.unproven)
        report.checks[
            "rounds"
        ].note = f"the node has forgotten whether extrinsics of {count} blocks succeeded"


@contextmanager
def _one_thread() -> Generator[None]:
    """Bits agree on one thread of torch; the caller's number comes back."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
