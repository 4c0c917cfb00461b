"""A run as one file: what is kept comes back the same, and a stranger's file can only be refused."""

import json
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from tests.sdk.lab import story
from tests.sdk.lab.recorded_model import with_model

import subnetlab as sl
from subnetlab.archive.save import MEMBERS
from subnetlab.errors import RecordCorrupt, RunError, RunFileInvalid, RunNotFinished
from subnetlab.lab.run import Run
from subnetlab.lab.runs import attach, runs
from subnetlab.record.events import Event
from subnetlab.record.line import FILE_NAME
from subnetlab.settings import opened_folder

RECORD, MANIFEST = FILE_NAME, "manifest.json"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path / "home"))


def saved(folder: Path) -> Path:
    return Run(story.write(folder / "runs" / "r1", story.story())).save(folder / "run.zip")


# -- there and back --------------------------------------------------------------------------------


def test_a_recording_says_what_the_run_said(tmp_path: Path) -> None:
    run = with_model(tmp_path / "r1")
    opened = sl.open(run.save(tmp_path / "run.zip"))
    assert opened.folder != run.folder
    assert repr(opened) == repr(run)
    assert (opened.folder / RECORD).read_bytes() == (run.folder / RECORD).read_bytes()
    assert str(opened.verdict()) == str(run.verdict())
    assert str(opened.explain(3)) == str(run.explain(3))
    assert opened.frame("miners").equals(run.frame("miners"))
    assert opened.picture() == run.picture()
    assert opened.samples() == run.samples()
    assert (opened.status, opened.round, opened.netuid) == ("finished", 4, 2)


def test_nothing_can_still_happen_to_a_recording(tmp_path: Path) -> None:
    opened = sl.open(saved(tmp_path))
    opened.stop()
    assert opened.wait(timeout=0) is opened
    with pytest.raises(RunNotFinished, match="left no model"):
        opened.result()
    with pytest.raises(RunError, match="This is a recording"):
        _ = opened.endpoint


def test_a_run_that_broke_off_is_kept_as_far_as_it_came(tmp_path: Path) -> None:
    run = Run(story.write(tmp_path / "r1", story.story(2, ended=False)))
    with (run.folder / RECORD).open("ab") as torn:
        torn.write(b'{"seq":')
    opened = sl.open(run.save(tmp_path / "run.zip"))
    assert "breaks off after 2 rounds" in repr(opened)
    assert opened.wait() is opened


def test_opening_twice_finds_one_folder_and_mends_it(tmp_path: Path) -> None:
    path = saved(tmp_path)
    first = sl.open(path).folder
    assert sl.open(path).folder == first
    (first / RECORD).write_bytes(b"changed")
    assert sl.open(path).status == "finished"
    assert [entry.name for entry in opened_folder().iterdir()] == [first.name]


def test_the_same_run_makes_the_same_file_and_never_over_another(tmp_path: Path) -> None:
    run = with_model(tmp_path / "r1")
    first, second = run.save(tmp_path / "a.zip"), run.save(tmp_path / "new" / "b.ZIP")
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(RunError, match="exists; nothing was written"):
        run.save(first)
    assert sorted(ZipFile(first).namelist()) == sorted(MEMBERS)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    run = Run(story.write(tmp_path / "r1", story.story()))
    _ = run.view
    (run.folder / RECORD).write_bytes((run.folder / RECORD).read_bytes().replace(b"28700", b"99999", 1))
    with pytest.raises(RecordCorrupt):
        run.save(tmp_path / "out" / "run.zip")
    assert list((tmp_path / "out").iterdir()) == []


def test_recordings_are_not_among_the_runs_of_this_machine(tmp_path: Path) -> None:
    sl.open(saved(tmp_path))
    assert runs(all=True) == []
    with pytest.raises(sl.errors.UnknownRun):
        attach("r1")


def test_opening_needs_neither_torch_nor_a_node(tmp_path: Path) -> None:
    path = with_model(tmp_path / "r1").save(tmp_path / "run.zip")
    code = (
        "import subnetlab as sl, sys, json; run = sl.open(sys.argv[1]); run.verdict(); run.explain(3);"
        "run.picture(); repr(run); run.frame('miners'); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=300
    )
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert "subnetlab" in loaded
    assert loaded & {"torch", "bittensor", "bittensor_core", "web3"} == set()


# -- files of strangers ----------------------------------------------------------------------------


def rewrite(path: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """The same zip with other members."""
    with ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    with ZipFile(path, "w", ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)


def append(path: Path, member: ZipInfo, content: bytes) -> None:
    with ZipFile(path, "a") as file:
        file.writestr(member, content)


def symlink(path: Path) -> None:
    rewrite(path, lambda members: members.pop(MANIFEST))
    member = ZipInfo(MANIFEST)
    member.external_attr = 0o120777 << 16
    append(path, member, b"/etc/passwd")


def twice(path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        append(path, ZipInfo(MANIFEST), b"{}")


def encrypted(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)


def claims_to_be_huge(path: Path) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.rindex(b"PK\x01\x02") + 24, 0xF0000000)
    path.write_bytes(data)


def is_longer_than_it_says(path: Path) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, 10)
    path.write_bytes(data)


