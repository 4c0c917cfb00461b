"""A page reloaded when the run has ten thousand rounds behind it: how long until its last round is on screen.

Counted from the moment the new page has made the dashboard's frame, because what lies before it is
JupyterLab's own start, which is reported beside it. Needs Chromium.
"""

import statistics
from collections.abc import Iterator

from subnetlab_widgets.dashboard.round_table import METRICS, ROUND_FIELDS
from tests.benchmarks.measure import Figure, median_of, memory_mb
from tests.benchmarks.page import IMPORTS, Desk, Watched, desk, noise, pid_of

MINERS, ROUNDS = 8, 10_000
HISTORY = f"""{IMPORTS}
first, *rest = run({MINERS}, {{rounds}})
board = Dashboard(first)
del first
board.feed.apply(rest)
del rest
import gc; gc.collect()
board
"""
EMPTY = f"{IMPORTS}board = Dashboard(started({MINERS}, 1)); board"
# Runs before the page's own scripts: notes when frame, last round and all rounds are there.
CLOCK = """() => {
  const seen = window.__clock = {};
  const tick = () => {
    const view = window.__subnetlab?.at(-1), now = performance.now();
    if (view) seen.frame ??= now;
    if (view && document.querySelector('.sl h2')?.textContent.includes('reached')) seen.last ??= now;
    if (view && view.store.last >= ROUNDS && view.store.seen.reduce((a, b) => a + b, 0) >= ROUNDS && view.pendingAck == null) seen.all ??= now;
    if (seen.all === undefined) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""  # noqa: E501


def measure(quick: bool) -> Iterator[Figure]:
    """Reloads of one page, and the kernel's memory with and without the history."""
    times, rounds = (1, 500) if quick else (3, ROUNDS)
    with desk() as at:
        with at.notebook("empty", [EMPTY]) as watched:
            at.lab.run_all(watched.page)
            watched.wait_for("document.querySelector('.sl h2')?.textContent")
            bare = memory_mb(pid_of("kernel"))[0]
        with at.notebook("history", [HISTORY.format(rounds=rounds)]) as watched:
            yield from reloaded(at, watched, bare, times=times, rounds=rounds)


def reloaded(at: Desk, watched: Watched, bare: float, *, times: int, rounds: int) -> Iterator[Figure]:
    """Reload one page some times."""
    page = watched.page
    page.add_init_script(f"({CLOCK.replace('ROUNDS', str(rounds))})()")
    at.lab.run_all(page)
    watched.wait_for_round(rounds)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    watched.wait_for("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    lab, last, everything, sent, others = [], [], [], [], []
    for _ in range(times):
        before = watched.received
        page.reload()
        watched.wait_for("window.__clock?.all")
        clock = watched.ask("window.__clock")
        lab.append(clock["frame"] / 1e3)
        last.append((clock["last"] - clock["frame"]) / 1e3)
        everything.append((clock["all"] - clock["frame"]) / 1e3)
        sent.append((watched.received - before) / 1e6)
        others.append(watched.frames(1.0)["others"])
    busy = noise(statistics.median(others))
    yield median_of(f"last of {rounds:,} rounds on screen after a reload", last, "s", note=busy)
    yield median_of("all rounds in the page after a reload", everything, "s")
    yield median_of("JupyterLab's own start before it", lab, "s")
    yield median_of(
        "bytes on the websocket for a reload", sent, "MB", note=f"rows alone {rows_mb(rounds):.2f} MB"
    )
    held = memory_mb(pid_of("kernel"))[0]
    yield Figure(name=f"kernel memory for {rounds:,} rounds", value=held - bare, unit="MB")
    yield Figure(
        name="processor share of a page at rest", value=watched.frames(3.0)["browser"], unit="% of a core"
    )


def rows_mb(rounds: int) -> float:
    """The history as rows, without any message around it."""
    return rounds * (len(ROUND_FIELDS) + MINERS * len(METRICS)) * 4 / 1e6
