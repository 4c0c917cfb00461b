"""Events into rows: plain Python, one function per frame, no polars.

`Gathered` keeps the last event of each kind and place: a round that a restarted supervisor recorded twice
appears once. Which epoch belongs to which round is decided by heights.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from statistics import fmean
from types import MappingProxyType
from typing import Any, TypeAlias

from subnetlab.record.events import (
    AloneEvaluated,
    BlockSealed,
    EpochPaid,
    Mined,
    PeerGone,
    PeerReady,
    RoundClosed,
    RoundLost,
    RunStarted,
    Scored,
    Spent,
    Stepped,
)
from subnetlab.record.line import Entry
from subnetlab.units import U16_MAX

Row: TypeAlias = dict[str, Any]


class Gathered:
    """A record's events by kind and place."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.seats: dict[int, Mapping[str, Any]] = {}
        self.ready: dict[int, PeerReady] = {}
        self.gone: dict[int, PeerGone] = {}
        self.mined: dict[tuple[int, int], Mined] = {}
        self.scored: dict[tuple[int, int, int], Scored] = {}
        self.closed: dict[int, RoundClosed] = {}
        self.lost: dict[int, RoundLost] = {}
        self.alone: dict[int, AloneEvaluated] = {}
        self.blocks: dict[int, tuple[float, BlockSealed]] = {}
        self.epochs: dict[int, EpochPaid] = {}
        self.steps: dict[tuple[int, int], float] = {}
        self.step_rounds: dict[tuple[int, int], int] = {}
        self.spent: list[tuple[float, Spent]] = []
        for entry in entries:
            self._take(entry)

    def _take(self, entry: Entry) -> None:  # noqa: C901, PLR0912 - one branch per kind
        match entry.event:
            case RunStarted(seats=seats):
                self.seats |= {int(seat["uid"]): seat for seat in seats}
            case PeerReady() as event:
                self.ready[event.uid] = event
                self.gone.pop(event.uid, None)
            case PeerGone() as event:
                self.gone[event.uid] = event
            case Mined() as event:
                self.mined[event.round, event.uid] = event
            case Scored() as event:
                self.scored[event.round, event.validator, event.uid] = event
            case RoundClosed() as event:
                self.closed[event.round] = event
            case RoundLost() as event:
                self.lost[event.round] = event
            case AloneEvaluated() as event:
                self.alone[event.round] = event
            case BlockSealed() as event:
                self.blocks[event.number] = (entry.time, event)
            case EpochPaid() as event:
                self.epochs[event.block] = event
            case Stepped() as event:
                for step, loss in enumerate(event.losses, start=event.first_step):
                    self.steps[event.uid, step] = loss
                    self.step_rounds[event.uid, step] = event.round
            case Spent() as event:
                self.spent.append((entry.time, event))
            case _:
                pass

    def role(self, uid: int) -> str | None:
        """What a uid was started as."""
        seat = self.seats.get(uid)
        return None if seat is None else str(seat["role"])

    def round_of(self) -> Callable[[int], int | None]:
        """A function from a height to the round that ran then; None before the first."""
        opens: dict[int, int] = {}
        for number, (_, block) in self.blocks.items():
            opens[block.round] = min(number, opens.get(block.round, number))
        opens |= {event.round: event.heights[0] for event in self.closed.values()}
        order = sorted((height, number) for number, height in opens.items())
        heights = [height for height, _ in order]

        def find(height: int) -> int | None:
            place = bisect_right(heights, height)
            return order[place - 1][1] if place else None

        return find


def miners(data: Gathered) -> list[Row]:
    """One row per miner and round in which it worked or was judged."""
    judged: dict[tuple[int, int], list[Scored]] = defaultdict(list)
    for (number, _, uid), event in sorted(data.scored.items()):
        judged[number, uid].append(event)
    pay, incentive = _pay_by_round(data)
    rows: list[Row] = []
    for number, uid in sorted({*data.mined, *judged}):
        work, verdicts = data.mined.get((number, uid)), judged.get((number, uid), [])
        closed = data.closed.get(number)
        verdict = _decisive(verdicts, closed.lead if closed else None)
        rows.append(
            {
                "round": number,
                "uid": uid,
                "role": data.role(uid),
                **_fields(work, "loss", "wire_bytes", "dense_bytes"),
                **_fields(work, "compute_s", "compress_s", "store_s", "wait_s", "chain_s"),
                "score": _mean(event.score for event in verdicts),
                "rating": _mean(event.rating for event in verdicts),
                "weight": _mean(event.weight for event in verdicts),
                "incentive": incentive(number, uid),
                "emission_alpha_rao": pay.get((number, uid), 0) if data.epochs else None,
                "verdict": verdict.verdict if verdict else None,
                "reason": verdict.reason if verdict else None,
            }
        )
    return rows


def rounds(data: Gathered) -> list[Row]:
    """One row per round that closed or was lost."""
    work: dict[int, list[Mined]] = defaultdict(list)
    for (number, _), event in data.mined.items():
        work[number].append(event)
    seals: dict[int, list[BlockSealed]] = defaultdict(list)
    for _, block in data.blocks.values():
        seals[block.round].append(block)
    return [
        {
            "round": number,
            **(
                _closing(data.closed[number]) if number in data.closed else {"lost": data.lost[number].reason}
            ),
            "payloads": len(work[number]),
            "wire_bytes": sum(one.wire_bytes for one in work[number]),
            "dense_bytes": sum(one.dense_bytes for one in work[number]),
            "waited_s": sum(block.waited_s for block in seals[number]),
            "chain_s": sum(block.chain_s for block in seals[number]),
        }
        for number in sorted({*data.closed, *data.lost})
    ]


