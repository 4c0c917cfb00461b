"""One view of a run: the record's events folded once, with one rule for each question that pages ask.

Explanation, verdict, picture, dashboard, frames and resumption project from it, so that they cannot disagree.
Incremental: feed it events in order, at any pace, and read it at any time. What validators think is in
`verdicts`, what was paid in `pay`; nothing here is computed that was not recorded. Standard library only.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from math import isfinite
from operator import itemgetter
from statistics import median
from typing import Any, Final

from subnetlab.record.baselines import ALONE, BaselineCurve
from subnetlab.record.described import is_of_answers, loss_unit
from subnetlab.record.events import (
    BaselineEvaluated,
    BlockSealed,
    EpochPaid,
    Event,
    Mined,
    PeerGone,
    PeerReady,
    PeersJoined,
    PeerStatus,
    Phase,
    RoundClosed,
    RoundLost,
    RunEnded,
    RunInterrupted,
    RunStarted,
    RunStatus,
    Sampled,
    Scored,
    Spent,
    Stepped,
)
from subnetlab.record.pay import Pay
from subnetlab.record.reasons import MISSED
from subnetlab.record.verdicts import MinerView, Standing

MINING: Final = ("miner", "free_rider")
TAKES_PART: Final = (*MINING, "validator")
"""Roles of the peers that a run started on seats; `owner`, `other` and `unknown` are not its own."""


class RunView:
    """Everything a record says, up to now.

    Args:
        recent: how many of the newest rounds keep their details by miner and how many epochs stay whole; all
            unless given. Curves, counts and sums are of the whole run either way.
    """

    def __init__(self, *, recent: int | None = None) -> None:
        self._recent = recent
        self.started: RunStarted | None = None
        self.ended: RunEnded | None = None
        self.interrupted: RunInterrupted | None = None
        """Why the last supervisor left the run unfinished; None once the next one goes on."""
        self.seats: dict[int, dict[str, Any]] = {}
        self.ready: dict[int, PeerReady] = {}
        self.gone: dict[int, str] = {}
        """Peers that ended before the run and were not started again, with the reason."""
        self.miners: dict[int, MinerView] = {}
        self.pay = Pay()
        self.closed: dict[int, RoundClosed] = {}
        self.val_loss: dict[int, float] = {}
        """Held-out loss of the subnet's model after each closed round, in `loss_unit`."""
        self.mean_score: dict[int, float] = {}
        """Of a run of answers: the mean score of all miners in each closed round."""
        self.lost: dict[int, str] = {}
        """Rounds that left the model as it was, and why."""
        self.over: set[int] = set()
        """The rounds that are behind the run: closed or lost."""
        self.baseline_loss: dict[int, float] = {}
        """Held-out loss of one miner that trains by itself, by the round with as many steps."""
        self.baselines: dict[str, BaselineCurve] = {}
        """What is measured of each baseline, by name."""
        self.cpu_s: dict[int, float] = {}
        """Processor seconds of each peer's process, as far as its phases tell."""
        self.closed_at: dict[int, int] = {}
        """The block in which each round closed."""
        self.samples: dict[int, Sampled] = {}
        self.spent: list[Spent] = []
        self._uploads = self._uploaded_bytes = 0
        self._delivered = self._missed = False
        self.block = 0
        self.last_sealed: BlockSealed | None = None
        self.current = -1
        """The newest round of which anything is recorded."""
        self.dense_bytes = 0
        """One update as plain fp32."""
        self.waited_s = 0.0
        self.chain_s = 0.0
        self._opened: dict[int, int] = {}
        """The block in which each round opened."""
        self._in_order: list[tuple[int, int]] = []
        """The same as block and round, in order."""

    def add(self, event: Event | None) -> None:
        """Take in the next event; a kind this version does not know changes nothing."""
        fold = getattr(self, f"_on_{event.kind}", None) if event is not None else None
        if fold is not None:
            fold(event)

    # -- one method per kind of event --------------------------------------------------------------

    def _on_run_started(self, event: RunStarted) -> None:
        self.started, self.block = event, event.block
        self.seats |= {int(seat["uid"]): seat for seat in event.seats}

    def _on_peers_joined(self, event: PeersJoined) -> None:
        self.seats |= {int(seat["uid"]): seat for seat in event.seats}

    def _on_peer_ready(self, event: PeerReady) -> None:
        self.ready[event.uid] = event
        self.gone.pop(event.uid, None)

    def _on_peer_gone(self, event: PeerGone) -> None:
        self.gone[event.uid] = event.reason

    def _on_stepped(self, event: Stepped) -> None:
        if event.uid >= 0:  # a baseline is no part of the rounds, and may be ahead of them
            self._reach(event.round)

    def _on_mined(self, event: Mined) -> None:
        self._reach(event.round)
        mined = self.miner(event.uid).mined
        earlier = mined.get(event.round)  # a miner that was started again may tell a round twice
        self._uploads += earlier is None
        self._uploaded_bytes += event.wire_bytes - (earlier.wire_bytes if earlier else 0)
        mined[event.round] = event
        self.dense_bytes = max(self.dense_bytes, event.dense_bytes)

    def _on_scored(self, event: Scored) -> None:
        self._reach(event.round)
        missed = event.verdict in MISSED
        self._missed, self._delivered = self._missed or missed, self._delivered or not missed
        miner = self.miner(event.uid)
        miner.score_with(event)
        if event.round in self.closed:
            miner.close(event.round, self.closed[event.round].lead)

    def _on_round_closed(self, event: RoundClosed) -> None:
        self._reach(event.round)
        self.closed[event.round] = event
        if self.trains:
            self.val_loss[event.round] = event.val_loss
        elif "score" in event.metrics:
            self.mean_score[event.round] = event.metrics["score"]
        self.over.add(event.round)
        self.closed_at[event.round] = max(event.heights, default=0)
        if event.heights:
            self._open(event.round, event.heights[0])
        for miner in self.miners.values():
            miner.close(event.round, event.lead)

    def _on_round_lost(self, event: RoundLost) -> None:
        self._reach(event.round)
        self.lost[event.round] = event.reason
        self.over.add(event.round)

    def _on_alone_evaluated(self, event: BaselineEvaluated) -> None:
        curve = self.baselines.setdefault(event.baseline, BaselineCurve(event.baseline))
        curve.add(event, self.step_of(event), event.steps or self.rounds * self.inner_steps)
        if event.baseline == ALONE:
            self.baseline_loss[event.round] = event.val_loss

    def _on_phase(self, event: Phase) -> None:
        self.cpu_s[event.uid] = self.cpu_s.get(event.uid, 0.0) + event.cpu_s

    def _on_sampled(self, event: Sampled) -> None:
        self.samples[event.round] = event

    def _on_block_sealed(self, event: BlockSealed) -> None:
        self.interrupted, self.last_sealed = None, event
        self.block = max(self.block, event.number)
        self.waited_s += event.waited_s
        self.chain_s += event.chain_s
        if event.round >= 0:  # -1 before the first round opened
            self._reach(event.round)
            if event.round not in self.closed:
                self._open(event.round, min(event.number, self._opened.get(event.round, event.number)))

    def _on_epoch_paid(self, event: EpochPaid) -> None:
        self.block = max(self.block, event.block)
        self.pay.add(event)
        if self._recent is not None:
            self.pay.forget(max(self._recent, 2))

    def _on_spent(self, event: Spent) -> None:
        self.spent.append(event)

    def _on_run_interrupted(self, event: RunInterrupted) -> None:
        self.interrupted, self.block = event, max(self.block, event.block)

    def _on_run_ended(self, event: RunEnded) -> None:
        self.ended, self.block = event, max(self.block, event.block)

    def _open(self, round_: int, block: int) -> None:
        known = self._opened.get(round_)
        if known == block:
            return
        if known is not None:
            del self._in_order[bisect_left(self._in_order, (known, round_))]
        insort(self._in_order, (block, round_))
        self._opened[round_] = block

    def _reach(self, round_: int) -> None:
        if round_ <= self.current:
            return
        self.current = round_
        if self._recent is None:
            return
        before = round_ - self._recent + 1
        for miner in self.miners.values():
            miner.forget(before)
        newest = max(self.closed, default=-1)
        for number in [number for number in self.closed if number < before and number != newest]:
            del self.closed[number]

    def miner(self, uid: int) -> MinerView:
        """What is known of a miner; empty for one of which nothing is recorded."""
        return self.miners.setdefault(uid, MinerView(uid))

    # -- who ---------------------------------------------------------------------------------------

    def role(self, uid: int) -> str:
        """What a uid was started as: `miner`, `validator`, …, or an attacker's word such as `sign_flip`.

        `unknown` for a seat that is not of this run.
        """
        return _plays(self.seats[uid]) if uid in self.seats else "unknown"

    def seated_as(self, uid: int) -> str:
        """The role of a uid as the chain and the others see it: an attacker is a miner or a validator."""
        return str(self.seats[uid]["role"]) if uid in self.seats else "unknown"

    def hotkey(self, uid: int) -> str:
        """The ss58 address of a uid's hotkey; empty for a seat that is not of this run."""
        return str(self.seats[uid]["hotkey"]) if uid in self.seats else ""

    def uids(self, *roles: str) -> list[int]:
        """The uids of some roles as `role` tells them, ascending; `miner` counts honest miners alone."""
        return sorted(uid for uid, seat in self.seats.items() if uid >= 0 and _plays(seat) in roles)

    def _seated(self, *roles: str) -> list[int]:
        return sorted(uid for uid, seat in self.seats.items() if uid >= 0 and seat["role"] in roles)

    @property
    def honest(self) -> list[int]:
        """Miners that were started to train."""
        return self.uids("miner")

    @property
    def cheating(self) -> list[int]:
        """Miners that were started to earn without honest training."""
        return [uid for uid in self.mining if self.role(uid) != "miner"]

    @property
    def mining(self) -> list[int]:
        """All miners, honest or not."""
        return self._seated(*MINING)

    @property
    def peers(self) -> list[int]:
        """The seats that this run's own processes hold."""
        return self._seated(*TAKES_PART)

    def peer_status(self, uid: int) -> PeerStatus:
        """The status of a peer's process."""
        if uid in self.gone:
            return PeerStatus.GONE
        if uid not in self.ready:
            return PeerStatus.STARTING
        return PeerStatus.ENDED if self.ended is not None else PeerStatus.LIVE

    @property
    def up(self) -> list[int]:
        """The peers on seats whose process is up."""
        return [uid for uid in self.peers if self.peer_status(uid) is PeerStatus.LIVE]

    def standing(self, uid: int, *, upto: int | None = None) -> Standing:
        """What validators made of a miner so far, or up to a round; `gone` only for now."""
        if upto is None and uid in self.gone:
            return Standing.GONE
        found = self.miners.get(uid)
        return found.standing(upto=upto) if found else Standing.NOT_JUDGED

    def reason(self, uid: int) -> str:
        """Why a miner is gone, refused or missed, in words; empty for one that works."""
        standing = self.standing(uid)
        if standing is Standing.GONE:
            return self.gone[uid]
        found = self.miners[uid].refusal if standing in (Standing.REFUSED, Standing.MISSED) else None
        return found.reason if found else ""

    # -- how far -----------------------------------------------------------------------------------

    def status(self, *, supervised: bool | None = None) -> RunStatus:
        """The status of the run.

        Args:
            supervised: whether a supervisor holds the record: without one, a run that has not ended is
                interrupted. None for who cannot know: then the record alone decides.
        """
        if self.ended is not None:
            # Earlier versions recorded a diverged run as failed.
            lost = self.val_loss and not isfinite(self.val_loss[max(self.val_loss)])
            failed = self.ended.status == RunStatus.FAILED
            return RunStatus.DIVERGED if failed and lost else RunStatus(self.ended.status)
        if not supervised if supervised is not None else self.interrupted is not None:
            return RunStatus.INTERRUPTED
        return RunStatus.RUNNING if self.current >= 0 else RunStatus.STARTING

    @property
    def trains(self) -> bool:
        """Whether the run trains a model; a run of answers has scores and no loss."""
        return not is_of_answers(self.started.manifest if self.started else {})

    @property
    def undelivered(self) -> bool:
        """Whether rounds of training closed, and no miner's update was there in time in any of them."""
        return self.trains and bool(self.closed) and self._missed and not self._delivered

    @property
    def rounds(self) -> int:
        """How many rounds were planned."""
        return int(self.started.manifest.get("rounds") or 0) if self.started else 0

    @property
    def inner_steps(self) -> int:
        """Optimizer steps of a miner in one round; 1 where the manifest does not say."""
        strategy = self.started.manifest.get("strategy") if self.started else None
        return int((strategy or {}).get("inner_steps") or 1)

    def step_of(self, event: BaselineEvaluated) -> int:
        """How many steps a baseline had taken when it was evaluated."""
        return event.step or (event.round + 1) * self.inner_steps

    def evaluated(self, event: BaselineEvaluated) -> bool:
        """Whether the record holds this evaluation of this baseline already."""
        curve = self.baselines.get(event.baseline)
        return curve is not None and self.step_of(event) in curve.losses

    @property
    def last_closed(self) -> RoundClosed | None:
        """The newest round that closed."""
        return self.closed[max(self.closed)] if self.closed else None

    @property
    def loss_unit(self) -> str:
        """What losses are measured in, in words, as the run's manifest says."""
        return loss_unit(self.started.manifest if self.started else {})

    def round_at(self) -> Callable[[int], int | None]:
        """A function from a height to the round that ran then; None before the first."""

        def find(height: int) -> int | None:
            place = bisect_right(self._in_order, height, key=itemgetter(0))
            return self._in_order[place - 1][1] if place else None

        return find

    # -- how much ----------------------------------------------------------------------------------

    @property
    def honest_median_pay(self) -> float:
        """Median pay of the honest miners over the run, alpha-rao; 0 where there is none."""
        pay = [self.pay.total(uid) for uid in self.honest]
        return float(median(pay)) if pay else 0.0

    @property
    def wire_bytes_per_round(self) -> float:
        """Mean size of one miner's uploaded object in one round of the whole run; 0 before the first."""
        return self._uploaded_bytes / self._uploads if self._uploads else 0.0

    @property
    def chain_wait_share(self) -> float:
        """Share of the paced time that the chain itself took, 0 to 1."""
        total = self.waited_s + self.chain_s
        return self.chain_s / total if total else 0.0


def _plays(seat: dict[str, Any]) -> str:
    return str(seat.get("attacker") or seat["role"])
