"""A student's own peer: started once, found again by its lock, told in words, ended when asked."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.running_class import until

from subnetlab.errors import FleetStartFailed
from subnetlab.lab.own_peer import OwnPeer


def test_a_peer_is_found_again_and_started_once_and_says_why_it_ended(tmp_path: Path) -> None:
    assert repr(OwnPeer(tmp_path)).startswith("No peer of yours takes part yet")
    words = ["miner", "--endpoint", "ws://127.0.0.1:1", "--netuid", "2", "--wallet", "alice"]
    started = OwnPeer.start(tmp_path, words)
    again = OwnPeer(tmp_path)
    assert (again.role, again.alive, again.pid) == ("miner", True, started.pid)
    with pytest.raises(FleetStartFailed, match="runs already"):
        OwnPeer.start(tmp_path, words)
    until(lambda: not again.alive, "end of a peer whose chain does not answer")
    assert again.pid is None
    assert "Your miner has ended. " in repr(again)
    assert "127.0.0.1:1" in repr(again)
    again.stop()
    other = OwnPeer.start(tmp_path, ["validator", *words[1:]])
    assert other.role == "validator"
    other.stop()
    assert not other.alive


def test_a_refusal_of_code_names_the_word_of_a_notebook(tmp_path: Path) -> None:
    note = {"kind": "note", "text": "It holds code. Read the manifest, then join with --trust 5Fabc."}
    (tmp_path / "peer.json").write_text(json.dumps({"pid": 1, "role": "miner"}))
    (tmp_path / "peer.log").write_text("garbage\n[]\n" + json.dumps(note) + "\n")
    assert repr(OwnPeer(tmp_path)).endswith("Read the manifest, then start it with trust=True.")


def test_a_note_that_a_later_round_has_overtaken_is_not_told(tmp_path: Path) -> None:
    note, mined = {"kind": "note", "text": "Caught up with round 6."}, {"kind": "mined", "round": 6}
    (tmp_path / "peer.json").write_text(json.dumps({"pid": 1, "role": "miner"}))
    (tmp_path / "peer.log").write_text(f"{json.dumps(note)}\n{json.dumps(mined)}\n")
    assert repr(OwnPeer(tmp_path)) == "Your miner has ended, round 7. net.start_miner() starts another."
    later = {"kind": "note", "text": "The run is over."}
    with (tmp_path / "peer.log").open("a") as log:
        log.write(json.dumps(later) + "\n")
    assert repr(OwnPeer(tmp_path)) == "Your miner has ended, round 7. The run is over."


_KERNEL = """
import sys
from pathlib import Path
from subnetlab.lab.own_peer import OwnPeer
words = ["miner", "--endpoint", sys.argv[2], "--netuid", "2", "--wallet", "bob"]
print(OwnPeer.start(Path(sys.argv[1]), words).alive)
"""


def test_a_peer_ends_with_the_kernel_that_started_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a node that takes connections and says nothing
        at = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "-c", _KERNEL, str(tmp_path), at],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True\n"
    assert not OwnPeer(tmp_path).alive
