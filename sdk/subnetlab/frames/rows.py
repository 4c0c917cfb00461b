"""A record as rows: plain Python, one function per frame, no polars.

`Gathered` is the view of the run and, beside it, what frames show and pages do not: each step and the time of
each block and payment. What a verdict, a role or a round's pay is, the view decides.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from operator import itemgetter
from types import MappingProxyType
from typing import Any, TypeAlias

from subnetlab.record.events import (
    BlockSealed,
    Mined,
    RoundClosed,
    Scored,
    Spent,
    Stepped,
)
from subnetlab.record.line import Entry
from subnetlab.record.view import RunView
from subnetlab.units import U16_MAX

Row: TypeAlias = dict[str, Any]


class Gathered:
    """A record's view, and its events that no page shows, by place."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.view = RunView()
        self.blocks: dict[int, tuple[float, BlockSealed]] = {}
        self.steps: dict[tuple[int, int], tuple[int, float]] = {}
        """Round and loss, by uid and step."""
        self.spent: list[tuple[float, Spent]] = []
        for entry in entries:
            self._take(entry)

    def _take(self, entry: Entry) -> None:
        self.view.add(entry.event)
        match entry.event:
            case BlockSealed() as event:
                self.blocks[event.number] = (entry.time, event)
            case Stepped() as event:
                for step, loss in enumerate(event.losses, start=event.first_step):
                    self.steps[event.uid, step] = (event.round, loss)
            case Spent() as event:
                self.spent.append((entry.time, event))
            case _:
                pass

    def role(self, uid: int) -> str | None:
        """What a uid was started as; None for one without a seat."""
        return self.view.role(uid) if uid in self.view.seats else None


def miners(data: Gathered) -> list[Row]:
    """One row per miner and round in which it worked or was judged."""
    pay, incentive = _pay_by_round(data.view)
    rows: list[Row] = []
    found = data.view.miners
    for number, uid in sorted((n, uid) for uid, miner in found.items() for n in {*miner.mined, *miner.votes}):
        work, judgement = found[uid].mined.get(number), found[uid].judgement(number)
        rows.append(
            {
                "round": number,
                "uid": uid,
                "role": data.role(uid),
                **_fields(work, "loss", "wire_bytes", "dense_bytes"),
                **_fields(work, "compute_s", "compress_s", "store_s", "wait_s", "chain_s"),
                **_fields(judgement, "score", "rating", "weight"),
                "incentive": incentive(number, uid),
                "emission_alpha_rao": pay.get((number, uid), 0) if data.view.pay.last else None,
                **_fields(judgement, "verdict", "reason"),
            }
        )
    return rows


def rounds(data: Gathered) -> list[Row]:
    """One row per round that closed or was lost."""
    work: dict[int, list[Mined]] = defaultdict(list)
    for miner in data.view.miners.values():
        for number, event in miner.mined.items():
            work[number].append(event)
    seals: dict[int, list[BlockSealed]] = defaultdict(list)
    for _, block in data.blocks.values():
        seals[block.round].append(block)
    return [
        {
            "round": number,
            **(
                _closing(data.view.closed[number])
                if number in data.view.closed
                else {"lost": data.view.lost[number]}
            ),
            "payloads": len(work[number]),
            "wire_bytes": sum(one.wire_bytes for one in work[number]),
            "dense_bytes": sum(one.dense_bytes for one in work[number]),
            "waited_s": sum(block.waited_s for block in seals[number]),
            "chain_s": sum(block.chain_s for block in seals[number]),
        }
        for number in sorted(data.view.over)
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
        "rating", "weight", "norm", "reason", "own_work", "noise", "tried",
        "audit",
    )  # fmt: skip
    votes = [
        vote
        for miner in data.view.miners.values()
        for found in miner.votes.values()
        for vote in found.values()
    ]
    return [_fields(vote, *names) for vote in sorted(votes, key=_place)]


def _place(vote: Scored) -> tuple[int, int, int]:
    return (vote.round, vote.validator, vote.uid)


def blocks(data: Gathered) -> list[Row]:
    """One row per block the run waited for."""
    return [
        {"time": time, **_fields(block, "number", "hash", "round", "waited_s", "chain_s")}
        for _, (time, block) in sorted(data.blocks.items())
    ]


def epochs(data: Gathered) -> list[Row]:
    """One row per epoch and uid."""
    round_at = data.view.round_at()
    rows: list[Row] = []
    for event in data.view.pay.epochs:
        for place, uid in enumerate(event.uids):
            rows.append(
                {
                    "block": event.block,
                    "round": round_at(event.block),
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
    subnet, baseline = data.view.val_loss, data.view.baseline_loss
    return [
        {"round": number, "subnet": subnet.get(number), "alone": baseline.get(number)}
        for number in sorted({*subnet, *baseline})
    ]


def baselines(data: Gathered) -> list[Row]:
    """One row per baseline and step at which it was judged."""
    return [
        {"baseline": name, "step": step, "steps": curve.steps, "val_loss": loss}
        for name, curve in sorted(data.view.baselines.items())
        for step, loss in sorted(curve.losses.items())
    ]


def metrics(data: Gathered) -> list[Row]:
    """One row per round and metric."""
    return [
        {"round": number, "metric": name, "value": value}
        for number, event in sorted(data.view.closed.items())
        for name, value in sorted(event.metrics.items())
    ]


def money(data: Gathered) -> list[Row]:
    """One row per stake or payment, in the order they were made."""
    named = ("what", "amount_rao", "to", "tx", "wallet", "fee_rao", "block")
    return [{"time": time, **_fields(event, *named)} for time, event in data.spent]


def steps(data: Gathered) -> list[Row]:
    """One row per inner step of each peer."""
    order = sorted(data.steps.items(), key=lambda item: (item[0][1], item[0][0]))
    return [
        {"round": number, "uid": uid, "step": step, "loss": loss} for (uid, step), (number, loss) in order
    ]


def peers(data: Gathered) -> list[Row]:
    """One row per peer."""
    rows: list[Row] = []
    view = data.view
    for uid in sorted({*view.seats, *view.ready, *view.gone}):
        ready = view.ready.get(uid)
        rows.append(
            {
                "uid": uid,
                "role": data.role(uid),
                "hotkey": view.hotkey(uid) if uid in view.seats else None,
                "pid": ready.pid if ready else None,
                "device": (ready.device or None) if ready else None,
                "ready_s": ready.seconds if ready else None,
                "cpu_s": view.cpu_s.get(uid),
                "gone": view.gone.get(uid),
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
        "metrics": metrics,
        "baselines": baselines,
        "money": money,
        "steps": steps,
        "peers": peers,
    }
)
"""How each frame's rows are made."""


def _fields(event: Any, *names: str) -> Row:
    return {name: None if event is None else getattr(event, name) for name in names}


def _pay_by_round(
    view: RunView,
) -> tuple[dict[tuple[int, int], int], Callable[[int, int], float | None]]:
    """What each uid was paid in each round, and its incentive as of the last epoch up to a round."""
    round_at = view.round_at()
    pay: dict[tuple[int, int], int] = defaultdict(int)
    history: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for event in view.pay.epochs:
        number = round_at(event.block)
        for place, uid in enumerate(event.uids):
            history[uid].append((-1 if number is None else number, event.incentive[place] / U16_MAX))
            if number is not None:
                pay[number, uid] += event.paid_to(uid)

    def incentive(number: int, uid: int) -> float | None:
        known = history.get(uid, [])
        place = bisect_right(known, number, key=itemgetter(0))
        return known[place - 1][1] if place else None

    return dict(pay), incentive
