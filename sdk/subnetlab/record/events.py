"""What a record can say: one frozen dataclass per kind of event, the single source of names and units.

Peers and the supervisor create events; `record.writer` appends them, `frames` turns them into columns, and
widgets replay them. A field is never renamed or given a new unit: add a field with a default instead, so
that old records still open. Losses are in the unit that the manifest names, sizes bytes, times seconds,
money integer rao or alpha-rao, blocks chain heights. Standard library only.
"""

from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from math import isfinite, nan
from typing import Any, ClassVar, Literal, cast


class RunStatus(StrEnum):
    """The status of a run."""

    STARTING = "starting"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    DIVERGED = "diverged"
    """Ended because the loss of the model is no longer a number, or far above where it began."""
    INTERRUPTED = "interrupted"
    """Left unfinished by its supervisor; attaching goes on."""


class PeerStatus(StrEnum):
    """The status of a peer's process."""

    STARTING = "starting"
    LIVE = "live"
    ENDED = "ended"
    """It did its part of the run and left."""
    GONE = "gone"
    """It ended before the run did."""


Role = Literal["owner", "miner", "free_rider", "validator", "alone", "other", "unknown"]
"""What a peer was started as; validators never see it, `explain` and tests do.

`other` holds a seat on the subnet but is not of the run; of an `unknown` one nothing is known.
"""

SpentWhat = Literal["stake", "pay", "unstake", "execute", "register", "fund", "withdraw", "escrow"]
"""What was spent on; `fund` and `withdraw` move between the halves of a chain, `execute` is the rest."""

