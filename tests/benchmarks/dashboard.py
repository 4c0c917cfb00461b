"""The dashboard in a real JupyterLab at 64 miners and 20 updates a second, beside what people use instead.

Frames per second, bytes per update on the websocket, latency from the kernel to the painted frame, and the
processor time of kernel and browser. Peers draw the same 64 × 8 lines: plotly's FigureWidget, and matplotlib
with clear_output. Needs Chromium.
"""

import statistics
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.measure import Figure, Unavailable
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.lab import Lab
from tests.browser.server import running_lab
from tests.project import ROOT

HZ = 20
OURS = f"""
import sys, threading, time; sys.path.insert(0, {str(ROOT)!r})
from tests.widgets.recorded import one_round, started
from subnetlab_widgets.dashboard import Dashboard
board = Dashboard(started(64, 600))
def stream():
    due = time.perf_counter()
    for number in range(600):
        board.feed.apply(list(one_round(number, board.feed.story.miners, 600)))
        due += 1 / {HZ}
        time.sleep(max(0, due - time.perf_counter()))
threading.Thread(target=stream, daemon=True).start()
board
"""
PLOTLY = f"""
import threading, time, numpy as np, plotly.graph_objects as go
from plotly.subplots import make_subplots
figure = go.FigureWidget(make_subplots(4, 2))
for metric in range(8):
    for miner in range(64):
        figure.add_scatter(y=[], row=1 + metric // 2, col=1 + metric % 2, showlegend=False)
data = np.zeros((0, 512)); drawn = 0
def stream():
    global data, drawn
    due = time.perf_counter()
    for number in range(600):
        data = np.vstack([data, np.random.rand(1, 512)])
        with figure.batch_update():
            for series in range(512): figure.data[series].y = data[:, series]
        drawn += 1; due += 1 / {HZ}
        time.sleep(max(0, due - time.perf_counter()))
threading.Thread(target=stream, daemon=True).start()
figure
"""
MATPLOTLIB = f"""
import time, numpy as np, matplotlib.pyplot as plt
from IPython.display import clear_output, display
data = np.zeros((0, 512)); drawn = 0; end = time.time() + 25
while time.time() < end:
    begun = time.perf_counter()
    data = np.vstack([data, np.random.rand(1, 512)])
    figure, axes = plt.subplots(4, 2, figsize=(9, 8))
    for metric, axis in enumerate(axes.flat): axis.plot(data[:, metric * 64:(metric + 1) * 64], lw=0.5)
    clear_output(wait=True); display(figure); plt.close(figure); drawn += 1
    time.sleep(max(0, 1 / {HZ} - (time.perf_counter() - begun)))
"""
COUNT_FRAMES = """async ms => { let n = 0; const end = performance.now() + ms;
  await new Promise(done => { const tick = () => { n++; performance.now() < end ? requestAnimationFrame(tick) : done(); }; requestAnimationFrame(tick); });
  return n * 1000 / ms; }"""  # noqa: E501
SHOWN = {
    "subnetlab": ".sl table tbody tr",
    "plotly": ".js-plotly-plot",
    "matplotlib": ".jp-OutputArea-output img",
}


class Wire:
    """Counts what arrives on the page's websockets."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))

    def _count(self, payload: str | bytes) -> None:
        self.bytes += len(payload)


def watch(lab: Lab, browser: Browser, name: str, code: str, seconds: float) -> dict[str, float]:
    """Run one notebook and watch it for some seconds once it draws."""
    page = browser.new_page(viewport={"width": 1280, "height": 1500})
    wire = Wire(page)
    lab.open(page, lab.notebook(f"{name}.ipynb", [code]))
    lab.run_all(page)
    page.wait_for_selector(SHOWN[name], timeout=60_000)
    bytes_before, cpu_before = wire.bytes, processor_seconds()
    rows_before = page.evaluate("() => window.__subnetlab?.[0]?.stats.rows ?? 0")
    if name == "subnetlab":
        page.evaluate("() => { window.__subnetlab[0].stats.latencies.length = 0; }")
    fps = page.evaluate(COUNT_FRAMES, seconds * 1000)
    cpu = {who: used - cpu_before[who] for who, used in processor_seconds().items()}
    found = {
        "fps": fps,
        "bytes": wire.bytes - bytes_before,
        "kernel": cpu["kernel"],
        "browser": cpu["browser"],
    }
    if name == "subnetlab":
        latencies = page.evaluate("() => window.__subnetlab[0].stats.latencies")
        found["p95_ms"] = statistics.quantiles(latencies, n=20)[-1] * 1e3
        found["updates"] = page.evaluate("() => window.__subnetlab[0].stats.rows") - rows_before
    page.close()
    return found | {"seconds": seconds}


def processor_seconds() -> dict[str, float]:
    """Processor time used so far by all kernels and by the browser, children of this process."""
    used = {"kernel": 0.0, "browser": 0.0}
    for process in psutil.Process().children(recursive=True):
        try:
            line, times = " ".join(process.cmdline()), process.cpu_times()
        except psutil.Error:
            continue
        who = "browser" if "chrom" in line else "kernel" if "kernel" in line else None
        if who:
            used[who] += times.user + times.system
    return used


def measure(quick: bool) -> Iterator[Figure]:
    """Ours, then the peers, each in a page of its own."""
    missing = [name for name in ("plotly", "matplotlib") if find_spec(name) is None]
    if CHROMIUM is None or missing:
        raise Unavailable("it needs Chromium, and its peers: pip install -e '.[dev,bench]'")
    seconds = 3.0 if quick else 10.0
    with (
        tempfile.TemporaryDirectory() as folder,
        running_lab(Path(folder) / "lab") as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        ours = watch(lab, browser, "subnetlab", OURS, seconds)
        plotly = watch(lab, browser, "plotly", PLOTLY, seconds)
        matplotlib = watch(lab, browser, "matplotlib", MATPLOTLIB, seconds)
        browser.close()
    yield Figure(
        name="frames per second, 64 miners at 20 Hz",
        value=ours["fps"],
        unit="fps",
        peer="plotly",
        peer_value=plotly["fps"],
        limit=55,
        at_least=True,
    )
    yield Figure(name="frames per second of matplotlib + clear_output", value=matplotlib["fps"], unit="fps")
    yield Figure(
        name="bytes on the websocket per update",
        value=ours["bytes"] / max(1, ours["updates"]),
        unit="B",
        peer="plotly, per wanted update",
        peer_value=plotly["bytes"] / (HZ * seconds),
        limit=4096,
    )
    yield Figure(name="updates drawn per second", value=ours["updates"] / seconds, unit="1/s")
    yield Figure(name="kernel to painted frame, p95", value=ours["p95_ms"], unit="ms", limit=60)
    for who in ("kernel", "browser"):
        yield Figure(
            name=f"processor share of the {who}",
            value=100 * ours[who] / seconds,
            unit="% of a core",
            peer="plotly",
            peer_value=100 * plotly[who] / seconds,
        )
