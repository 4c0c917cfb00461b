"""A JupyterLab page under measurement: what it draws, what it receives, and who uses the processor meanwhile.

One server and one headless Chromium serve a family; every notebook gets a page of its own. What other
programs of the machine used is measured too, because a busy machine makes every number here worse.
"""

import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.measure import Unavailable
from tests.browser.conftest import CHROMIUM, FLAGS, NO_BROWSER
from tests.browser.lab import Lab
from tests.browser.server import running_lab
from tests.project import ROOT

PATIENCE_MS = 120_000
VIEW = "window.__subnetlab?.at(-1)"
IMPORTS = f"""
import sys, threading, time; sys.path.insert(0, {str(ROOT)!r})
from subnetlab_widgets.dashboard import Dashboard
from tests.widgets.recorded import *
"""
COUNT_FRAMES = """async ms => {
  let frames = 0;
  const start = performance.now();
  await new Promise(done => {
    const tick = now => { frames++; now - start < ms ? requestAnimationFrame(tick) : done(); };
    requestAnimationFrame(tick);
  });
  return frames * 1000 / (performance.now() - start);
}"""


@dataclass(slots=True)
class Desk:
    """A notebook server and a browser in front of it."""

    lab: Lab
    browser: Browser

    @contextmanager
    def notebook(self, name: str, cells: list[str], *, height: int = 1500) -> Generator["Watched"]:
        """A notebook in a page of its own, its kernel ready and nothing run yet; its kernel ends with it."""
        page = self.browser.new_page(viewport={"width": 1280, "height": height})
        try:
            watched = Watched(page)
            self.lab.open(page, self.lab.notebook(f"{name}.ipynb", cells))
            yield watched
        finally:
            page.evaluate("() => window.jupyterapp?.shell.currentWidget?.context?.sessionContext.shutdown()")
            page.close()


@contextmanager
def desk() -> Generator[Desk]:
    """Start both, on folders of their own.

    Raises:
        Unavailable: there is no Chromium here.
    """
    if CHROMIUM is None:
        raise Unavailable(NO_BROWSER)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_lab(Path(folder) / "lab") as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield Desk(lab, browser)
        finally:
            browser.close()


@dataclass  # no slots: Playwright marks the methods that listen
class Watched:
    """A page whose websockets are counted."""

    page: Page
    received: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._count))

    def _count(self, payload: str | bytes) -> None:
        self.received += len(payload)

    def wait_for(self, condition: str) -> None:
        """Wait until an expression of the page is true."""
        self.page.wait_for_function(f"() => {condition}", timeout=PATIENCE_MS)

    def wait_for_round(self, number: int, view: str = VIEW) -> None:
        """Wait until the dashboard has a round and has drawn it."""
        self.wait_for(f"({view}?.store.last ?? 0) >= {number} && {view}.pendingAck == null")

    def ask(self, expression: str) -> Any:
        """The value of an expression of the page."""
        return self.page.evaluate(f"() => {expression}")

    def frames(self, seconds: float) -> dict[str, float]:
        """Frames a second over a while, with the bytes that came and the processor time everybody used."""
        received, before = self.received, spent()
        start = time.perf_counter()
        fps = self.page.evaluate(COUNT_FRAMES, seconds * 1000)
        after, wall = spent(), time.perf_counter() - start
        return {"fps": fps, "bytes": self.received - received, "wall": wall, **shares(before, after, wall)}


def spent() -> dict[str, dict[int, float]]:
    """Processor seconds by process: kernels, browser and server started here, our rest, the machine."""
    used: dict[str, dict[int, float]] = {who: {} for who in (*WORDS, "rest", "machine")}
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        try:
            line, times = " ".join(process.cmdline()), process.cpu_times()
        except psutil.Error:
            continue
        who = next((who for who, word in WORDS.items() if word in line), "rest")
        used[who][process.pid] = times.user + times.system
    times = psutil.cpu_times()
    used["machine"][0] = times.user + times.nice + times.system + times.irq + times.softirq
    return used


def shares(
    before: dict[str, dict[int, float]], after: dict[str, dict[int, float]], wall: float
) -> dict[str, float]:
    """Percent of a core that each kind used; `others` is what the machine did that was not ours."""
    used = {
        who: sum(seconds - before[who].get(pid, 0.0) for pid, seconds in processes.items())
        for who, processes in after.items()
    }
    ours = sum(used[who] for who in (*WORDS, "rest"))
    used["others"] = max(0.0, used["machine"] - ours)
    return {who: 100 * used[who] / wall for who in (*WORDS, "others")}


WORDS = {"browser": "chrom", "kernel": "_kernel", "server": "jupyter"}
"""What the command line of each kind of process has, in the order it is asked."""


def pid_of(who: str) -> int:
    """The newest process of a kind started here.

    Raises:
        LookupError: there is none.
    """
    found = spent()[who]
    if not found:
        raise LookupError(who)
    return max(found, key=lambda pid: psutil.Process(pid).create_time())


def noise(others_percent: float) -> str:
    """How busy the machine was with other things, as a note on a figure."""
    return f"other programs {others_percent:.0f} % of a core"