BASELINE_UID = -1
"""The first baseline holds no seat on the subnet, and neither do further ones: -2, -3 and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events; `kind` names the class on the wire."""

    kind: ClassVar[str] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """The first event of every record: what was started, where, and who holds which uid."""

    kind: ClassVar[str] = "run_started"
    run_id: str
    network: str
    netuid: int
    manifest_hash: str
    manifest: dict[str, Any]
    seats: list[dict[str, Any]]
    """`{"uid", "hotkey", "role"}` per peer, uid order; the owner's seat included. The seat of an attacker has
    `"attacker"` too, the word of its attack, except that of a free rider, whose role says it; the seat of a
    peer that does not compute on a CPU has `"device"`."""
    block: int
    play_money: bool | None = None
    """Whether the chain calls itself a development chain; None in old records, which were all made on one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeersJoined(Event):
    """Peers on new seats, which take part from the round that opens at `block`."""

    kind: ClassVar[str] = "peers_joined"
    seats: list[dict[str, Any]]
    """As in `RunStarted`."""
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerReady(Event):
    """A peer process is up; `seconds` since the fleet was asked for."""

    kind: ClassVar[str] = "peer_ready"
    uid: int
    pid: int
    seconds: float
    node: str = ""
    """Of a peer on a cluster: the host, and what the cluster calls the node there."""
    device: str = ""
    """On which its model computes, in torch's words; empty in earlier records and where there is no model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped(Event):
    """Training losses of some inner steps, oldest first."""

    kind: ClassVar[str] = "stepped"
    uid: int
    round: int
    first_step: int
    losses: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase(Event):
    """A peer has finished its part before the block height `until`; the pacer waits for these.

    `name`: miners `committed`, `revealed`, `synced`; validators `ready`, `scored`, `synced`.
    """

    kind: ClassVar[str] = "phase"
    uid: int
    round: int
    name: str
    until: int
    cpu_s: float = 0.0
    """Processor seconds of the peer's process since its phase before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined(Event):
    """One miner's work of one round and where its seconds went."""

    kind: ClassVar[str] = "mined"
    uid: int
    round: int
    loss: float
    """Mean training loss over the round's inner steps."""
    wire_bytes: int
    """Size of the whole uploaded object, header and encryption included."""
    dense_bytes: int
    """Size of the same update as plain fp32."""
    commitment: str
    compute_s: float
    compress_s: float
    store_s: float
    wait_s: float
    """Waiting for the slowest peer or for the lead."""
    chain_s: float
    """Submitting to, and waiting on, the chain itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored(Event):
    """One validator's verdict about one miner's payload in one round."""

    kind: ClassVar[str] = "scored"
    validator: int
    uid: int
    round: int
    verdict: str
    """`accepted`, `gated` or a payload reason such as `missing`, `late`, `wrong_hash`, `not_finite`."""
    score: float
    """Loss removed on held-out data, relative; 0 where nothing could be scored."""
    loss_removed_assigned: float
    loss_removed_held_out: float
    rating: float
    weight: float
    """Share of this validator's weights, 0 to 1."""
    norm: float
    reason: str = ""
    """Why it was gated, in words."""
    own_work: float = 0.0
    """Evidence over all rounds that its work is its own, in nats; 0 where the run weighs none."""
    noise: float = 0.0
    """Standard error of the loss removed on assigned data less that on held-out data; 0 where not weighed."""
    tried: bool = True
    """Whether the payload was tried on data, if it was sound: of many a round tries a sample."""
    audit: str = ""
    """What training the round again came to: `same`, `alike`, `away` or the verdict that refuses the payload.
    Empty where the round was not drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsSet(Event):
    """A validator submitted weights (u16 per uid)."""

    kind: ClassVar[str] = "weights_set"
    validator: int
    round: int
    weights: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundClosed(Event):
    """The lead published the aggregate; the model of the next round is fixed."""

    kind: ClassVar[str] = "round_closed"
    round: int
    lead: int
    heights: list[int]
    """Block heights of open, commit deadline, beacon, close."""
    accepted: list[list[Any]]
    """`[uid, payload hash]` in uid order."""
    aggregate_hash: str
    theta_hash: str
    val_loss: float
    """Held-out loss of the model after this round."""
    aggregate_s: float
    metrics: dict[str, float] = field(default_factory=dict[str, float])
    """What the task measures of the same model beside its loss, by name; only finite numbers."""
    checkpoint: str = ""
    """Hash of the checkpoint that the round's record names; empty where none was due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundLost(Event):
    """A round that left nothing on chain: the model is as before. Every round is closed or lost, once."""

    kind: ClassVar[str] = "round_lost"
    round: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineEvaluated(Event):
    """Held-out loss of a baseline: a model that trains without the subnet, on a budget of its own."""

    kind: ClassVar[str] = "alone_evaluated"
    round: int
    """Counts the baseline's steps as the subnet's rounds do: after as many steps as this round closes."""
    val_loss: float
    compute_s: float
    baseline: str = "alone"
    """Which baseline; see `record.baselines`."""
    step: int = 0
    """Optimizer steps so far; 0 in old records, where a round's worth of steps lies between two events."""
    steps: int = 0
    """Optimizer steps in all: at the last one its learning rate has come to its end."""
    cpu_s: float = 0.0
    """Processor seconds of training since its event before; what judging took is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled(Event):
    """What the model writes after this round, continuing `prompt`."""

    kind: ClassVar[str] = "sampled"
    round: int
    prompt: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSealed(Event):
    """A block the run waited for: how long peers worked before it and the chain took for it."""

    kind: ClassVar[str] = "block_sealed"
    number: int
    hash: str
    round: int
    waited_s: float
    """From the previous seal until every live peer had reported."""
    chain_s: float
    """From the order to seal until the block was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochPaid(Event):
    """The chain's own result of one Yuma epoch; lists by uid.

    Results are read at `block`; stake, permits and weight rows one block earlier, because that is what Yuma
    was given.
    """

    kind: ClassVar[str] = "epoch_paid"
    block: int
    uids: list[int]
    incentive: list[int]
    """u16, as are dividends, consensus and validator_trust."""
    dividends: list[int]
    consensus: list[int]
    validator_trust: list[int]
    emission_alpha_rao: list[int]
    """Paid to the uid by this epoch."""
    stake_alpha_rao: list[int]
    validator_permit: list[bool]
    weights: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    """On-chain weight rows (u16), by validator uid then uid."""
    reassigned: dict[str, str] = field(default_factory=dict[str, str])
    """Uids that another hotkey than the run's held at `block`, and that hotkey (ss58)."""

    def paid_to(self, uid: int) -> int:
        """Alpha-rao that this epoch paid to the run's own holder of a uid: nothing once another holds it."""
        if uid not in self.uids or str(uid) in self.reassigned:
            return 0
        return self.emission_alpha_rao[self.uids.index(uid)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerGone(Event):
    """A peer process ended before the run did."""

    kind: ClassVar[str] = "peer_gone"
    uid: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent(Event):
    """A stake or a payment made in the name of this run."""

    kind: ClassVar[str] = "spent"
    what: SpentWhat
    tx: str
    amount_rao: int
    """What left the wallet beside the fee; below 0 where it came back."""
    to: str
    """A hotkey or an account (ss58 or `0x…`); empty where an intent names none."""
    wallet: str = ""
    """Who paid (ss58 or `0x…`); empty in records of earlier versions."""
    fee_rao: int = 0
    block: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInterrupted(Event):
    """The supervisor left the run unfinished, and the next goes on; one that is killed writes nothing."""

    kind: ClassVar[str] = "run_interrupted"
    reason: str
    block: int
    pending: Literal["", "finished", "stopped", "failed", "diverged"] = ""
    """How the run ends once its model is written, where training is over and only that is missing."""
    pending_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Event):
    """The last event: `finished`, `stopped`, `failed` or `diverged`, with the reason in words."""

    kind: ClassVar[str] = "run_ended"
    status: Literal["finished", "stopped", "failed", "diverged"]
    reason: str
    block: int
    wall_s: float
    energy_j: float | None = None
    """What the machine's processors used in that time, all programs; None where it does not tell."""


KINDS: dict[str, type[Event]] = {
    cls.kind: cls
    for cls in (
        RunStarted, PeersJoined, PeerReady, Stepped, Phase, Mined, Scored, WeightsSet, RoundClosed, RoundLost,
        BaselineEvaluated, Sampled, BlockSealed, EpochPaid, PeerGone, Spent, RunInterrupted, RunEnded,
    )
}  # fmt: skip


def to_json(event: Event) -> dict[str, Any]:
    """The event as JSON types, its kind first; a number that is not finite becomes null."""
    return {"kind": event.kind, **{name: _strict(value) for name, value in asdict(event).items()}}


def from_json(data: dict[str, Any]) -> Event | None:
    """Read an event back, ignoring fields from a newer version; None for an unknown kind."""
    cls = KINDS.get(str(data.get("kind")))
    if cls is None:
        return None
    known: dict[str, Any] = {f.name: f.type for f in fields(cls)}
    return cls(**{name: _with_nan(known[name], value) for name, value in data.items() if name in known})


def _strict(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, list):
        return [_strict(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in cast("dict[Any, Any]", value).items()}
    return value


def _with_nan(kind: Any, value: Any) -> Any:
    """A null in a field of floats is a number that was not finite."""
    if kind is float:
        return nan if value is None else value
    if kind == list[float] and isinstance(value, list):
        return [nan if item is None else item for item in cast("list[Any]", value)]
    return value
