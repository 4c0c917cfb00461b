"""The dashboard in a real JupyterLab at 20 updates a second, beside what people use instead.

Frames per second, bytes per update on the websocket, latency from the kernel to the painted frame, and the
processor time of kernel and browser. Peers draw the same 64 × 8 lines: plotly's FigureWidget, and matplotlib
with clear_output; at 256 miners ours is alone. Contenders take turns, so that a busy moment meets all.
Needs Chromium.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec

from tests.benchmarks.measure import Figure, median_of
from tests.benchmarks.page import IMPORTS, VIEW, Desk, desk, noise

HZ = 20
ROUNDS = 600
OURS = f"""{IMPORTS}
board = Dashboard(started({{miners}}, {ROUNDS}))
def stream():
    due = time.perf_counter()
    for number in range({ROUNDS}):
        board.feed.apply(list(one_round(number, board.feed.table.miners, {ROUNDS})))
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
data = np.zeros((0, 512))
def stream():
    global data
    due = time.perf_counter()
    for number in range({ROUNDS}):
        data = np.vstack([data, np.random.rand(1, 512)])
        with figure.batch_update():
            for series in range(512): figure.data[series].y = data[:, series]
        due += 1 / {HZ}
        time.sleep(max(0, due - time.perf_counter()))
threading.Thread(target=stream, daemon=True).start()
figure
"""
MATPLOTLIB = f"""
import time, numpy as np, matplotlib.pyplot as plt
from IPython.display import clear_output, display
data = np.zeros((0, 512))
for number in range({ROUNDS}):
    begun = time.perf_counter()
    data = np.vstack([data, np.random.rand(1, 512)])
    figure, axes = plt.subplots(4, 2, figsize=(9, 8))
    for metric, axis in enumerate(axes.flat): axis.plot(data[:, metric * 64:(metric + 1) * 64], lw=0.5)
    clear_output(wait=True); display(figure); plt.close(figure)
    time.sleep(max(0, 1 / {HZ} - (time.perf_counter() - begun)))
"""
# What each contender shows when it draws, and how many updates have reached the page so far.
CONTENDERS = {
    "subnetlab": (OURS.format(miners=64), f"{VIEW}?.store.last > 20", f"{VIEW}.store.last"),
    "plotly": (PLOTLY, "document.querySelector('.js-plotly-plot')", "window.__drawn"),
    "matplotlib": (MATPLOTLIB, "document.querySelector('.jp-OutputArea-output img')", "window.__drawn"),
}
# Peers have no counter of their own: a redraw is a change of what they draw into.
COUNT_REDRAWS = """(() => {
  window.__drawn = 0;
  const plot = document.querySelector('.js-plotly-plot');
  if (plot) plot.on('plotly_afterplot', () => window.__drawn++);
  else new MutationObserver(all => { window.__drawn += all.some(m => [...m.addedNodes].some(n => n.querySelector?.('img') || n.tagName === 'IMG')) ? 1 : 0; })
    .observe(document.querySelector('.jp-Notebook'), { childList: true, subtree: true });
})()"""  # noqa: E501

Samples = dict[str, list[float]]


def watch(at: Desk, name: str, code: str, seconds: float) -> Samples:
    """Run one notebook and watch it for some seconds once it draws."""
    _, drawing, counter = CONTENDERS[name]
    with at.notebook(name, [code]) as watched:
        at.lab.run_all(watched.page)
        watched.wait_for(drawing)
        if name == "subnetlab":
            watched.ask(f"{VIEW}.stats.latencies.splice(0)")
        else:
            watched.ask(COUNT_REDRAWS)
        drawn_before = watched.ask(counter)
        found = watched.frames(seconds)
        drawn = watched.ask(counter) - drawn_before
        latencies = watched.ask(f"{VIEW}.stats.latencies") if name == "subnetlab" else []
    wanted = HZ * found["wall"]
    return {
        "fps": [found["fps"]],
        "bytes": [found["bytes"] / (max(1, drawn) if name == "subnetlab" else wanted)],
        "drawn": [drawn / found["wall"]],
        "latencies": [1e3 * latency for latency in latencies],
        **{who: [found[who]] for who in ("kernel", "browser", "others")},
    }


def repeated(at: Desk, contenders: dict[str, str], *, times: int, seconds: float) -> dict[str, Samples]:
    """Every contender in turn, several times."""
    seen: dict[str, Samples] = {name: defaultdict(list) for name in contenders}
    for _ in range(times):
        for name, code in contenders.items():
            for what, values in watch(at, name, code, seconds).items():
                seen[name][what] += values
    return seen


def measure(quick: bool) -> Iterator[Figure]:
    """64 miners with the peers, then 256 alone."""
    times, seconds = (1, 2.0) if quick else (3, 5.0)
    with desk() as at:
        codes = {name: code for name, (code, _, _) in CONTENDERS.items() if find_spec(name) is not None}
        for peer in CONTENDERS.keys() - codes.keys():
            yield Figure(name=f"not measured: {peer}", value=0, unit="", note="pip install -e '.[dev,bench]'")
        seen = repeated(at, codes, times=times, seconds=seconds)
        yield from figures("64 miners", seen)
        many = repeated(at, {"subnetlab": OURS.format(miners=256)}, times=times, seconds=seconds)
        yield from figures("256 miners", many)


def figures(what: str, seen: dict[str, Samples]) -> Iterator[Figure]:
    """Ours with the budgets, beside each peer."""
    ours, peers = seen["subnetlab"], [name for name in seen if name != "subnetlab"] or [""]
    busy = noise(statistics.median(ours["others"]))
    budgets = what == "64 miners"

    def beside(name: str, values: str, unit: str, **options: object) -> Iterator[Figure]:
        for peer in peers:
            theirs = statistics.median(seen[peer][values]) if peer else None
            first = peer == peers[0]
            yield median_of(
                f"{name}, {what}", ours[values], unit, peer=peer, peer_value=theirs,
                note=busy if first else "", **(options if first else {}),
            )  # fmt: skip

    yield from beside("frames a second", "fps", "fps", limit=55 if budgets else None, at_least=True)
    yield from beside("bytes on the websocket an update", "bytes", "B", limit=4096 if budgets else None)
    yield from beside("updates drawn a second", "drawn", "1/s")
    yield Figure(
        name=f"kernel to painted frame, p95, {what}",
        value=statistics.quantiles(ours["latencies"], n=20)[-1],
        unit="ms",
        samples=len(ours["latencies"]),
        limit=60 if budgets else None,
        note=f"median {statistics.median(ours['latencies']):.0f} ms; {busy}",
    )
    yield from beside("processor share of the kernel", "kernel", "% of a core")
    yield from beside("processor share of the browser", "browser", "% of a core")
