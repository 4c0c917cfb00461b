import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.local import LocalFleet
from subnetlab.fleet.spec import FleetSpec, PeerSeat, read_spec, write_spec
from subnetlab.train.attackers import ATTACKERS

SPEC = FleetSpec(
    endpoint="ws://127.0.0.1:9944",
    network="devnet",
    is_devnet=True,
    netuid=2,
    store="/runs/one/store",
    seats=(
        PeerSeat(uid=1, hotkey="5Miner", role="miner", hotkey_uri="//SubnetLab//one//miner-1"),
        PeerSeat(uid=2, hotkey="5Rider", role="free_rider", hotkey_uri="//SubnetLab//one//miner-2"),
        PeerSeat(uid=3, hotkey="5Judge", role="validator", hotkey_uri="//SubnetLab//one//validator-3"),
    ),
    others=(PeerSeat(uid=0, hotkey="5Owner", role="owner"),),
    python_path=("/home/somebody/notebooks",),
)


def test_the_file_gives_back_what_was_written_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = write_spec(tmp_path, SPEC)
    assert read_spec(tmp_path) == SPEC
    assert path.stat().st_mode & 0o777 == 0o600


def test_fields_of_a_newer_version_are_ignored() -> None:
    data = json.loads(SPEC.to_json())
    data["colour"] = "green"
    data["seats"][0]["shoe_size"] = 43
    assert FleetSpec.from_json(json.dumps(data)) == SPEC


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seats": [{"uid": 1, "hotkey": "5A", "role": "spectator"}]}, "spectator"),
        ({"seats": [{"uid": 1}]}, "cannot be read"),
        ({"seats": 3}, "cannot be read"),
        ({"others": [{"uid": 1, "hotkey": "5B", "role": "owner"}]}, "one uid"),
        ({"is_devnet": False}, "real money"),
    ],
)
def test_a_wrong_file_is_refused_in_words(change: dict[str, object], words: str) -> None:
    data = json.loads(SPEC.to_json()) | change
    with pytest.raises(FleetStartFailed, match=words):
        FleetSpec.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "[]", "{", "3", '{"endpoint": "ws://h:1"}'])
def test_what_is_no_fleet_is_refused(text: str) -> None:
    with pytest.raises(FleetStartFailed):
        FleetSpec.from_json(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FleetStartFailed, match=r"fleet\.json"):
        read_spec(tmp_path)


def test_free_riders_are_some_of_the_miners() -> None:
    fleet = LocalFleet(miners=8, validators=2, free_riders=1)
    assert fleet.roles() == ["miner"] * 7 + ["free_rider"] + ["validator"] * 2


def test_attackers_are_counted_by_their_word_and_sit_after_the_honest() -> None:
    fleet = LocalFleet(miners=5, validators=2, attackers={"sign_flip": 2, "free_rider": 1, "poison": 0})
    assert [place.attacker or place.role for place in fleet.places()] == [
        "miner", "miner", "free_rider", "sign_flip", "sign_flip", "validator", "validator",
    ]  # fmt: skip
    assert fleet.roles() == ["miner"] * 2 + ["free_rider"] + ["miner"] * 2 + ["validator"] * 2


def test_a_free_rider_is_the_same_whichever_way_it_is_asked_for() -> None:
    assert LocalFleet(free_riders=1) == LocalFleet(attackers={"free_rider": 1})
    assert dataclasses.replace(LocalFleet(attackers={"free_rider": 1}), miners=9).free_riders == 1


def test_a_word_that_names_no_attacker_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match="sign_flip: trains, and sends the opposite") as refused:
        LocalFleet(attackers={"sign_flop": 1})
    assert all(word in str(refused.value) for word in ATTACKERS)


def test_the_file_says_how_a_seat_attacks() -> None:
    seat = PeerSeat(uid=1, hotkey="5Miner", role="miner", attacker="sign_flip", hotkey_uri="//one")
    assert seat.name == "sign flip 1"
    assert FleetSpec.from_json(dataclasses.replace(SPEC, seats=(seat,)).to_json()).seats == (seat,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"miners": 1.5},
        {"uplink_mbps": -1.0},
        {"rtt_ms": float("nan")},
        {"kills_per_hour": float("inf")},
        {"kills_per_hour": "3"},
        {"chaos_seed": 1.5},
        {"stakes_tao": ()},
        {"stakes_tao": (300, 0)},
        {"stakes_tao": (1.5,)},
        {"miners": True},
        {"attackers": ["sign_flip"]},
        {"attackers": {"sign_flip": -1}},
        {"attackers": {"sign_flip": 1.0}},
        {"attackers": {"sign_flip": 9}},
        {"attackers": {"free_rider": 1}, "free_riders": 2},
        {"miners": 0},
        {"validators": 0},
        {"miners": 2, "free_riders": 3},
        {"phase_limit_s": 0},
        {"start_limit_s": 0},
    ],
)
def test_an_impossible_fleet_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        dataclasses.replace(LocalFleet(), **wrong)