def _closing(event: RoundClosed) -> Row:
    return {
        **dict(zip(("open", "commit", "beacon", "close"), event.heights, strict=False)),
        **_fields(event, "lead", "val_loss", "aggregate_s", "aggregate_hash", "theta_hash"),
        "accepted": len(event.accepted),
    }


def validators(data: Gathered) -> list[Row]:
    """One row per round, validator and miner it judged."""
    names = (
        "round", "validator", "uid", "verdict", "score", "loss_removed_assigned", "loss_removed_held_out",
        "rating", "weight", "norm", "reason",
    )  # fmt: skip
    return [_fields(event, *names) for _, event in sorted(data.scored.items())]


def blocks(data: Gathered) -> list[Row]:
    """One row per block the run waited for."""
    return [
        {"time": time, **_fields(block, "number", "hash", "round", "waited_s", "chain_s")}
        for _, (time, block) in sorted(data.blocks.items())
    ]


def epochs(data: Gathered) -> list[Row]:
    """One row per epoch and uid."""
    round_of = data.round_of()
    rows: list[Row] = []
    for _, event in sorted(data.epochs.items()):
        for place, uid in enumerate(event.uids):
            rows.append(
                {
                    "block": event.block,
                    "round": round_of(event.block),
                    "uid": uid,
                    "incentive": event.incentive[place] / U16_MAX,
                    "dividends": event.dividends[place] / U16_MAX,
                    "consensus": event.consensus[place] / U16_MAX,
                    "validator_trust": event.validator_trust[place] / U16_MAX,
                    "emission_alpha_rao": event.emission_alpha_rao[place],
                    "stake_alpha_rao": event.stake_alpha_rao[place],
                    "validator_permit": event.validator_permit[place],
                }
            )
    return rows


def losses(data: Gathered) -> list[Row]:
    """One row per round: the subnet beside one miner alone."""
    return [
        {
            "round": number,
            "subnet": data.closed[number].val_loss if number in data.closed else None,
            "alone": data.alone[number].val_loss if number in data.alone else None,
        }
        for number in sorted({*data.closed, *data.alone})
    ]


def money(data: Gathered) -> list[Row]:
    """One row per stake or payment, in the order they were made."""
    return [{"time": time, **_fields(event, "what", "amount_rao", "to", "tx")} for time, event in data.spent]


def steps(data: Gathered) -> list[Row]:
    """One row per inner step of each peer."""
    return [
        {"round": data.step_rounds[uid, step], "uid": uid, "step": step, "loss": loss}
        for (uid, step), loss in sorted(data.steps.items(), key=lambda item: (item[0][1], item[0][0]))
    ]


def peers(data: Gathered) -> list[Row]:
    """One row per peer."""
    rows: list[Row] = []
    for uid in sorted({*data.seats, *data.ready, *data.gone}):
        ready, gone = data.ready.get(uid), data.gone.get(uid)
        seat = data.seats.get(uid)
        rows.append(
            {
                "uid": uid,
                "role": data.role(uid),
                "hotkey": None if seat is None else str(seat["hotkey"]),
                "pid": ready.pid if ready else None,
                "ready_s": ready.seconds if ready else None,
                "gone": gone.reason if gone else None,
            }
        )
    return rows


ROWS: MappingProxyType[str, Callable[[Gathered], list[Row]]] = MappingProxyType(
    {
        "miners": miners,
        "rounds": rounds,
        "validators": validators,
        "blocks": blocks,
        "epochs": epochs,
        "losses": losses,
        "money": money,
        "steps": steps,
        "peers": peers,
    }
)
"""How each frame's rows are made."""


def _fields(event: Any, *names: str) -> Row:
    return {name: None if event is None else getattr(event, name) for name in names}


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return fmean(found) if found else None


def _decisive(verdicts: list[Scored], lead: int | None) -> Scored | None:
    """The lead's verdict, else the most common one, else none."""
    if not verdicts:
        return None
    for event in verdicts:
        if event.validator == lead:
            return event
    common = Counter(event.verdict for event in verdicts).most_common(1)[0][0]
    return next(event for event in verdicts if event.verdict == common)


def _pay_by_round(
    data: Gathered,
) -> tuple[dict[tuple[int, int], int], Callable[[int, int], float | None]]:
    """What each uid was paid in each round, and its incentive as of the last epoch up to a round."""
    round_of = data.round_of()
    pay: dict[tuple[int, int], int] = defaultdict(int)
    history: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for _, event in sorted(data.epochs.items()):
        number = round_of(event.block)
        for place, uid in enumerate(event.uids):
            history[uid].append((-1 if number is None else number, event.incentive[place] / U16_MAX))
            if number is not None:
                pay[number, uid] += event.paid_to(uid)

    def incentive(number: int, uid: int) -> float | None:
        known = history.get(uid, [])
        place = bisect_right([when for when, _ in known], number)
        return known[place - 1][1] if place else None

    return dict(pay), incentive
