"""`dev_save` and `dev_load` touch plain files below the node's own folder and nothing else."""

import os
import stat
from pathlib import Path

import pytest
from tests.devnet_process import DevnetProcess


def folder(node: DevnetProcess) -> Path:
    return node.errors.parent


def test_a_chain_is_saved_for_its_user_alone_and_loaded_again(node: DevnetProcess) -> None:
    node.seal()
    head = node.rpc("dev_save", "kept/here")
    file = folder(node) / "kept" / "here"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    node.seal(3)
    assert node.rpc("dev_load", str(file)) == head
    assert node.rpc("dev_info")["head"] == head


def test_what_is_no_saved_chain_is_refused_and_the_node_goes_on(node: DevnetProcess) -> None:
    (folder(node) / "rubbish").write_bytes(b"rubbish")
    os.mkfifo(folder(node) / "fifo")
    before = node.rpc("dev_info")
    assert node.ask("dev_load", "rubbish")["error"]["code"] == -32000
    assert node.ask("dev_load", "absent")["error"]["code"] == -32000
    for method in ("dev_load", "dev_save"):
        assert "no plain file" in node.ask(method, "fifo")["error"]["data"]
    assert node.rpc("dev_info") == before


@pytest.mark.parametrize("name", ["link", "linked/file"])
def test_no_link_leads_out_of_the_folder(node: DevnetProcess, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "file"
    victim.write_text("mine")
    link = folder(node) / name.split("/", maxsplit=1)[0]
    link.symlink_to(victim if link.name == name else tmp_path)
    for method in ("dev_save", "dev_load"):
        assert node.ask(method, name)["error"]["code"] == -32602
    assert victim.read_text() == "mine"
    assert link.is_symlink()


def test_a_link_in_place_of_the_file_that_is_being_written_is_not_followed(node: DevnetProcess) -> None:
    beside = folder(node) / f".aside.{node.process.pid}"
    beside.symlink_to(folder(node) / "devnet.stderr")
    node.rpc("dev_save", "aside")
    assert node.errors.read_text() == ""
    assert not beside.exists()
