"""A JupyterLab of its own on loopback, for browser tests and benchmarks."""

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.lab import Lab

FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
)


@contextmanager
def running_lab(folder: Path, *more: str, **env: str) -> Generator[Lab]:
    """JupyterLab with a token; notebooks, settings and workspaces below `folder`, with options beside."""
    root, home = folder / "notebooks", folder / "home"
    root.mkdir(parents=True)
    home.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    options = {
        "IdentityProvider.token": token,
        "ServerApp.root_dir": str(root),
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.expose_app_in_browser": "True",
    }
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={port}", *(f"--{name}={value}" for name, value in options.items()), *more]
    environment = {**os.environ, "SUBNETLAB_HOME": str(home / "subnetlab"), **env}
    environment |= {name: str(home / name.lower()) for name in FOLDERS}
    environment |= {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
    }  # wallets, and the history of cells
    news = home / "jupyterlab_settings_dir" / "@jupyterlab" / "apputils-extension"
    news.mkdir(parents=True)
    (news / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    log = (home / "server.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    lab = Lab(url=f"http://127.0.0.1:{port}", token=token, root=Path(root))
    try:
        _wait_until_up(lab, process, home / "server.log")
        yield lab
    finally:
        process.terminate()
        process.wait(timeout=300)
        log.close()


def _wait_until_up(lab: Lab, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Ask until the server answers; a refused connection returns at once, so the loop has its own pulse."""
    pulse = threading.Event()
    for _ in range(1200):
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(f"{lab.url}/api/status?token={lab.token}", timeout=5) as answer:
                json.load(answer)
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pulse.wait(0.1)
    raise AssertionError("JupyterLab did not answer within two minutes:\n" + log.read_text()[-2000:])
