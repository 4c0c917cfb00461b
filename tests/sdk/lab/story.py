"""A small recorded run, told in real events: the epochs are paid by the real Yuma, nothing else is clever.

Five miners (uid 1 to 5, the last a free rider), two validators (6, 7), the owner (0).
"""

from collections.abc import Iterator
from pathlib import Path

from subnetlab.record.events import (
    BaselineEvaluated,
    BlockSealed,
    EpochPaid,
    Event,
    Mined,
    PeerReady,
    RoundClosed,
    RunEnded,
    RunStarted,
    Scored,
    WeightsSet,
)
from subnetlab.record.line import FILE_NAME
from subnetlab.record.writer import RecordWriter
from subnetlab.yuma.epoch import EpochInput, Neuron, run_epoch

MINERS, FREE_RIDER, VALIDATORS = (1, 2, 3, 4), 5, (6, 7)
UIDS = list(range(8))
STAKE = {6: 60_000_000_000, 7: 40_000_000_000}
EMISSION = 8_000_000_000
ROUNDS = 4


def role(uid: int) -> str:
    if uid == 0:
        return "owner"
    if uid in VALIDATORS:
        return "validator"
    return "free_rider" if uid == FREE_RIDER else "miner"


def started(rounds: int = ROUNDS) -> RunStarted:
    return RunStarted(
        run_id="r1", network="devnet", netuid=2, manifest_hash="ab", manifest={"rounds": rounds},
        seats=[{"uid": uid, "hotkey": f"5hotkey{uid}", "role": role(uid)} for uid in UIDS], block=10,
    )  # fmt: skip


def weights(friend: int | None = None) -> dict[str, dict[str, int]]:
    """Rows of both validators; validator 7 lifts its `friend`, if it has one."""
    honest = {str(uid): 65535 for uid in MINERS}
    biased = {**honest, str(friend): 65535} if friend is not None else honest
    return {"6": honest, "7": biased}


def epoch(block: int, rows: dict[str, dict[str, int]]) -> EpochPaid:
    neurons = tuple(
        Neuron(
            stake=STAKE.get(uid, 0) << 64,
            last_update=block,
            registered_at=0,
            permit=uid in VALIDATORS,
            weights=tuple((int(j), w) for j, w in rows.get(str(uid), {}).items()),
        )
        for uid in UIDS
    )
    found = run_epoch(EpochInput(block=block, fresh_since=0, emission=EMISSION, neurons=neurons))
    u16 = [share * 65535 >> 32 for share in found.incentive]
    return EpochPaid(
        block=block, uids=UIDS, incentive=u16, dividends=[share * 65535 >> 32 for share in found.dividends],
        consensus=[share * 65535 >> 32 for share in found.consensus],
        validator_trust=[share * 65535 >> 32 for share in found.validator_trust],
        emission_alpha_rao=found.emission, stake_alpha_rao=[STAKE.get(uid, 0) for uid in UIDS],
        validator_permit=[uid in VALIDATORS for uid in UIDS], weights=rows,
    )  # fmt: skip


def one_round(number: int) -> Iterator[Event]:
    for uid in (*MINERS, FREE_RIDER):
        works = uid != FREE_RIDER
        yield Mined(
            uid=uid, round=number, loss=3.0 - number / 4 if works else 0.0, wire_bytes=28_700,
            dense_bytes=4_101_632, commitment="c", compute_s=0.4, compress_s=0.02, store_s=0.01,
            wait_s=0.05, chain_s=0.02,
        )  # fmt: skip
        for validator in VALIDATORS:
            yield Scored(
                validator=validator, uid=uid, round=number, verdict="accepted" if works else "gated",
                score=0.02 if works else 0.0, loss_removed_assigned=0.03 if works else -0.01,
                loss_removed_held_out=0.02 if works else -0.01, rating=1.0, weight=0.25 if works else 0.0,
                norm=1.0, reason="" if works else "it removed no loss",
            )  # fmt: skip
    yield BlockSealed(number=11 + 4 * number, hash="0x", round=number, waited_s=0.9, chain_s=0.1)
    yield RoundClosed(
        round=number, lead=6, heights=[11 + 4 * number + i for i in range(4)],
        accepted=[[uid, "h"] for uid in MINERS], aggregate_hash="a", theta_hash="t",
        val_loss=4.0 - number / 2, aggregate_s=0.01,
    )  # fmt: skip
    yield BaselineEvaluated(round=number, val_loss=4.2 - number / 3, compute_s=0.4)


def story(rounds: int = ROUNDS, *, friend: int | None = None, ended: bool = True) -> Iterator[Event]:
    """The whole run, one epoch every second round."""
    yield started()
    for uid in UIDS[1:]:
        yield PeerReady(uid=uid, pid=100 + uid, seconds=1.0)
    for number in range(rounds):
        yield from one_round(number)
        if number % 2:
            rows = weights(friend)
            for validator, row in rows.items():
                yield WeightsSet(validator=int(validator), round=number, weights=row)
            yield epoch(14 + 4 * number, rows)
    if ended:
        yield RunEnded(status="finished", reason="all rounds closed", block=30, wall_s=12.5)


def write(folder: Path, events: Iterator[Event]) -> Path:
    """Record events into a run folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text("{}")
    with RecordWriter(folder / FILE_NAME) as record:
        for event in events:
            record.append(event)
    return folder