def many(path: Path) -> None:
    with ZipFile(path, "a") as file:
        for i in range(1000):
            file.writestr(f"{i}", b"")


def commented(path: Path) -> None:
    with ZipFile(path, "a") as file:
        file.comment = b"PK\x05\x06" * 8


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF
    path.write_bytes(data)


def with_member(name: str, content: bytes = b"x") -> Callable[[Path], object]:
    return lambda path: rewrite(path, lambda members: members.__setitem__(name, content))


def without(name: str) -> Callable[[Path], object]:
    return lambda path: rewrite(path, lambda members: members.pop(name))


def no_zip(path: Path) -> None:
    path.write_bytes(b"not a zip" * 100)


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "traversal": (with_member("../../escaped"), "holds nothing called"),
    "absolute": (with_member("/tmp/escaped"), "holds nothing called"),
    "backslash": (with_member("..\\escaped"), "holds nothing called"),
    "lock": (with_member("supervisor.lock"), "holds nothing called"),
    "pickle": (with_member("result/model.pt"), "holds nothing called"),
    "folder": (with_member("result/", b""), "holds nothing called"),
    "symlink": (symlink, "is not a plain file"),
    "twice": (twice, "one name twice"),
    "encrypted": (encrypted, "packed in a way"),
    "huge": (claims_to_be_huge, "would unpack to"),
    "longer": (is_longer_than_it_says, "cannot be unpacked"),
    "many": (many, "members; a run has at most"),
    "comment": (commented, "not a plain zip"),
    "cut": (cut, "not a plain zip"),
    "flipped": (flipped, "cannot be unpacked"),
    "no zip": (no_zip, "not a plain zip"),
    "empty": (lambda path: path.write_bytes(b""), "0 bytes"),
    "no record": (without(RECORD), "holds no record.jsonl"),
    "no manifest": (without(MANIFEST), "holds no manifest.json"),
    "manifest": (with_member(MANIFEST, b"[]"), "no JSON object"),
    "deep manifest": (with_member(MANIFEST, b"[" * 200_000), "can be shown"),
    "record": (with_member(RECORD, b"{}\n"), "not what was written"),
    "empty record": (with_member(RECORD, b""), "its record is empty"),
    "one long line": (with_member(RECORD, b"[" * (200 << 20)), "has a line of more than"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_and_leaves_nothing(tmp_path: Path, kind: str) -> None:
    spoil, says = HOSTILE[kind]
    path = saved(tmp_path)
    spoil(path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunFileInvalid, match=says):
        sl.open(path)
    assert [p for p in sorted(tmp_path.rglob("*")) if p not in before and "home" not in p.parts] == []
    assert list(opened_folder().iterdir()) == []


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.zip"):
        with pytest.raises(RunFileInvalid, match=r"no file.*run\.save"):
            sl.open(path)


def forged(**changes: object) -> Iterator[Event]:
    """A record whose chain holds and whose fields are not what they should be."""
    for event in story.story():
        for name, value in changes.items():
            kind, field = name.split("__")
            if event.kind == kind:
                object.__setattr__(event, field, value)
        yield event


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"run_started__run_id": "../../x"}, "a name that no run has"),
        ({"run_started__run_id": "\x1b[2J"}, "a name that no run has"),
        ({"run_started__seats": [{"uid": "1", "hotkey": "5", "role": "miner"}]}, "no uid or no hotkey"),
        ({"run_started__seats": [{}]}, "can be shown"),
        ({"run_started__manifest": {"rounds": -1}}, "less than nothing"),
        ({"run_started__manifest": {"strategy": 5}}, "can be shown"),
        ({"mined__uid": "one"}, "mined says something impossible as its uid"),
        ({"mined__round": 10**30}, "impossible as its round"),
        ({"mined__round": 2**63}, "impossible as its round"),
        ({"run_started__block": -(2**63) - 1}, "impossible as its block"),
        ({"run_started__manifest": {"rounds": 4, "x": 2**63}}, "impossible as its manifest"),
        ({"run_started__manifest": {"rounds": 4, "\udc00": 1}}, "impossible as its manifest"),
        ({"run_ended__reason": "half \ud83d"}, "impossible as its reason"),
        ({"round_closed__theta_hash": "\ud800"}, "impossible as its theta_hash"),
        ({"mined__wire_bytes": 2**63 - 1}, "can be shown"),
        ({"scored__score": "high"}, "impossible as its score"),
        ({"round_closed__val_loss": "low"}, "impossible as its val_loss"),
        ({"epoch_paid__incentive": [1]}, "differ in length"),
        ({"epoch_paid__weights": {"6": [1]}}, "impossible as its weights"),
        ({"run_ended__status": "sold"}, "impossible as its status"),
    ],
)
def test_a_forged_record_is_refused(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    folder = story.write(tmp_path / "r1", forged(**changes))
    path = Run(story.write(tmp_path / "honest", story.story())).save(tmp_path / "run.zip")
    rewrite(path, lambda members: members.__setitem__(RECORD, (folder / RECORD).read_bytes()))
    with pytest.raises(RunFileInvalid, match=says):
        sl.open(path)
