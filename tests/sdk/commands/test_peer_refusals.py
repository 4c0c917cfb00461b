"""What a peer's command refuses, each in one sentence with the next step, before torch is loaded."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import bittensor_core
import pytest
from tests.sdk.public.stage import close

from subnetlab.cli import main
from subnetlab.commands.run import read_plan
from subnetlab.errors import ArgumentInvalid
from subnetlab.network.client import NetworkClient
from subnetlab.network.wallets import dev_wallet

from .conftest import Owner


def test_a_subnet_without_a_run_and_one_that_is_not(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    said = owner.refused("miner", "bob/m1", capsys, "--netuid", str(owner.other))
    assert f"The owner of subnet {owner.other}" in said
    assert "has announced no run. Check --netuid" in said
    assert "There is no subnet 77." in owner.refused("miner", "bob/m1", capsys, "--netuid", "77")


def test_a_wallet_that_is_not_there(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    owner.announce()
    assert "There is no wallet called 'mallory/m1'." in owner.refused("miner", "mallory/m1", capsys)
    assert "There is no development wallet" in owner.refused("miner", "bob/m1/x", capsys)


@pytest.mark.parametrize("command", ["miner", "validator", "run publish plan.py", "run stop"])
def test_a_secret_in_the_place_of_a_wallets_name_is_refused_before_any_contact(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing answers at the endpoint, so that asking it first would fail otherwise."""
    words = bittensor_core.Keypair.generate_mnemonic()
    where = ["--endpoint", "ws://127.0.0.1:9", "--netuid", "1", "--wallet", words]
    store = ["--store", "nowhere"] if "publish" in command else []
    assert main([*command.split(), *where, *store]) == 1
    said = capsys.readouterr()
    assert "That looks like" in said.err
    assert not any(f"{word} " in said.err + said.out for word in words.split() if len(word) > 5)


