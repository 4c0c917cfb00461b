"""An honest run verifies; whatever is tampered with is named with its round and uid."""

import base64
import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from subnetlab.archive.lineage import LINEAGE_FILE, read_lineage, signed
from subnetlab.cli import main
from subnetlab.commands.verify import main as verify_command
from subnetlab.lab.run import Run
from subnetlab.lab.verification import verify_folder
from subnetlab.network.wallets import dev_wallet
from subnetlab.record.line import FILE_NAME
from subnetlab.store.folder import FolderStore

from .tampered import RUN, STORE, Planted
from .tampered_record import CHAIN, RECORD
from .tampering import ROUNDS, Event, World, flip, honest, seen

PLANTED = [*STORE, *RUN, *RECORD, *CHAIN]


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """An honest run whose node still answers."""
    with honest(tmp_path_factory.mktemp("home")) as run:
        yield run


@pytest.fixture(scope="module")
def world(verified: Run) -> World:
    return seen(verified)


def test_an_honest_run_verifies_in_every_part(verified: Run, capsys: pytest.CaptureFixture[str]) -> None:
    report = verified.verify(replay=1.0)
    assert report.verified, report
    done = {check.name: check.done for check in report.checks.values()}
    assert done["payloads"] == done["replay"] == 3 * ROUNDS
    assert done["rounds"] == done["weights"] == 2 * ROUNDS
    assert done["scores"] == 6 * ROUNDS
    assert [name for name, count in done.items() if not count] == ["checkpoints", "lineage"]
    assert main(["verify", str(verified.folder)]) == 0
    assert "is verified: 4 rounds, 12 payloads" in capsys.readouterr().out


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name.replace(" ", "-"))
def test_what_is_tampered_with_is_named(world: World, planted: Planted, tmp_path: Path) -> None:
    spoilt = world.copy(tmp_path / "spoilt")
    spoilt = planted.spoil(spoilt) or spoilt
    report = verify_folder(spoilt.folder, replay=planted.replay, history=spoilt.history)
    named = {(finding.what, finding.round, finding.uid) for finding in report.wrong}
    uid = world.uid(planted.uid) if planted.uid else None
    assert (planted.what, planted.round, uid) in named, report
    assert report.status == 1


def test_the_table_is_long_enough() -> None:
    assert len(PLANTED) >= 50
    assert len({planted.name for planted in PLANTED}) == len(PLANTED)


MISSING: list[tuple[str, Callable[[World], Path], tuple[str, int, str]]] = [
    ("payload", lambda world: world.sealed(2, world.uid("m1")), ("payload", 2, "m1")),
    ("reveal", lambda world: world.reveal(2, world.uid("m1")), ("reveal", 2, "m1")),
    ("aggregate", lambda world: world.aggregate(3), ("aggregate", 3, "v0")),
    ("record", lambda world: world.record(3), ("round record", 3, "v0")),
]


@pytest.mark.parametrize(("name", "path", "named"), MISSING, ids=[name for name, _, _ in MISSING])
def test_what_is_missing_is_told_apart_from_what_is_wrong(
    world: World, name: str, path: Callable[[World], Path], named: tuple[str, int, str], tmp_path: Path
) -> None:
    spoilt = world.copy(tmp_path / "spoilt")
    path(spoilt).unlink()
    report = verify_folder(spoilt.folder, replay=0.0, history=spoilt.history)
    if name in ("aggregate", "record"):  # the other validator published it, too
        assert report.verified, report
        path(spoilt).unlink()
        report = verify_folder(spoilt.folder, replay=0.0, history=spoilt.history)
    assert report.wrong == [], report
    what, round_, place = named
    assert (what, round_, world.uid(place)) in {(f.what, f.round, f.uid) for f in report.open}
    assert report.status == 2


