"""A running node loads neither torch nor the SDK it is judged by."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

FORBIDDEN = {"torch", "bittensor", "web3", "polars", "IPython", "eth", "eth_utils", "coincurve", "Crypto"}


def test_a_running_devnet_has_loaded_no_heavy_module(tmp_path: Path) -> None:
    """`-X importtime` names every module the process loads, until it ends: no list to forget."""
    report = tmp_path / "imports"
    command = [sys.executable, "-X", "importtime", "-m", "subnetlab.devnet", "--port", "0", "--instant"]
    with report.open("w", encoding="utf-8") as stderr:
        node = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
        watchdog = threading.Timer(30, node.kill)
        watchdog.start()
        try:
            assert node.stdout is not None
            said = next((line for line in iter(node.stdout.readline, "") if _opens(line)), "")
            node.send_signal(signal.SIGTERM)
            node.communicate()
        finally:
            watchdog.cancel()
            node.kill()
    assert said, report.read_text(encoding="utf-8")[-2000:]
    loaded = {line.rsplit("|", 1)[-1].strip() for line in report.read_text(encoding="utf-8").splitlines()}
    assert "subnetlab.devnet" in loaded
    assert {name for name in loaded if name.split(".")[0] in FORBIDDEN} == set()


def _opens(line: str) -> bool:
    return line.startswith("Imported #1")
