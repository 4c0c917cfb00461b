"""A run says on what it computes; a fleet whose devices are not here is refused before anything is spent."""

from pathlib import Path
from typing import Any

import pytest
import torch

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, DeviceMissing, ManifestInvalid
from subnetlab.fleet.devices import device_note
from subnetlab.fleet.spec import FleetSpec, PeerSeat, read_spec
from subnetlab.lab.peer_registration import devices_of_more
from subnetlab.lab.session import Net
from subnetlab.settings import runs_folder
from subnetlab.train.devices import find_devices

WORDS = sl.data.text("the miners of a subnet train, and its validators judge; " * 200, name="words")
FLEET: dict[str, Any] = {"miners": 2, "validators": 1, "baseline": False}
NOT_HERE = f"cuda:{len(find_devices().cards)}"


def folders() -> set[Path]:
    return set(runs_folder().glob("*"))


def test_a_run_in_bf16_on_named_devices(net: Net) -> None:
    fleet = sl.LocalFleet(**FLEET, device={"miner": "cpu", 1: "auto", "validator": "cpu"})
    run = net.create_subnet("mixed", wallet="alice").train(
        sl.models.TinyGPT("binder", n_embd=16, n_layer=1, n_head=2, seq_len=16), WORDS, rounds=2,
        strategy=sl.strategies.SparseLoCo(inner_steps=2), fleet=fleet, dtype=torch.bfloat16, audits=1.0,
    )  # fmt: skip
    run.wait(timeout=300)
    assert run.status == "finished", run
    assert run.view.started is not None
    assert run.view.started.manifest["dtype"] == "bfloat16"
    peers = run.frame("peers")
    assert peers.filter(peers["pid"].is_not_null())["device"].to_list() == ["cpu"] * 3
    assert {seat.device for seat in read_spec(run.folder).seats} == {"cpu"}
    # The validator trained each round again, in the run's arithmetic.
    judged = run.frame("validators")
    assert judged["audit"].to_list() == ["same"] * 4


@pytest.mark.parametrize(
    "device", ["cuda:97", ["cpu", NOT_HERE], {1: NOT_HERE}, {"miner": "cpu", "validator": "cuda:97"}]
)
def test_a_device_that_is_not_here_costs_a_sentence(net: Net, device: Any) -> None:
    subnet, before = net.create_subnet("elsewhere", wallet="alice"), folders()
    had = net.balance("alice")
    with pytest.raises(DeviceMissing, match=r"The device of (miner 0|miner 1|a validator) is 'cuda:\d+'\."):
        subnet.train(rounds=1, fleet=sl.LocalFleet(**FLEET, device=device))
    assert net.balance("alice") == had
    assert folders() == before


def test_an_arithmetic_that_no_run_has_costs_a_sentence(net: Net) -> None:
    subnet, before = net.create_subnet("half", wallet="alice"), folders()
    with pytest.raises(ManifestInvalid, match="float16 would need its losses scaled"):
        subnet.train(rounds=1, dtype="float16", fleet=sl.LocalFleet(**FLEET))
    assert folders() == before


@pytest.mark.parametrize(
    "device",
    [3, None, "gpu", "cuda:x", ["cpu"], ["cpu", 1], {"uid": "cpu"}, {2: "cpu"}, {True: "cpu"}, {0: None}],
)
def test_words_that_say_no_device_are_refused_by_the_fleet(device: Any) -> None:
    with pytest.raises(ArgumentInvalid, match="device"):
        sl.LocalFleet(**FLEET, device=device)


def test_a_run_says_on_what_its_peers_compute() -> None:
    assert not device_note(["cpu", "cpu"])
    assert (
        device_note(["cuda:1", "cuda:0", "cpu", "cuda:0"])
        == "Peers compute on cpu (1), cuda:0 (2), cuda:1 (1)."
    )


def test_a_miner_that_joins_takes_the_device_of_the_fewest() -> None:
    spec = FleetSpec(
        endpoint="ws://127.0.0.1:1", network="local", is_devnet=True, netuid=1, store="", seats=(
            PeerSeat(uid=0, hotkey="a", role="miner", device="cuda:0"),
            PeerSeat(uid=1, hotkey="b", role="free_rider", device="cuda:1"),
            PeerSeat(uid=2, hotkey="c", role="miner", device="cuda:0"),
            PeerSeat(uid=3, hotkey="d", role="validator"),
        ),
    )  # fmt: skip
    assert devices_of_more(spec, 3) == ["cuda:1", "cuda:0", "cuda:1"]
    assert FleetSpec.from_json(spec.to_json()) == spec
    assert "device" not in spec.seats[3].entry()
    assert spec.seats[1].entry()["device"] == "cuda:1"


def test_yes_or_no_says_whether_steps_are_compiled(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArgumentInvalid, match="compile is"):
        sl.LocalFleet(**FLEET, compile="yes")  # pyright: ignore[reportArgumentType]
    subnet, before = net.create_subnet("compiled", wallet="alice"), folders()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(DeviceMissing, match=r"C\+\+ compiler"):
        subnet.train(rounds=1, fleet=sl.LocalFleet(**FLEET, compile=True))
    assert folders() == before


def test_ray_says_which_gpu_a_miner_gets() -> None:
    fleet = sl.RayFleet(**FLEET, gpus_per_miner=0.5)
    assert fleet.devices(1, parameters=1) == ("cuda", "cuda", "cpu", "cpu")
    assert sl.RayFleet(**FLEET).devices(0, parameters=10**9) == ("cpu", "cpu", "cpu")
    assert sl.RayFleet(**FLEET, gpus_per_miner=1, device="cpu").devices(0, parameters=1) == ("cpu",) * 3
    for device in ("cuda", "cuda:1", ["cpu", "cpu"]):
        with pytest.raises(ArgumentInvalid, match="gpus_per_miner"):
            sl.RayFleet(**FLEET, device=device)  # pyright: ignore[reportArgumentType]


@pytest.mark.long
@pytest.mark.timeout(1000)
def test_no_round_waits_for_a_compiler(net: Net) -> None:
    run = net.create_subnet("compiled", wallet="alice").train(
        sl.models.TinyGPT("binder", n_embd=16, n_layer=1, n_head=2, seq_len=16), WORDS, rounds=2,
        strategy=sl.strategies.SparseLoCo(inner_steps=2), dtype="bfloat16", audits=1.0,
        fleet=sl.LocalFleet(**FLEET, compile=True, phase_limit_s=60),
    )  # fmt: skip
    run.wait(timeout=900)
    assert run.status == "finished", run
    judged = run.frame("validators")
    assert judged.height == 4
    assert not {"missing", "not_its_work", "no_state"} & set(judged["verdict"].to_list())
    assert set(judged["audit"].to_list()) <= {"same", "alike"}
