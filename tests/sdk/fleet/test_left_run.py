"""What was left undone is done by the next supervisor: a slow start, a model not written; and sold seats."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bittensor
import pytest
from tests.sdk.fleet.joined import Described, JoinedSubnet, joined_subnet

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.launch import is_running, request_stop, start_supervisor
from subnetlab.fleet.local import LocalFleet
from subnetlab.fleet.run_folder import CONFIG_FILE, RESULT_FOLDER
from subnetlab.fleet.spec import read_spec, write_spec
from subnetlab.network.wallets import dev_keypair
from subnetlab.record.events import BlockSealed, EpochPaid, PeerGone, RoundClosed, RoundLost


@pytest.fixture(scope="module")
def subnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JoinedSubnet]:
    with joined_subnet(tmp_path_factory.mktemp("node"), LocalFleet(miners=2, validators=1)) as made:
        yield made


def has_a_model(run: Described) -> bool:
    config = json.loads((run.folder / RESULT_FOLDER / CONFIG_FILE).read_text())
    return config["theta_hash"] == run.events(RoundClosed)[-1].theta_hash


def test_peers_that_were_not_up_in_time_cost_no_round(subnet: JoinedSubnet, tmp_path: Path) -> None:
    with subnet.run(tmp_path / "slow-start", rounds=2, seats=subnet.seats) as run:
        spec = read_spec(run.folder)
        # A nanosecond is over for every peer before the supervisor first looks, also for one that says that
        # it is ready by then; the chain's blocks come by themselves without a run.
        write_spec(run.folder, replace(spec, start_limit_s=1e-9, sealing_after=0.05))
        start_supervisor(run.folder)
        left = run.interrupted()
        assert "It was not up within 1e-09 s of work. LocalFleet(start_limit_s=" in left.reason
        assert {gone.uid for gone in run.events(PeerGone)} == {seat.uid for seat in spec.seats}
        assert subnet.client.dev.info()["sealing"] == "instant"
        start_fails_and_leaves_the_clock(subnet, run)
        write_spec(run.folder, replace(spec, sealing_after="instant"))
        start_supervisor(run.folder)
        assert run.ended().status == "finished"
    assert [event.round for event in run.events(RoundClosed)] == [0, 1]
    assert not run.events(RoundLost)
    assert has_a_model(run)


def start_fails_and_leaves_the_clock(subnet: JoinedSubnet, run: Described) -> None:
    """A supervisor that cannot go on with a run must not let its rounds pass either."""
    manifest = run.folder / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(json.dumps({**json.loads(text), "rounds": 3}))
    with pytest.raises(FleetStartFailed, match="not the one this run began with"):
        start_supervisor(run.folder)
    assert subnet.client.dev.info()["sealing"] == "instant"
    manifest.write_text(text)


def test_a_model_that_could_not_be_replayed_is_written_by_the_next_supervisor(
    subnet: JoinedSubnet, tmp_path: Path
) -> None:
    with subnet.run(tmp_path / "no-aggregate", rounds=2, seats=subnet.seats) as run:
        start_supervisor(run.folder)
        run.until(BlockSealed, round=1)  # every peer has followed round 0
        (aggregates,) = (run.folder / "store").glob("**/rounds/000000/aggregate")
        away = tmp_path / "away"
        aggregates.rename(away)
        left = run.interrupted()
        assert left.pending == "finished"
        assert "The model could not be written" in left.reason
        assert not (run.folder / RESULT_FOLDER).exists()
        before = run.all_events()
        away.rename(aggregates)
        start_supervisor(run.folder)
        assert run.ended().status == "finished"
    assert run.all_events()[:-1] == before
    assert has_a_model(run)


def test_a_run_in_which_every_round_timed_out_has_failed(subnet: JoinedSubnet, tmp_path: Path) -> None:
    with subnet.run(tmp_path / "no-time", rounds=2, seats=subnet.seats) as run:
        write_spec(run.folder, replace(read_spec(run.folder), phase_limit_s=0.001))
        start_supervisor(run.folder)
        ended = run.ended()
    assert not run.events(RoundClosed)
    assert ended.status == "failed"
    assert ended.reason.startswith("All 2 rounds were lost, so there is no model.")
    assert "LocalFleet(phase_limit_s=" in ended.reason


def test_a_seat_that_is_sold_in_mid_run_ends_its_peer_and_its_pay(
    subnet: JoinedSubnet, tmp_path: Path
) -> None:
    admin, client, netuid = bittensor.calls.AdminUtils, subnet.client, subnet.netuid
    with subnet.run(tmp_path / "sold", rounds=1000, seats=subnet.seats) as run:
        start_supervisor(run.folder)
        run.until(RoundClosed, round=1)
        for call in (
            admin.sudo_set_min_allowed_uids(netuid=netuid, min_allowed_uids=2),
            admin.sudo_set_max_allowed_uids(netuid=netuid, max_allowed_uids=len(subnet.seats) + 1),
            admin.sudo_set_immunity_period(netuid=netuid, immunity_period=0),
            admin.sudo_set_min_non_immune_uids(netuid=netuid, min=0),
        ):
            client.sudo(call)
        stranger = dev_keypair("//Outsider").ss58_address
        uid, receipt = client.burned_register(netuid, "bob", hotkey_ss58=stranger)
        run.follow(lambda events: any(isinstance(e, PeerGone) and "seat" in e.reason for e in events))
        run.follow(lambda events: any(isinstance(e, EpochPaid) and e.block > receipt.block for e in events))
        request_stop(run.folder)
        assert run.ended().status == "stopped"
    assert not is_running(run.folder)
    gone = {event.uid: event.reason for event in run.events(PeerGone)}
    assert f"uid {uid} was sold to {stranger}" in gone[uid]
    later = [event for event in run.events(EpochPaid) if event.block > receipt.block]
    assert later
    assert all(event.reassigned == {str(uid): stranger} and event.paid_to(uid) == 0 for event in later)
    assert sum(event.paid_to(uid) for event in run.events(EpochPaid)) > 0