def test_a_copy_without_chain_says_so(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = world.copy(tmp_path / "copied")
    status = main(["verify", str(copied.folder), "--endpoint", "ws://127.0.0.1:9", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert status == report["status"] == 2
    assert [finding["what"] for finding in report["findings"]] == ["anchor"]
    assert "does not answer" in report["findings"][0]["said"]


def test_another_chain_at_the_same_address_is_no_tampering(world: World) -> None:
    hashes = {number: f"0x{number:064x}" for number in world.history.hashes}
    report = verify_folder(world.folder, history=replace(world.history, hashes=hashes))
    assert (report.wrong, report.status) == ([], 2)


def test_a_record_that_is_ahead_of_the_chain_that_was_read_is_not_tampered_with(world: World) -> None:
    """As that of a run that goes on, and as that of a chain that was turned back."""
    last = world.history.epochs[-1].found.block - 1
    read = replace(world.history, last=last, epochs=world.history.epochs[:-1])
    report = verify_folder(world.folder, replay=0.0, history=read)
    assert report.wrong == [], report
    report = verify_folder(world.folder, replay=0.0, history=replace(read, last=last - 5))
    assert report.wrong == [], report
    assert {(finding.what, finding.round) for finding in report.open} == {("record line", ROUNDS)}


def test_a_saved_run_is_verified_as_far_as_it_goes(
    verified: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = verified.save(tmp_path / "run.zip")
    assert main(["verify", str(saved)]) == 2
    alone = capsys.readouterr().out
    assert "No store of the run is at hand" in alone
    store = ["--store", str(verified.folder / "store"), "--endpoint", verified.endpoint]
    assert main(["verify", str(saved), *store, "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert {finding["what"] for finding in report["findings"]} == {"data"}
    assert {check["name"]: check["done"] for check in report["checks"]}["payloads"] == 3 * ROUNDS


def test_the_command_names_and_counts(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt = world.copy(tmp_path / "spoilt")
    flip(spoilt.sealed(2, world.uid("m1")))
    assert main(["verify", str(spoilt.folder)]) == 1
    said = capsys.readouterr().out
    assert f"XX  payload, round 2, uid {world.uid('m1')}: " in said
    assert main(["verify", "no-such-run"]) == 2
    assert "No runs are called 'no-such-run'" in capsys.readouterr().err


JUNK: tuple[object, ...] = (None, -1, 2**70, 1e308, "é", [], {}, [[1]], {"a": 1}, True)
JSON_FILES = ("manifest.json", "fleet.json", "data/data.json", "result/config.json")


def spoil_json(value: Any, draw: random.Random) -> None:
    """Put something else in the place of one value, however deep it lies."""
    while True:
        key = draw.choice(list(value) if isinstance(value, dict) else range(len(value)))
        inner = value[key]
        if not isinstance(inner, dict | list) or not inner or draw.random() < 0.2:
            value[key] = draw.choice(JUNK)
            return
        value = inner


@pytest.mark.parametrize("seed", range(12))
def test_no_junk_in_a_runs_files_is_more_than_a_finding(world: World, tmp_path: Path, seed: int) -> None:
    draw, spoilt = random.Random(seed), world.copy(tmp_path / "spoilt")
    for name in draw.sample(JSON_FILES, 2):
        content = json.loads((spoilt.folder / name).read_text())
        spoil_json(content, draw)
        (spoilt.folder / name).write_text(json.dumps(content))
    lines = [json.loads(line) for line in spoilt.lines()]
    spoil_json(draw.choice(lines)["event"], draw)
    (spoilt.folder / FILE_NAME).write_text("".join(json.dumps(line) + "\n" for line in lines))
    for path in draw.sample(sorted(p for p in spoilt.folder.rglob("*") if p.is_file()), 3):
        path.write_bytes(draw.randbytes(draw.choice((0, 1, 100))))
    report = verify_folder(spoilt.folder, replay=0.2, history=world.history)
    assert report.status == 1
    assert json.loads(json.dumps(report.to_json()))["headline"] in str(report)


@pytest.mark.parametrize(
    "name", [FILE_NAME, "manifest.json", "fleet.json", "data/data.json", "data/train.bin"]
)
def test_a_pipe_in_a_strangers_folder_is_a_finding_and_no_wait(
    world: World, tmp_path: Path, name: str
) -> None:
    spoilt = world.copy(tmp_path / "spoilt")
    place = spoilt.folder / name
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    report = verify_folder(spoilt.folder, replay=0.0, history=world.history, trusted=False)
    assert report.status != 0 or name == "fleet.json"  # who took part is in the record too
    assert verify_command([str(spoilt.folder), "--replay", "0"]) != 0


@pytest.mark.parametrize("name", ["manifest.json", "fleet.json"])
@pytest.mark.parametrize("content", ["[" * 200_000, None], ids=["deep", "huge"])
def test_a_file_that_no_reader_can_hold_is_a_finding(
    world: World, tmp_path: Path, name: str, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt = world.copy(tmp_path / "spoilt")
    if content is None:
        os.truncate(spoilt.folder / name, 1 << 40)
    else:
        (spoilt.folder / name).write_text(content)
    assert verify_command([str(spoilt.folder), "--replay", "0", "--json"]) in (1, 2)
    assert json.loads(capsys.readouterr().out)["findings"]


def test_the_store_that_a_strangers_folder_names_is_not_opened_with_our_keys(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = world.copy(tmp_path / "spoilt")
    fleet = json.loads((spoilt.folder / "fleet.json").read_text())
    where = "s3://bucket?endpoint=https://evil.example&region=x"
    (spoilt.folder / "fleet.json").write_text(json.dumps(fleet | {"store": where}))
    shutil.rmtree(spoilt.folder / "store")
    opened: list[str] = []

    def note(address: str) -> FolderStore:
        opened.append(address)
        return FolderStore(world.folder / "store")

    monkeypatch.setattr("subnetlab.lab.verification.open_store", note)
    report = verify_folder(spoilt.folder, replay=0.0, history=world.history, trusted=False)
    assert not opened
    assert [finding for finding in report.open if "--store" in finding.said], report
    named = verify_folder(spoilt.folder, replay=0.0, history=world.history, trusted=False, store=where)
    assert opened == [where]
    assert named.verified, named


@pytest.mark.parametrize("endpoint", ["ftp://x", "ws://", "nowhere"])
def test_an_endpoint_that_is_none_is_unchecked_and_no_crash(
    world: World, tmp_path: Path, endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt = world.copy(tmp_path / "spoilt")
    fleet = json.loads((spoilt.folder / "fleet.json").read_text())
    assert verify_command([str(spoilt.folder), "--replay", "0", "--endpoint", endpoint]) == 2
    assert "There is no network called" in capsys.readouterr().err
    (spoilt.folder / "fleet.json").write_text(json.dumps(fleet | {"endpoint": endpoint}))
    assert verify_command([str(spoilt.folder), "--replay", "0"]) == 2
    assert "There is no network called" in capsys.readouterr().out
    shutil.rmtree(spoilt.folder / "store")
    (spoilt.folder / "fleet.json").write_text(json.dumps(fleet | {"endpoint": 5, "store": [1]}))
    assert verify_command([str(spoilt.folder), "--replay", "0"]) == 2


def test_runs_are_listed_as_json(
    verified: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(verified.folder.parents[1]))
    assert main(["runs", "--json"]) == 0
    [told] = json.loads(capsys.readouterr().out)
    assert told["run"] == verified.id
    assert (told["status"], told["round"], told["rounds"]) == ("finished", ROUNDS, ROUNDS)
    assert (told["model"], told["netuid"]) == ("TinyGPT", verified.netuid)
    assert told["loss"] == verified.view.val_loss[ROUNDS - 1]


@pytest.fixture(scope="module")
def saved(verified: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model with its lineage."""
    return verified.save(tmp_path_factory.mktemp("saved") / "model")


def test_a_lineage_is_a_signed_statement_in_the_standard_form(verified: Run, saved: Path) -> None:
    envelope = json.loads((saved / LINEAGE_FILE).read_bytes())
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    authenticated = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    [signature] = envelope["signatures"]
    owner = dev_wallet("alice").hotkey
    assert signature["keyid"] == owner.ss58_address
    assert owner.verify(authenticated, base64.b64decode(signature["sig"]))
    statement = json.loads(payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    weights = hashlib.sha256((saved / "model.safetensors").read_bytes()).hexdigest()
    assert {"name": "model.safetensors", "digest": {"sha256": weights}} in statement["subject"]
    built = statement["predicate"]["buildDefinition"]
    manifest = (verified.folder / "manifest.json").read_text()
    assert built["externalParameters"]["manifest"] == json.loads(manifest)
    first = (verified.folder / "data" / "train.bin").read_bytes()[:65_536]
    assert built["resolvedDependencies"][0]["digest"]["sha256"] == hashlib.sha256(first).hexdigest()


def test_a_lineage_is_checked_alone_and_against_its_run(
    verified: Run, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(saved / LINEAGE_FILE)
    assert main(["verify", "--lineage", file]) == 0
    assert "holds: signature, data and files" in capsys.readouterr().out
    assert main(["verify", str(verified.folder), "--lineage", file]) == 0
    assert "ok  lineage" in capsys.readouterr().out


def resigned(change: Callable[[Event], None]) -> Callable[[Path], None]:
    """Change the statement and sign it with the owner's key: a lie of the owner."""

    def spoil(folder: Path) -> None:
        path, key = folder / LINEAGE_FILE, dev_wallet("alice").hotkey
        said = read_lineage(path).statement
        change(said["predicate"]["buildDefinition"])
        path.write_bytes(signed(said, key.ss58_address, lambda message: bytes(key.sign(message))))

    return spoil


def by_stranger(folder: Path) -> None:
    path, key = folder / LINEAGE_FILE, dev_wallet("bob").hotkey
    said = read_lineage(path).statement
    path.write_bytes(signed(said, key.ss58_address, lambda message: bytes(key.sign(message))))


def without_signature(folder: Path) -> None:
    path = folder / LINEAGE_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "signatures": []}))


def other_payload(folder: Path) -> None:
    path = folder / LINEAGE_FILE
    envelope = json.loads(path.read_text())
    payload = base64.b64decode(envelope["payload"]).replace(b'"rounds":4', b'"rounds":5')
    path.write_text(json.dumps({**envelope, "payload": base64.b64encode(payload).decode()}))


LINEAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "weights": (lambda folder: flip(folder / "model.safetensors"), "is not the file"),
    "statement": (other_payload, "is not signed by"),
    "signature": (without_signature, "is no lineage"),
    "signer": (by_stranger, "the owner is"),
    "manifest": (resigned(lambda b: b["externalParameters"]["manifest"].update(seed=8)), "another manifest"),
    "model": (resigned(lambda b: b["internalParameters"].update(theta="ab" * 32)), "another model"),
    "data": (resigned(lambda b: b["resolvedDependencies"].pop()), "other data"),
}


@pytest.mark.parametrize("name", LINEAGES)
def test_a_lineage_that_tells_otherwise_is_named(
    world: World, saved: Path, tmp_path: Path, name: str
) -> None:
    spoil, said = LINEAGES[name]
    shutil.copytree(saved, tmp_path / "model")
    spoil(tmp_path / "model")
    lineage = tmp_path / "model" / LINEAGE_FILE
    report = verify_folder(world.folder, replay=0.0, history=world.history, lineage=lineage)
    assert [said in finding.said for finding in report.wrong if finding.what == "lineage"] == [True], report
