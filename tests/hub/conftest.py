"""A hub as docs/jupyterhub_config.py has it, servers are plain processes; skipped without `make hub`."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from tests.project import ROOT

BIN = ROOT / "build" / "hub" / "bin"
PROXY = ROOT / "tests" / "hub" / "js" / "node_modules" / "configurable-http-proxy" / "bin"
MISSING = "a hub is not installed: run `make hub` (a minute, npm and a network needed)"
LIMIT_S = 300.0
SITE = """\
import os
exec(open({recipe!r}).read())
c.JupyterHub.bind_url = os.environ["HUB_URL"]
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.authenticator_class, c.DummyAuthenticator.allow_all = "dummy", True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Spawner.cmd = [{single!r}]
c.Spawner.environment |= {{"JUPYTER_PATH": {jupyter!r}}}
c.Spawner.args = ["--ServerApp.root_dir=" + {homes!r}, "--allow-root"]
c.JupyterHub.services[0]["command"][0] = {python!r}
c.JupyterHub.services += [{{"name": "tests", "api_token": os.environ["TESTS_TOKEN"]}}]
c.JupyterHub.load_roles = [{{
    "name": "tests", "services": ["tests"], "scopes": ["admin:users", "admin:servers", "tokens"],
}}]
"""


@dataclass
class Hub:
    """A hub that serves."""

    url: str
    token: str
    folder: Path
    """The class's own."""
    homes: Path
    log: Path

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Ask the hub's REST interface as its administrator."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.token}"}
        request = Request(f"{self.url}/hub/api/{path}", data, headers, method=method)
        with urlopen(request, timeout=300) as answer:
            return json.loads(answer.read() or b"null")

    def start_server(self, user: str) -> str:
        """Start a student's server; a token of the student's own."""
        self.api("POST", f"users/{user}")
        token = str(self.api("POST", f"users/{user}/tokens", {"note": "kernel"})["token"])
        self.api("POST", f"users/{user}/server")
        wait(lambda: self.api("GET", f"users/{user}")["servers"].get("", {}).get("ready"), "server", self.log)
        return token


def wait(look: Any, what: str, log: Path) -> Any:
    """Wait until a look finds something."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"no {what}:\n{log.read_text(errors='replace')[-3000:]}"
        time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    """Ports that are free now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    if not (BIN / "jupyterhub").exists() or not PROXY.is_dir() or shutil.which("node") is None:
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("hub")
    homes, log, place = folder / "homes", folder / "log", folder / "class"
    homes.mkdir()
    place.mkdir()
    port, hub_port, api_port, class_port = free_ports(4)
    site = folder / "site_config.py"
    site.write_text(
        SITE.format(
            recipe=str(ROOT / "docs" / "jupyterhub_config.py"), hub_port=hub_port, api_port=api_port,
            proxy=[shutil.which("node"), str(PROXY / "configurable-http-proxy")], homes=str(homes),
            single=str(BIN / "jupyterhub-singleuser"), jupyter=f"{sys.prefix}/share/jupyter",
            python=sys.executable,
        )
    )  # fmt: skip
    token = secrets.token_hex(16)
    options = f"--folder {place} --students 4 --round-seconds 6 --notice 5"
    env = {
        **os.environ, "HUB_URL": f"http://127.0.0.1:{port}", "CLASS_PORT": str(class_port),
        "CLASS_OPTIONS": options, "TESTS_TOKEN": token, "PATH": f"{BIN}:{os.environ['PATH']}",
    }  # fmt: skip
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [str(BIN / "python"), "-m", "jupyterhub", "-f", str(site)], cwd=folder, env=env, stdout=stream,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    running = Hub(env["HUB_URL"], token, place, homes, log)
    try:

        def up() -> bool:
            assert process.poll() is None, log.read_text(errors="replace")
            try:
                return bool(running.api("GET", "users") is not None)
            except HTTPError as error:  # the proxy is there before its routes are
                error.close()
                return False
            except (URLError, ConnectionError):
                return False

        wait(up, "hub", log)
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(300)
