"""A made-up run as events, for the widgets alone: shapes and edge cases, no claim about training."""

from collections.abc import Iterator

from subnetlab.record import events as e

FREE_RIDER = 3


def started(miners: int = 8, rounds: int = 30) -> e.RunStarted:
    """Two validators at uids 1 and 2, then the miners; the first event of the record."""
    seats = [{"uid": 0, "hotkey": "5Owner", "role": "owner"}]
    seats += [{"uid": uid, "hotkey": f"5Validator{uid}", "role": "validator"} for uid in (1, 2)]
    seats += [
        {"uid": uid, "hotkey": f"5Miner{uid}", "role": "free_rider" if uid == FREE_RIDER else "miner"}
        for uid in range(3, 3 + miners)
    ]
    manifest = {"name": "tiny-lm", "rounds": rounds, "strategy": {"inner_steps": 15}}
    return e.RunStarted(
        run_id="7f3a",
        network="devnet",
        netuid=2,
        manifest_hash="0x00",
        manifest=manifest,
        seats=seats,
        block=40,
    )


def loss(round_: int, floor: float) -> float:
    """A learning curve from 5.55 nats per byte down towards `floor`."""
    return floor + (5.55 - floor) * (1 + 0.6 * round_) ** -0.75


def run(miners: int = 8, rounds: int = 30, upto: int | None = None) -> Iterator[e.Event]:
    """Every event of a run in order, up to a round if asked."""
    first = started(miners, rounds)
    yield first
    uids = [s["uid"] for s in first.seats if s["role"] in ("miner", "free_rider")]
    for round_ in range(rounds if upto is None else upto):
        yield from one_round(round_, uids, rounds)
    if upto is None:
        yield e.RunEnded(
            status="finished", reason="all rounds closed", block=40 + 4 * rounds, wall_s=1.8 * rounds
        )


def one_round(round_: int, uids: list[int], rounds: int) -> Iterator[e.Event]:
    """What one round records."""
    block = 41 + 4 * round_
    yield from (mined(round_, uid) for uid in uids)
    honest = [uid for uid in uids if uid != FREE_RIDER]
    for validator in (1, 2):
        for uid in uids:
            bad = uid == FREE_RIDER
            removed = (
                0.0
                if bad
                else (0.01 + 0.05 * 2.7 ** (-round_ / 14)) * (1 + 0.1 * ((uid * 7 + round_ * 3) % 5 - 2))
            )
            yield e.Scored(
                validator=validator,
                uid=uid,
                round=round_,
                verdict="gated" if bad else "accepted",
                score=removed,
                loss_removed_assigned=removed * 1.2,
                loss_removed_held_out=removed,
                rating=removed,
                weight=0.0 if bad else 1 / len(honest),
                norm=1.0,
                reason="sends noise" if bad else "",
            )
    yield e.RoundClosed(
        round=round_,
        lead=1,
        heights=[block, block + 1, block + 2, block + 3],
        accepted=[],
        aggregate_hash="0x00",
        theta_hash="0x00",
        val_loss=loss(round_ + 1, 1.6),
        aggregate_s=0.03,
    )
    yield e.BaselineEvaluated(round=round_, val_loss=loss(round_ + 1, 1.85), compute_s=1.4)
    if round_ % 6 == 0:
        yield e.Sampled(round=round_, prompt="def read(", text=f"self, name{round_}):\n    return self")
    yield e.BlockSealed(number=block + 3, hash="0x00", round=round_, waited_s=1.7, chain_s=0.01)
    if round_ % 2:
        yield epoch(block + 3, uids, honest)


def mined(round_: int, uid: int) -> e.Mined:
    """One miner's work of a round."""
    return e.Mined(
        uid=uid,
        round=round_,
        loss=loss(round_, 1.7) + 0.01 * (uid % 3),
        wire_bytes=19_300,
        dense_bytes=4_101_632,
        commitment="0x00",
        compute_s=1.42,
        compress_s=0.06,
        store_s=0.04,
        wait_s=0.21,
        chain_s=0.09,
    )


def epoch(block: int, uids: list[int], honest: list[int]) -> e.EpochPaid:
    """One pay day: the honest miners share, the free rider gets nothing."""
    everyone = [0, 1, 2, *uids]
    share = {uid: 65535 // len(honest) for uid in honest}
    pay = {uid: 3_280_000_000 // len(honest) for uid in honest}
    return e.EpochPaid(
        block=block,
        uids=everyone,
        incentive=[share.get(u, 0) for u in everyone],
        dividends=[32767 if u in (1, 2) else 0 for u in everyone],
        consensus=[share.get(u, 0) for u in everyone],
        validator_trust=[65535 if u in (1, 2) else 0 for u in everyone],
        emission_alpha_rao=[pay.get(u, 0) for u in everyone],
        stake_alpha_rao=[0 for _ in everyone],
        validator_permit=[u in (1, 2) for u in everyone],
    )
