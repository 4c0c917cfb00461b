"""A real devnet as a process of its own, started on a free port and waited for by what it prints."""

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subnetlab.settings import dev_token_file

START_SECONDS = 30


@dataclass(frozen=True)
class DevnetProcess:
    """A running node: where it listens, and its process."""

    endpoint: str
    genesis_hash: str
    process: "subprocess.Popen[str]"
    errors: Path
    token: str
    """What opens its `dev_` methods."""

    @property
    def port(self) -> int:
        return int(self.endpoint.rsplit(":", 1)[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def authorization(self) -> dict[str, str]:
        """The header that carries the token."""
        return {"Authorization": f"Bearer {self.token}"}

    def post(self, body: bytes, headers: dict[str, str] | None = None) -> Any:
        """POST raw bytes, with the token unless `headers` say otherwise, and read the JSON answer."""
        request = urllib.request.Request(
            self.url, body, {"Content-Type": "application/json", **self.authorization, **(headers or {})}
        )
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.loads(answer.read())

    def ask(self, method: str, *params: Any) -> Any:
        """One JSON-RPC request; the whole answer."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        return self.post(json.dumps(request).encode())

    def rpc(self, method: str, *params: Any) -> Any:
        """One JSON-RPC request that must succeed."""
        answer = self.ask(method, *params)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def seal(self, blocks: int = 1) -> int:
        """Seal blocks now; the new height."""
        return self.rpc("dev_seal", blocks)["number"]


@contextmanager
def running_devnet(folder: Path, *options: str, files: int | None = None) -> Iterator[DevnetProcess]:
    """A node that lives as long as the block; `folder` takes its stderr, `files` limits its descriptors."""
    errors = folder / "devnet.stderr"
    command = [sys.executable, "-m", "subnetlab.devnet", "--port", "0", *options]
    if files is not None:
        command = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command]
    with errors.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
        watchdog = threading.Timer(START_SECONDS, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            listening = process.stdout.readline().split()
            imported = process.stdout.readline()
            watchdog.cancel()
            assert imported.startswith("Imported #"), errors.read_text(encoding="utf-8")
            token = dev_token_file(int(listening[1].rsplit(":", 1)[1])).read_text()
            yield DevnetProcess(listening[1], listening[3], process, errors, token)
        finally:
            watchdog.cancel()
            process.terminate()
            process.communicate(timeout=START_SECONDS)
