"""A record folded into what people ask of it: curves, pay, bytes and seconds, by uid and by round.

Pure and incremental: feed it events in order, at any pace, and read its fields at any time. It keeps no
event, so a long run costs memory by rounds and uids only. Nothing here is computed that was not recorded.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median

from subnetlab.record.events import (
    AloneEvaluated,
    BlockSealed,
    EpochPaid,
    Event,
    Mined,
    PeerGone,
    PeerReady,
    RoundClosed,
    RoundLost,
    RunEnded,
    RunInterrupted,
    RunStarted,
    Sampled,
    Scored,
    WeightsSet,
)

ACCEPTED = "accepted"


@dataclass(slots=True)
class MinerTally:
    """What the record says of one miner."""

    uid: int
    losses: dict[int, float] = field(default_factory=dict[int, float])
    """Mean training loss by round."""
    wire_bytes: dict[int, int] = field(default_factory=dict[int, int])
    scores: dict[int, list[Scored]] = field(default_factory=lambda: defaultdict(list[Scored]))
    """Verdicts by round, one per validator."""
    gone: str = ""

    @property
    def verdicts(self) -> list[Scored]:
        """All verdicts, oldest first."""
        return [verdict for number in sorted(self.scores) for verdict in self.scores[number]]

    @property
    def accepted(self) -> int:
        """In how many rounds at least one validator accepted the payload."""
        return sum(any(v.verdict == ACCEPTED for v in verdicts) for verdicts in self.scores.values())

    @property
    def mean_score(self) -> float:
        """Loss removed on held-out data, relative, mean over all verdicts; 0 before the first."""
        verdicts = self.verdicts
        return sum(v.score for v in verdicts) / len(verdicts) if verdicts else 0.0


@dataclass(slots=True)
class Tally:
    """Everything a verdict, an explanation or a picture reads."""

    started: RunStarted | None = None
    ended: RunEnded | None = None
    interrupted: RunInterrupted | None = None
    """Why the last supervisor left the run unfinished; None once the next one goes on."""
    val_loss: dict[int, float] = field(default_factory=dict[int, float])
    """Held-out loss of the subnet's model after each round, nats per byte."""
    lost: dict[int, str] = field(default_factory=dict[int, str])
    """Rounds that were cut off and left the model as it was, and why."""
    alone_loss: dict[int, float] = field(default_factory=dict[int, float])
    closed_at: dict[int, int] = field(default_factory=dict[int, int])
    """The block in which each round closed."""
    miners: dict[int, MinerTally] = field(default_factory=dict[int, MinerTally])
    epochs: list[EpochPaid] = field(default_factory=list[EpochPaid])
    weights: dict[int, WeightsSet] = field(default_factory=dict[int, WeightsSet])
    """The last weights each validator submitted."""
    samples: list[Sampled] = field(default_factory=list[Sampled])
    dense_bytes: int = 0
    """One update as plain fp32."""
    waited_s: float = 0.0
    chain_s: float = 0.0
    ready: dict[int, float] = field(default_factory=dict[int, float])
    gone: dict[int, str] = field(default_factory=dict[int, str])
    block: int = 0
    first_sealed: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Miners' seconds by what they were spent on, summed."""

    def add(self, event: Event | None) -> None:  # noqa: C901, PLR0912  (one arm per kind of event)
        """Take in the next event; a kind this version does not know changes nothing."""
        match event:
            case RunStarted():
                self.started, self.block = event, event.block
            case PeerReady():
                self.ready[event.uid] = event.seconds
                self.gone.pop(event.uid, None)
            case Mined():
                self._mined(event)
            case Scored():
                self._miner(event.uid).scores[event.round].append(event)
            case WeightsSet():
                self.weights[event.validator] = event
            case RoundClosed():
                self.val_loss[event.round] = event.val_loss
                self.closed_at[event.round] = max(event.heights, default=0)
            case RoundLost():
                self.lost[event.round] = event.reason
            case AloneEvaluated():
                self.alone_loss[event.round] = event.val_loss
            case Sampled():
                self.samples.append(event)
            case BlockSealed():
                self.block, self.interrupted = max(self.block, event.number), None
                self.first_sealed = self.first_sealed or event.number
                self.waited_s += event.waited_s
                self.chain_s += event.chain_s
            case EpochPaid():
                self.epochs.append(event)
                self.block = max(self.block, event.block)
            case PeerGone():
                self.gone[event.uid] = event.reason
            case RunInterrupted():
                self.interrupted, self.block = event, max(self.block, event.block)
            case RunEnded():
                self.ended, self.block = event, max(self.block, event.block)
            case _:
                pass

    def _miner(self, uid: int) -> MinerTally:
        return self.miners.setdefault(uid, MinerTally(uid))

    def _mined(self, event: Mined) -> None:
        miner = self._miner(event.uid)
        miner.losses[event.round] = event.loss
        miner.wire_bytes[event.round] = event.wire_bytes
        self.dense_bytes = max(self.dense_bytes, event.dense_bytes)
        for name in ("compute_s", "compress_s", "store_s", "wait_s", "chain_s"):
            self.seconds[name.removesuffix("_s")] += getattr(event, name)

    # -- what is asked of it -----------------------------------------------------------------------

    def role(self, uid: int) -> str:
        """What a uid was started as; `unknown` for a seat that is not of this run."""
        seats = self.started.seats if self.started else []
        return next((str(seat["role"]) for seat in seats if seat["uid"] == uid), "unknown")

    def hotkey(self, uid: int) -> str:
        """The ss58 address of a uid's hotkey; empty for a seat that is not of this run."""
        seats = self.started.seats if self.started else []
        return next((str(seat["hotkey"]) for seat in seats if seat["uid"] == uid), "")

    def uids(self, *roles: str) -> list[int]:
        """The uids of some roles, ascending."""
        seats = self.started.seats if self.started else []
        return sorted(int(seat["uid"]) for seat in seats if seat["role"] in roles and int(seat["uid"]) >= 0)

    @property
    def over(self) -> set[int]:
        """The rounds that are behind the run: closed or lost."""
        return {*self.val_loss, *self.lost}

    @property
    def rounds(self) -> int:
        """How many rounds were planned."""
        return int(self.started.manifest.get("rounds", 0)) if self.started else 0

    def paid(self, uid: int) -> int:
        """Emission of a uid over the whole run, alpha-rao."""
        return sum(epoch.paid_to(uid) for epoch in self.epochs)

    def pay_by_epoch(self, uid: int) -> list[int]:
        """Emission of a uid, epoch by epoch, alpha-rao."""
        return [epoch.paid_to(uid) for epoch in self.epochs]

    def incentive(self, uid: int) -> float:
        """The uid's share of what miners earned in the last epoch, 0 to 1."""
        if not self.epochs or uid not in self.epochs[-1].uids:
            return 0.0
        last = self.epochs[-1]
        total = sum(last.incentive)
        return last.incentive[last.uids.index(uid)] / total if total else 0.0

    @property
    def honest_median_pay(self) -> float:
        """Median emission of the honest miners, alpha-rao; 0 when there is none."""
        pay = [self.paid(uid) for uid in self.uids("miner")]
        return float(median(pay)) if pay else 0.0

    @property
    def wire_bytes_per_round(self) -> float:
        """Median size of one miner's uploaded object in one round; 0 before the first."""
        sizes = [size for miner in self.miners.values() for size in miner.wire_bytes.values()]
        return float(median(sizes)) if sizes else 0.0

    @property
    def chain_wait_share(self) -> float:
        """Share of the paced time that the chain itself took, 0 to 1."""
        total = self.waited_s + self.chain_s
        return self.chain_s / total if total else 0.0
