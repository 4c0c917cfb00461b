"""From the execute request of a `%%train` cell to the first frame of its dashboard, on a warm kernel.

Warm: the notebook has connected and made its subnet, as every tutorial does before it trains. The run is real
and tiny. When the first round is drawn is reported beside it. Needs Chromium.
"""

import statistics
from collections.abc import Iterator

from tests.benchmarks.measure import Figure, median_of
from tests.benchmarks.page import Desk, desk, noise

WARM = """\
import subnetlab as sl
net = sl.connect()
subnet = net.create_subnet("tiny-lm", wallet=net.wallet("alice"))
"""
TRAIN = """\
%%train --miners 3 --validators 2 --free-riders 1 --rounds 3
model = sl.models.TinyGPT("binder", n_embd=32, n_layer=1, n_head=2, seq_len=32)
data = sl.data.stdlib(400_000)
strategy = sl.strategies.SparseLoCo(inner_steps=2)
"""
# Two frames after the words are there, they are on screen.
EXECUTE = """async code => {
  const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
  const boards = document.querySelectorAll('.sl h2').length;
  notebook.activeCellIndex = notebook.widgets.length - 1;
  await app.commands.execute('notebook:insert-cell-below');
  notebook.activeCell.model.sharedModel.setSource(code);
  const seen = window.__clock = { start: performance.now() };
  const tick = () => {
    const heads = document.querySelectorAll('.sl h2'), now = performance.now();
    if (seen.drawn === undefined && heads.length > boards && heads[boards].textContent) seen.drawn = requestAnimationFrame(() => { seen.frame = performance.now(); });
    if (heads.length > boards && heads[boards].textContent.includes('are at')) seen.round ??= now;
    if (seen.round === undefined) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  app.commands.execute('notebook:run-cell');
}"""  # noqa: E501


def measure(quick: bool) -> Iterator[Figure]:
    """The first run of a kernel, and the next one on the same kernel, several kernels after one another."""
    first, second, rounds, others = [], [], [], []
    with desk() as at:
        for number in range(1 if quick else 3):
            clocks = list(two_runs(at, f"train{number}"))
            first.append(clocks[0]["frame"])
            second.append(clocks[1]["frame"])
            rounds.append(clocks[0]["round"])
            others.append(clocks[0]["others"])
    busy = noise(statistics.median(others))
    yield median_of("first frame after %%train, first run", first, "s", limit=3, note=busy)
    yield median_of("first frame after %%train, next run", second, "s", limit=3)
    yield median_of("first round on screen after %%train, first run", rounds, "s")


def two_runs(at: Desk, name: str) -> Iterator[dict[str, float]]:
    """Train twice on one kernel; seconds since each execute request."""
    with at.notebook(name, [WARM]) as watched:
        at.lab.run_all(watched.page)
        watched.wait_for(
            "[...document.querySelectorAll('.jp-InputPrompt')].every(e => e.textContent === '[1]:')"
        )
        for number in (1, 2):
            watched.page.evaluate(EXECUTE, TRAIN)
            watched.wait_for("window.__clock?.round")
            clock = watched.ask("window.__clock")
            busy = watched.frames(1.0)["others"]
            yield {
                "frame": (clock["frame"] - clock["start"]) / 1e3,
                "round": (clock["round"] - clock["start"]) / 1e3,
                "others": busy,
            }
            watched.wait_for(f"window.__subnetlab?.at({number - 1}).status.state === 'finished'")
