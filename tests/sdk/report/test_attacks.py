"""Who attacked a run: roles, rounds, signals beside noise and pay, as the record has them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from subnetlab.record import events as e
from subnetlab.record.view import RunView
from subnetlab.report.attacks import attacks

HONEST, FLIPPER, LATE, NOISE = 3, 4, 5, 6
SEATS: list[dict[str, Any]] = [
    {"uid": 0, "hotkey": "5O", "role": "owner"},
    {"uid": 1, "hotkey": "5V", "role": "validator"},
    {"uid": 2, "hotkey": "5W", "role": "validator", "attacker": "colluder"},
    {"uid": HONEST, "hotkey": "5A", "role": "miner"},
    {"uid": FLIPPER, "hotkey": "5B", "role": "miner", "attacker": "sign_flip"},
    {"uid": LATE, "hotkey": "5C", "role": "miner", "attacker": "late"},
    {"uid": NOISE, "hotkey": "5D", "role": "free_rider"},
]


def started(seats: list[dict[str, Any]]) -> e.RunStarted:
    return e.RunStarted(
        run_id="7f3a",
        network="devnet",
        netuid=2,
        manifest_hash="0x",
        manifest={"rounds": 2},
        seats=seats,
        block=1,
    )


def scored(uid: int, round_: int, verdict: str, removed: float, **more: Any) -> e.Scored:
    return e.Scored(
        validator=1, uid=uid, round=round_, verdict=verdict, score=max(0.0, removed), rating=0.0, weight=0.0,
        norm=1.0,
        loss_removed_assigned=removed, loss_removed_held_out=removed, **more,
    )  # fmt: skip


def closed(round_: int) -> e.RoundClosed:
    return e.RoundClosed(
        round=round_, lead=1, heights=[4 * round_], accepted=[], aggregate_hash="0x", theta_hash="0x",
        val_loss=2.0,
        aggregate_s=0.0,
    )  # fmt: skip


def paid(**by_uid: int) -> e.EpochPaid:
    uids = [int(name[1:]) for name in by_uid]
    zero = [0] * len(uids)
    return e.EpochPaid(
        block=9, uids=uids, incentive=zero, dividends=zero, consensus=zero, validator_trust=zero,
        emission_alpha_rao=list(by_uid.values()), stake_alpha_rao=[0] * len(uids),
        validator_permit=[False] * len(uids),
    )  # fmt: skip


def view_of(events: Iterable[e.Event]) -> RunView:
    view = RunView()
    for event in events:
        view.add(event)
    return view


def attacked() -> RunView:
    return view_of([
        started(SEATS),
        scored(HONEST, 0, "accepted", 0.02, noise=0.001, own_work=5.0),
        scored(FLIPPER, 0, "gated", -0.01, noise=0.002, reason="Tried on data, this update raised the loss."),
        scored(LATE, 0, "late", 0.0),
        scored(NOISE, 0, "accepted", 0.01),
        closed(0),
        scored(HONEST, 1, "accepted", 0.04),
        scored(FLIPPER, 1, "wrong_hash", 0.0),
        scored(LATE, 1, "missing", 0.0),
        scored(NOISE, 1, "gated", 0.0),
        closed(1),
        paid(u3=3 * 10**9, u4=0, u5=0, u6=10**9, u2=5),
    ])  # fmt: skip


def test_every_miner_has_its_role_its_rounds_and_its_pay_attackers_first() -> None:
    found = attacks(attacked())
    assert [(one.uid, one.role, one.taken, one.judged) for one in found.miners] == [
        (FLIPPER, "sign_flip", 0, 2), (LATE, "late", 0, 2), (NOISE, "free_rider", 1, 2),
        (HONEST, "miner", 2, 2),
    ]  # fmt: skip
    flipper, late, noise, honest = found.miners
    assert [each.mark for each in flipper.seen] == ["shut out", "refused"]
    assert [each.mark for each in late.seen] == ["missed", "missed"]
    assert (flipper.first_out, late.first_out, noise.first_out, honest.first_out) == (1, None, 2, None)
    assert (flipper.last_taken, noise.last_taken, honest.last_taken) == (None, 1, 2)
    assert (flipper.seen[0].removed, flipper.seen[0].noise, flipper.seen[1].removed) == (-0.01, 0.002, None)
    assert (honest.seen[0].own_work, honest.seen[1].own_work) == (5.0, None)
    assert flipper.reason.startswith("The payload is not what was committed")
    assert found.medians == {1: 0.015, 2: 0.04}
    assert (found.share(noise), found.share(honest)) == (pytest.approx(1 / 3), 1)
    assert found.judges == ((2, "colluder", 5),)


def test_the_sentences_say_who_attacked_and_what_it_brought() -> None:
    found = attacks(attacked())
    assert found.headline == (
        "Three of four miners attack (free rider, latecomer and sign flipper); 16.7 % of their updates were "
        "taken, and 25.0 % of miners' pay is theirs."
    )
    said = repr(found)
    assert "The sign flipper trains, and sends the opposite. The payload is not what was committed" in said
    assert "Validator 2 is a colluder." in said
    assert "<script" not in found.page()
    assert "sign flipper" in found.page()
    assert found.frame.shape == (8, 10)
    assert found.frame.filter(uid=LATE)["removed"].to_list() == [None, None]


def test_where_no_role_is_known_no_miner_is_called_an_attacker() -> None:
    plain = [
        {**seat, "role": "miner", "attacker": ""} if seat["uid"] >= HONEST else seat
        for seat in SEATS[:2] + SEATS[3:]
    ]
    found = attacks(
        view_of([started(plain), scored(FLIPPER, 0, "gated", -0.01), scored(HONEST, 0, "accepted", 0.1)])
    )
    assert found.attackers == ()
    assert found.headline == "No miner of this run is known to attack; one of 4 were shut out at times."
    assert attacks(view_of([started(SEATS)])).headline.endswith("; none was judged yet.")
    assert attacks(RunView()).headline == "No miner of this run is known to attack."


def test_a_word_of_a_later_version_is_no_attacker_here() -> None:
    odd = [{**seat, "attacker": "quantum"} if seat["uid"] == FLIPPER else seat for seat in SEATS]
    found = attacks(view_of([started(odd)]))
    assert {one.uid: one.role for one in found.miners}[FLIPPER] == "miner"


def test_it_is_read_again_by_what_made_it() -> None:
    view = attacked()
    found = attacks(view, again=lambda: attacks(view))
    assert found.again is not None
    assert found.again() == found == replace(found, again=None)
