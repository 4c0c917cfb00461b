"""The devices of a machine: named in torch's words, found without torch, and dealt out to peers."""

import subprocess
import sys
from typing import Any

import pytest

from subnetlab.errors import DeviceMissing
from subnetlab.train.devices import NONE, Card, Found, check_compiler, check_device, find_devices, spread
from subnetlab.train.execution import Execution, found_here

ONE = Found(cards=(Card(name="A", bytes=80_000_000_000),))
TWO = Found(cards=(*ONE.cards, Card(name="B", bytes=24_000_000_000)))
MINERS = tuple(f"miner {number}" for number in range(4))


@pytest.mark.parametrize("word", ["", "gpu", "cuda:", "cuda:x", "CUDA", "cpu:0", "cuda:-1", "meta", "mps\n"])
def test_a_word_that_is_no_device_is_refused(word: str) -> None:
    with pytest.raises(DeviceMissing, match="names no device"):
        check_device(word, TWO)


def test_a_device_that_is_not_here_is_refused_with_what_is() -> None:
    check_device("cuda", ONE)
    check_device("cuda:0", ONE)
    check_device("cpu", NONE)
    check_device("mps", Found(mps=True))
    with pytest.raises(DeviceMissing, match="has 1 CUDA device, counted from 0, and 'cuda:1' is none"):
        check_device("cuda:1", ONE)
    with pytest.raises(DeviceMissing, match="has 2 CUDA devices"):
        check_device("cuda:2", TWO)
    with pytest.raises(DeviceMissing, match=r'no CUDA device\. .*device="cpu"'):
        check_device("cuda", NONE)
    with pytest.raises(DeviceMissing, match="no MPS device that its torch can use, which is built"):
        check_device("mps", Found(cpu_build=True))


def test_cards_are_taken_in_turn() -> None:
    asked = [(name, "cuda") for name in MINERS]
    assert spread(asked, ONE, parameters=1) == ("cuda:0",) * 4
    assert spread(asked, TWO, parameters=1) == ("cuda:0", "cuda:1", "cuda:0", "cuda:1")
    mixed = [("a", "cuda"), ("b", "cuda:1"), ("c", "cpu"), ("d", "cuda")]
    assert spread(mixed, TWO, parameters=1) == ("cuda:0", "cuda:1", "cpu", "cuda:1")


def test_auto_takes_a_card_for_a_large_model_alone() -> None:
    asked = [(name, "auto") for name in MINERS]
    assert spread(asked, NONE, parameters=10**9) == ("cpu",) * 4
    assert spread(asked, TWO, parameters=246_000) == ("cpu",) * 4
    assert spread(asked, TWO, parameters=10**8) == ("cuda:0", "cuda:1", "cuda:0", "cuda:1")
    assert spread(asked, Found(mps=True), parameters=10**8) == ("cpu",) * 4


def test_who_asks_for_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(DeviceMissing, match=r"The device of miner 3 is 'cuda:1'\. This machine has 1 CUDA"):
        spread([("miner 1", "cpu"), ("miner 3", "cuda:1")], ONE, parameters=1)


def test_what_is_found_is_told_as_it_is_read() -> None:
    here: dict[str, Any] = found_here()
    found = Found.from_json(here)
    assert len(found.cards) == len(here["cuda"])
    assert find_devices().cards == found.cards
    assert str(TWO) == "cuda:0 A (80 GB), cuda:1 B (24 GB)"
    assert str(NONE) == "none"


def test_devices_are_found_without_loading_torch() -> None:
    program = (
        "import sys; from subnetlab.train.devices import find_devices; find_devices();"
        "print([name for name in ('torch', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_that_compiles_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(DeviceMissing, match=r"C\+\+ compiler.*Install g\+\+"):
        check_compiler()
    with pytest.raises(DeviceMissing, match=r"C\+\+ compiler"):
        Execution(compiled=True).check_here()
    Execution().check_here()
