"""Anvil and hardhat 2 as nodes on a free port, where `make peers` installed them; None where it did not."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from web3 import Web3

from tests.peers.place import JS

START_S = 60.0
CHAIN_ID = "42"


@contextmanager
def anvil(rich: str) -> Generator[int | None]:
    """The port of an anvil of chain 42 that seals each transaction; `rich` holds a million units."""
    listed = sorted(JS.glob("node_modules/@foundry-rs/anvil-*/bin/anvil*"))
    program = os.environ.get("ANVIL") or next(map(str, listed), None) or shutil.which("anvil")
    if program is None:
        yield None
        return
    port = _free_port()
    command = [program, "--port", str(port), "--silent", "--chain-id", CHAIN_ID]
    with _running(command, port, Path.cwd()):
        _endow(port, "anvil_setBalance", rich)
        yield port


@contextmanager
def hardhat(rich: str) -> Generator[int | None]:
    """The port of a `hardhat node` of chain 42; `rich` holds a million units."""
    program = JS / "node_modules" / ".bin" / "hardhat"
    if not program.exists() or shutil.which("node") is None:
        yield None
        return
    port = _free_port()
    with _running(["node", str(program), "node", "--port", str(port)], port, JS):
        _endow(port, "hardhat_setBalance", rich)
        yield port


@contextmanager
def _running(command: list[str], port: int, folder: Path) -> Generator[None]:
    quiet = {**os.environ, "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true", "CI": "true"}
    process = subprocess.Popen(
        command, cwd=folder, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        w3, ends = Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}")), time.monotonic() + START_S
        while not w3.is_connected():
            if time.monotonic() > ends or process.poll() is not None:
                raise RuntimeError(f"{command[0]} did not open its port")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def _endow(port: int, method: str, rich: str) -> None:
    w3 = Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}"))
    w3.provider.make_request(method, [rich, hex(10**24)])  # type: ignore[arg-type]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