def test_a_run_that_goes_on_is_not_replaced_by_accident(
    owner: Owner, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    owner.announce()
    (tmp_path / "plan.py").write_text("rounds = 2")
    where = ["--endpoint", owner.client.endpoint, "--netuid", str(owner.netuid), "--wallet", "alice"]
    publish = ["run", "publish", str(tmp_path / "plan.py"), "--store", str(tmp_path / "store"), *where]
    assert main(publish) == 1
    said = capsys.readouterr().err
    assert f"Subnet {owner.netuid} trains run tiny already (not begun yet)" in said
    assert f"`subnetlab run stop {' '.join(where)}`, or replace it with --replace" in said
    assert not (tmp_path / "store").exists()
    (tmp_path / "plan.py").write_text("rounds = (")
    assert main([*publish, "--replace"]) == 1
    assert "SyntaxError" in capsys.readouterr().err, "the plan is read next"
    owner.announce(first_block=0, run_id="past", rounds=2, blocks_per_round=4, offsets=[1, 2, 3])
    assert main(publish) == 1
    assert "SyntaxError" in capsys.readouterr().err, "a run that is over is replaced"


def test_a_program_reads_the_refusal_as_json(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--endpoint", owner.client.endpoint, "--netuid", "77", "--wallet", "bob/m1")
    assert main(["miner", *where, "--json"]) == 1
    said = json.loads(capsys.readouterr().err)
    assert (said["kind"], said["failed"]) == ("note", "ChainRejected")
    assert said["text"].startswith("There is no subnet 77.")


def test_a_hotkey_without_a_seat_is_told_the_price_and_the_next_step(
    owner: Owner, capsys: pytest.CaptureFixture[str]
) -> None:
    owner.announce()
    said = owner.refused("miner", "charlie/m9", capsys)
    assert "is not registered on subnet" in said
    assert re.search(r"registering costs [\d.]+ τ and a fee", said)
    assert f"btcli subnets register --netuid {owner.netuid}" in said


def test_a_device_that_is_not_here_is_refused_before_anything_is_sent(
    owner: Owner, capsys: pytest.CaptureFixture[str]
) -> None:
    owner.announce()
    where = ("--endpoint", owner.client.endpoint, "--netuid", str(owner.netuid), "--wallet", "bob/m1")
    assert main(["miner", *where, "--device", "cuda:97"]) == 1
    assert "The device of this peer is 'cuda:97'. This machine has" in capsys.readouterr().err
    assert main(["miner", *where, "--device", "gpu", "--dry-run"]) == 1
    assert "names no device" in capsys.readouterr().err
    assert main(["miner", *where, "--device", "cpu", "--dry-run"]) == 0


def test_fees_are_said_and_kept_within_balance_and_budget(
    owner: Owner, capsys: pytest.CaptureFixture[str]
) -> None:
    owner.announce()
    where = ("--endpoint", owner.client.endpoint, "--netuid", str(owner.netuid), "--wallet", "bob/m1")
    assert main(["miner", *where, "--dry-run"]) == 0
    cost = re.search(
        r"A round costs ([\d.]+) τ for its commitment, ([\d.]+) τ in all", capsys.readouterr().err
    )
    assert cost is not None
    assert float(cost[2]) == pytest.approx(3 * float(cost[1]), rel=0.01)
    client = NetworkClient(owner.client.endpoint)  # the budget is kept in this test's own home
    budget = client.budget
    close(client)
    budget.set(tao=float(cost[1]) * 2)
    assert main(["miner", *where, "--dry-run"]) == 1
    assert "The fees of 3 rounds cost" in (said := capsys.readouterr().err)
    assert "left of the budget" in said


def test_the_owners_hotkey_takes_no_part(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    owner.announce()
    assert "Take part with another hotkey" in owner.refused("validator", "alice", capsys)


def test_a_store_that_is_away_or_holds_another_run(
    owner: Owner, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    owner.announce()
    said = owner.refused("miner", "bob/m1", capsys, "--run-store", "smb://nas/run")
    assert "No store speaks smb://." in said
    said = owner.refused("miner", "bob/m1", capsys, "--run-store", str(tmp_path / "typo"))
    assert said.endswith(
        f"There is no folder at {tmp_path / 'typo'}. Give the run's own store with --run-store."
    )
    assert not (tmp_path / "typo").exists()
    (tmp_path / "empty").mkdir()
    said = owner.refused("miner", "bob/m1", capsys, "--run-store", str(tmp_path / "empty"))
    assert "does not hold the announced manifest" in said
    assert "--run-store" in said


def test_a_run_that_is_over(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    owner.announce(first_block=0, run_id="past", rounds=2, blocks_per_round=4, offsets=[1, 2, 3])
    said = owner.refused("miner", "bob/m1", capsys)
    head = owner.client.head().number
    assert "Run past is over: round 2, its last, took commitments up to block 5, " in said
    assert f"and the chain is at {head}. Join the next run" in said
    owner.announce(said_rounds=0)
    assert "is over" in owner.refused("miner", "bob/m1", capsys)


def test_another_torch(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    owner.announce(versions={"torch": "1.0.0"})
    said = owner.refused("miner", "bob/m1", capsys)
    assert "needs torch 1.0.0" in said
    assert "pip install 'torch==1.0.0'" in said


def test_a_strangers_code_waits_for_trust(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    hotkey = dev_wallet("alice").hotkey.ss58_address
    for changes in ({"model": {"kind": "Source"}}, {"task": {"kind": "own", "code": {}}}):
        owner.announce(**changes)
        said = owner.refused("miner", "bob/m1", capsys)
        assert "holds code of its owner, which is not trusted here" in said
        assert f"--trust {hotkey}" in said
        where = ("--endpoint", owner.client.endpoint, "--netuid", str(owner.netuid), "--wallet", "bob/m1")
        assert main(["miner", *where, "--dry-run", "--trust", hotkey]) == 0
        capsys.readouterr()


@pytest.mark.parametrize(
    "changes",
    [
        {"run_id": ".."}, {"run_id": "a/b"}, {"rounds": -1}, {"offsets": [1, 2]}, {"first_block": "soon"},
        {"model": []}, {"versions": None},
        {"blocks_per_round": 0}, {"offsets": [5, 3, 8]}, {"offsets": [0, 5, 8]}, {"first_block": 10**30},
        {"rounds": True},
    ],
)  # fmt: skip
def test_what_is_no_manifest(
    owner: Owner, capsys: pytest.CaptureFixture[str], changes: dict[str, Any]
) -> None:
    owner.announce(**changes)
    assert "The announced manifest is no manifest." in owner.refused("miner", "bob/m1", capsys)


def test_a_manifest_of_another_subnet(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    owner.announce(netuid=owner.netuid + 7)
    said = owner.refused("miner", "bob/m1", capsys)
    assert f"is of subnet {owner.netuid + 7}, not of {owner.netuid}" in said


def test_an_endpoint_that_is_none_or_silent(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    for endpoint, words in (
        ("devnet", "no endpoint of its own"), ("finy", "no network called 'finy'"),
        ("ws://127.0.0.1:9", "Nothing answers at ws://127.0.0.1:9"),
    ):  # fmt: skip
        arguments = ["miner", "--endpoint", endpoint, "--netuid", "1", "--wallet", "bob/m1"]
        assert main(arguments) == 1
        assert words in capsys.readouterr().err


def test_only_the_owner_publishes_and_stops(
    owner: Owner, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    owner.announce()
    where = ["--endpoint", owner.client.endpoint, "--netuid", str(owner.netuid), "--wallet", "bob/m1"]
    (tmp_path / "plan.py").write_text("rounds = 2")
    publish = ["publish", str(tmp_path / "plan.py"), "--store", str(tmp_path / "store")]
    for verb in (publish, ["stop"]):
        assert main(["run", *verb, *where]) == 1
        assert "Only the owner's hotkey" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ("rounds = (", "fails in line 1: SyntaxError: '(' was never closed"),
        ("import subnetlab as sl\nmodel = sl.models.Tiny()", "fails in line 2: AttributeError: "),
        ("import json\nrounds = json.loads('[')", "fails in line 2: JSONDecodeError: "),
        ("import no_such_module", "fails in line 1: ModuleNotFoundError: "),
        ("import sys\nsys.exit(3)", "fails in line 2: SystemExit: 3."),
        ("name = input()", "fails in line 1: "),
        ("class Odd(Exception): pass\nraise Odd", "fails in line 2: Odd."),
        ("", "describes no run: it assigns none of "),
    ],
)
def test_a_plan_that_python_cannot_run_is_said_in_a_line(plan: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.py"
    path.write_text(plan)
    with pytest.raises(ArgumentInvalid) as refused:
        read_plan(path)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("option", ["--blocks-per-round", "--miners"])
def test_zero_is_not_taken_for_an_option_that_is_not_given(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--endpoint", "ws://127.0.0.1:9", "--netuid", "1", "--wallet", "alice", "--store", "s"]
    with pytest.raises(SystemExit) as ended:
        main(["run", "publish", "plan.py", *where, option, "0"])
    assert ended.value.code == 2
    assert f"argument {option}: '0' is no whole number from 1" in capsys.readouterr().err


def test_what_will_be_waited_for_is_said_before_anything_starts(
    owner: Owner, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a process of its own, so that what it loaded shows."""
    owner.announce()
    code = (
        "import sys; from subnetlab.cli import main; status = main(sys.argv[1:]); "
        "print([name for name in ('torch', 'polars', 'web3') if name in sys.modules]); sys.exit(status)"
    )
    words = ["--endpoint", owner.client.endpoint, "--netuid", str(owner.netuid), "--wallet", "bob/m1"]
    done = subprocess.run(
        [sys.executable, "-c", code, "validator", *words, "--dry-run", "--json"],
        check=False, capture_output=True, text=True, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    notes = [json.loads(line)["text"] for line in done.stderr.splitlines()]
    assert notes[0].startswith(f"Run tiny on subnet {owner.netuid}: 3 rounds of 10 blocks")
    assert any(note.startswith("No stake is behind the hotkey") and "net.stake(" in note for note in notes)
    assert any("Round 1 opens at block 1000000" in note and " h from now" in note for note in notes)
    assert done.stdout.strip() == "[]"
