"""The metadata document survives being read and written, and says what it is told to say."""

from pathlib import Path

import bittensor_core
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.devnet_process import running_devnet

from subnetlab.devnet import metadata
from subnetlab.devnet.metadata import document, record
from subnetlab.errors import MetadataInvalid

RECORDED = metadata.recorded()


def test_what_is_written_is_what_was_read() -> None:
    assert document.write(document.read(RECORDED)) == RECORDED


def test_version_14_is_made_from_version_15() -> None:
    v14 = document.write(document.as_v14(document.read(RECORDED)), 14)
    assert document.write(document.read(v14), 14) == v14
    old, new = (bittensor_core.Runtime(data, 461, 1, 42) for data in (v14, RECORDED))
    assert not old.is_v15
    for pallet, item in (
        ("System", "Account"),
        ("SubtensorModule", "Tempo"),
        ("Commitments", "CommitmentOf"),
    ):
        assert bytes(old.storage_prefix(pallet, item)) == bytes(new.storage_prefix(pallet, item))
    assert old.signed_extension_identifiers() == new.signed_extension_identifiers()


def test_only_errors_keep_their_documentation() -> None:
    assert document.without_docs(document.read(RECORDED)) == document.read(RECORDED)
    runtime = bittensor_core.Runtime(RECORDED, 461, 1, 42)
    assert runtime.module_error(5, 2)[1] != []
    assert b"Transfer succeeded." not in RECORDED


def test_a_constant_is_patched_in_place() -> None:
    patched = document.with_constant(RECORDED, "SlotDuration", (12_000).to_bytes(8, "little"))
    assert bittensor_core.Runtime(patched, 461, 1, 42).constant("Aura", "SlotDuration") == 12_000
    assert sum(a != b for a, b in zip(patched, RECORDED, strict=True)) <= 8
    again = document.with_constant(patched, "SlotDuration", (250).to_bytes(8, "little"))
    assert again == RECORDED


@pytest.mark.parametrize("name", ["NoSuchConstant", "System"])
def test_an_unknown_constant_is_refused(name: str) -> None:
    with pytest.raises(MetadataInvalid):
        document.with_constant(RECORDED, name, bytes(8))


@given(st.integers(0, 4000))
def test_damaged_metadata_is_refused(cut: int) -> None:
    with pytest.raises(MetadataInvalid):
        document.read(RECORDED[:cut])


def test_a_file_comes_back(tmp_path: Path) -> None:
    kept = metadata.recording()
    file = tmp_path / "461.bin"
    file.write_bytes(kept.packed())
    assert metadata.recording(file) == kept


@pytest.mark.parametrize("content", [b"", b"not zlib", metadata.recording().packed()[:500]])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.bin"
    file.write_bytes(content)
    with pytest.raises(MetadataInvalid):
        metadata.recording(file)


def test_a_running_nodes_metadata_can_be_recorded(tmp_path: Path) -> None:
    file = tmp_path / "recorded.bin"
    with running_devnet(tmp_path, "--manual") as node:
        assert record.main([node.endpoint, str(file)]) == 0
    assert metadata.recording(file) == metadata.recording()


def test_recording_from_nowhere_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record.main(["ws://127.0.0.1:1", str(tmp_path / "x")]) == 1
    assert "does not answer" in capsys.readouterr().err
    assert record.main([str(tmp_path / "missing.json"), str(tmp_path / "x")]) == 1
    assert "holds no golden metadata" in capsys.readouterr().err


def test_a_default_is_replaced_and_nothing_else() -> None:
    changed = document.read(document.with_default(RECORDED, "Tempo", (360).to_bytes(2, "little")))
    before = document.read(RECORDED)
    for known, pallet in zip(before["pallets"], changed["pallets"], strict=True):
        for entry, now in zip(
            (known["storage"] or {}).get("entries", []),
            (pallet["storage"] or {}).get("entries", []),
            strict=True,
        ):
            if entry["name"] == "Tempo":
                assert (entry["default"], now["default"]) == (b"\x0a\x00", b"\x68\x01")
                now["default"] = entry["default"]
    assert changed == before


@pytest.mark.parametrize(("name", "size"), [("NoSuchItem", 2), ("Tempo", 3), ("Transfer", 1)])
def test_an_unknown_default_is_refused(name: str, size: int) -> None:
    with pytest.raises(MetadataInvalid):
        document.with_default(RECORDED, name, bytes(size))
