"""A real JupyterLab and a real headless Chromium, one of each for all browser tests."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser.lab import SCREENSHOTS, Lab

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
)
NO_BROWSER = "no Chromium on this machine: install it, on Debian with `apt-get install chromium`"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Lab]:
    """JupyterLab on loopback with a token, its settings and workspaces in a folder of its own."""
    root = tmp_path_factory.mktemp("lab")
    home = tmp_path_factory.mktemp("labhome")
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
    command += [f"--port={port}", *(f"--{name}={value}" for name, value in options.items())]
    environment = {**os.environ, "SUBNETLAB_HOME": str(home / "subnetlab")}
    environment |= {name: str(home / name.lower()) for name in FOLDERS}
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
        process.wait(timeout=20)
        log.close()


def _wait_until_up(lab: Lab, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Ask until the server answers; a refused connection returns at once, so the loop has its own pulse."""
    pulse = threading.Event()
    for _ in range(300):
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(f"{lab.url}/api/status?token={lab.token}", timeout=5) as answer:
                json.load(answer)
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pulse.wait(0.1)
    raise AssertionError("JupyterLab did not answer within 30 seconds:\n" + log.read_text()[-2000:])


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page; every request that leaves the machine fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 1500})
    page = context.new_page()
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url) if leaves(request.url) else None)
    yield page
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "last-page.png")
    context.close()
    assert not foreign, f"the page asked outside this machine: {foreign[:3]}"


def leaves(url: str) -> bool:
    """Whether a request goes to another machine."""
    return url.startswith(("http", "ws")) and "//127.0.0.1" not in url
