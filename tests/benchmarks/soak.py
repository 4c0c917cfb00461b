"""Hours in front of a notebook: do kernel, server and page keep their memory flat?

One JupyterLab page with two dashboards. One of 64 miners gets the same 600 rounds again and again at 20 Hz,
so everything it grows by is a leak. The other gets a run's events one by one at a run's own pace and keeps
its history, as it must; what that history weighs in the kernel is reported beside the slopes. The theme
changes every two minutes. Memory is read after a collection on both sides (the kernel makes its own every
fifteen seconds: a request from here would make it look busy, which costs the page 48 kB, see DECISIONS.md);
slopes are fitted to the second half. Needs Chromium.
"""

import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import psutil
from playwright.sync_api import CDPSession

from subnetlab_widgets.dashboard.round_table import RoundTable
from tests.benchmarks.measure import Figure, median_of, memory_mb
from tests.benchmarks.page import IMPORTS, Watched, desk, noise, pid_of
from tests.widgets.recorded import one_round, started

SAMPLES_FILE = Path("build/soak.jsonl")
FAST = f"""{IMPORTS}
import gc
fast = Dashboard(started(64, 600))
def stream():
    due, number = time.perf_counter(), 0
    while True:
        fast.feed.apply(list(one_round(number % 600, fast.feed.table.miners, 600)))
        number += 1; due += 1 / 20
        if number % 300 == 0: gc.collect()
        time.sleep(max(0, due - time.perf_counter()))
threading.Thread(target=stream, daemon=True).start()
fast
"""
PACED = """
paced = Dashboard(started(8, 100_000))
def at_pace():
    for number in range(100_000):
        for event in one_round(number, paced.feed.table.miners, 100_000):
            paced.feed.apply([event]); time.sleep(0.06)
threading.Thread(target=at_pace, daemon=True).start()
paced
"""
THEME = "window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {}'}})"
THEME_EVERY = 8
"""Samples; JupyterLab itself keeps some 30 kB of each change."""
MEMORY = ("kernel memory", "server memory", "page heap", "page process")
COUNTS = ("page nodes", "page listeners")


def measure(quick: bool, minutes: float = 60.0) -> Iterator[Figure]:
    """Watch one page for some minutes; every sample is kept in build/soak.jsonl as it comes."""
    minutes, pause = (0.5, 2.0) if quick else (minutes, 15.0)
    samples: list[dict[str, float]] = []
    SAMPLES_FILE.parent.mkdir(parents=True, exist_ok=True)
    with desk() as at, at.notebook("soak", [FAST, PACED]) as watched, SAMPLES_FILE.open("w") as kept:
        at.lab.run_all(watched.page)
        watched.wait_for("window.__subnetlab?.length === 2 && window.__subnetlab[0].store.last > 20")
        devtools = watched.page.context.new_cdp_session(watched.page)
        devtools.send("Performance.enable")
        begun = time.monotonic()
        while time.monotonic() - begun < 60 * minutes:
            if len(samples) % THEME_EVERY == 0:
                watched.ask(THEME.format("Dark" if len(samples) // THEME_EVERY % 2 else "Light"))
            found = watched.frames(pause)
            hours = (time.monotonic() - begun) / 3600
            samples.append({"hours": hours, **held(watched, devtools), **found})
            kept.write(json.dumps(samples[-1]) + "\n")
            kept.flush()
    yield from figures(samples)


def held(watched: Watched, devtools: CDPSession) -> dict[str, float]:
    """Memory in MB, the page's after a collection, and what the page counts."""
    devtools.send("HeapProfiler.collectGarbage")
    counted = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
    return {
        "kernel memory": memory_mb(pid_of("kernel"))[0],
        "server memory": memory_mb(pid_of("server"))[0],
        "page heap": counted["JSHeapUsedSize"] / 1e6,
        "page process": memory_mb(renderer())[0],
        "page nodes": counted["Nodes"],
        "page listeners": counted["JSEventListeners"],
        "rounds": watched.ask("window.__subnetlab[1].store.last"),
    }


def renderer() -> int:
    """The process that draws the page: the largest of the browser's renderers."""
    found: dict[int, int] = {}
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in process.cmdline():
                found[process.pid] = process.memory_info().rss
        except psutil.Error:
            continue
    return max(found, key=lambda pid: found[pid])


def figures(samples: list[dict[str, float]]) -> Iterator[Figure]:
    """Where each quantity ended, and how fast it grew over the second half."""
    late = samples[len(samples) // 2 :]
    hours = [each["hours"] for each in late]
    busy = noise(statistics.median(each["others"] for each in samples))
    yield Figure(name="soak", value=60 * samples[-1]["hours"], unit="min", samples=len(samples), note=busy)
    for what in (*MEMORY, *COUNTS):
        values = [each[what] for each in late]
        slope = statistics.linear_regression(hours, values).slope if len(late) > 1 else 0.0
        unit = "MB/h" if what in MEMORY else "1/h"
        note = f"from {samples[0][what]:,.1f} to {samples[-1][what]:,.1f}"
        yield Figure(name=f"growth of {what}", value=slope, unit=unit, samples=len(late), note=note)
    yield Figure(
        name="of it, the paced run's own history",
        value=history_mb(late),
        unit="MB/h",
        note="in the kernel",
    )
    yield median_of("frames a second during the soak", [each["fps"] for each in samples], "fps")
    for who in ("kernel", "browser", "server"):
        yield median_of(f"processor share of the {who}", [each[who] for each in samples], "% of a core")


def history_mb(late: list[dict[str, float]]) -> float:
    """What the kernel keeps of the rounds that the paced run had in an hour."""
    rounds = late[-1]["rounds"] - late[0]["rounds"]
    passed = max(1e-9, late[-1]["hours"] - late[0]["hours"])
    return rounds * bytes_a_round() / 1e6 / passed


def bytes_a_round(rounds: int = 2000) -> float:
    """What a round of the paced run adds to the memory of its table."""
    table = RoundTable(started(8, 100_000))

    def fold(numbers: range) -> None:
        for number in numbers:
            for event in one_round(number, table.miners, 100_000):
                table.apply(event)
        table.changed.clear()

    fold(range(rounds))
    tracemalloc.start()
    fold(range(rounds, 2 * rounds))
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return kept / rounds
