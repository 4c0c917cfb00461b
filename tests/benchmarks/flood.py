"""A thousand updates a second into one dashboard for ten seconds: the page stays smooth and nothing is lost.

Each update is a round of its own, so the page must end with ten thousand rows. The last row in the page's
store is compared with the kernel's, number by number. Needs Chromium.
"""

import json
from collections.abc import Iterator

import numpy as np

from tests.benchmarks.measure import Figure
from tests.benchmarks.page import IMPORTS, VIEW, Watched, desk, noise

MINERS, UPDATES_PER_S = 8, 1000
FLOOD = f"""{IMPORTS}
total = {{total}}
board = Dashboard(started({MINERS}, total))
uids, took, pause = board.feed.table.miners, 0.0, threading.Event()
def flood():
    global took
    begun = time.perf_counter()
    for number in range(total):
        board.feed.apply(list(one_round(number, [uids[number % {MINERS}]], total)))
        ahead = begun + (number + 1) / {UPDATES_PER_S} - time.perf_counter()
        if ahead > 0.005: pause.wait(ahead)
    took = time.perf_counter() - begun
flooding = threading.Thread(target=flood, daemon=True)
board
"""
START = "flooding.start()"
ANSWER = """
import json; flooding.join()
print(json.dumps({"took": took, "row": [None if x != x else float(x) for x in board.feed.table.row(total)]}))
"""
LAST_ROW = (
    f"Array.from({VIEW}.store.rows.subarray(({{n}} - 1) * {VIEW}.store.width, {{n}} * {VIEW}.store.width))"
)


def measure(quick: bool) -> Iterator[Figure]:
    """One flood, watched while it lasts."""
    seconds = 2 if quick else 10
    total = seconds * UPDATES_PER_S
    with desk() as at, at.notebook("flood", [FLOOD.format(total=total)]) as watched:
        at.lab.run_all(watched.page)
        watched.wait_for("document.querySelector('.sl h2')?.textContent")
        at.lab.append(watched.page, START)
        watched.wait_for(f"{VIEW}.store.last > 0")
        found = watched.frames(seconds * 0.9)
        at.lab.append(watched.page, ANSWER)
        watched.wait_for(f"document.querySelector('.sl h2').textContent.includes('after {total} rounds')")
        answer = printed(watched)
        kept = watched.ask(LAST_ROW.format(n=total))
        rounds = watched.ask(f"{VIEW}.store.seen.reduce((a, b) => a + b, 0)")
    page_row = np.array(kept, dtype="<f4")
    kernel_row = np.array([np.nan if x is None else x for x in answer["row"]], dtype="<f4")
    if rounds != total or not np.array_equal(page_row, kernel_row, equal_nan=True):
        raise RuntimeError(f"the page ended with {rounds} of {total} rounds, or with another last row")
    busy = noise(found["others"])
    yield Figure(name="updates a second into the feed", value=total / answer["took"], unit="1/s", note=busy)
    yield Figure(
        name="frames a second under the flood", value=found["fps"], unit="fps", limit=50, at_least=True
    )
    yield Figure(name="rounds lost in the flood", value=total - rounds, unit="", limit=0)
    for who in ("kernel", "browser"):
        yield Figure(
            name=f"processor share of the {who} under the flood", value=found[who], unit="% of a core"
        )


def printed(watched: Watched) -> dict[str, object]:
    """What the last cell of the notebook printed, as JSON."""
    output = "[...document.querySelectorAll('.jp-OutputArea-output pre')].at(-1)?.textContent"
    watched.wait_for(f"{output}?.startsWith('{{')")
    return json.loads(watched.ask(output))
