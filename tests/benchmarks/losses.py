"""Loss at equal tokens: one worker alone, DDP, DiLoCo and SparseLoCo, all through our own training code.

The 1M-parameter model, four workers, 900 inner steps of 4 x 64 bytes each, the standard library as corpus,
the validation loss over 16,384 held-out bytes. Payloads are really encoded and decoded, their bytes counted.
What counts is the share of the gap between the single worker and DDP that a strategy closes. Takes minutes.
"""

from collections.abc import Iterator

from subnetlab.train import data, models, strategies
from subnetlab.train.optimizer import AdamWConfig
from tests.benchmarks.in_process import Setting, Trained, subnet, together
from tests.benchmarks.measure import Figure

STEPS = 900


def measure(quick: bool) -> Iterator[Figure]:
    """All rows on one corpus, the anchors of the gap first."""
    corpus, config = data.stdlib().read(), AdamWConfig()
    setting = Setting(model=models.TinyGPT("small"), steps=30 if quick else STEPS)
    alone = together(config, 1, setting, corpus)
    yield _row("single worker: validation loss", alone, "")
    joined = together(config, setting.workers, setting, corpus)
    yield _row("DDP: validation loss", joined, "")
    for name, strategy in (("DiLoCo", strategies.DiLoCo()), ("SparseLoCo", strategies.SparseLoCo())):
        outcome = subnet(strategy, config, setting, corpus)
        closed = (alone.loss - outcome.loss) / (alone.loss - joined.loss)
        yield _row(f"{name} H=15: validation loss", outcome, "DDP", joined.loss)
        goal = 0.53 if name == "SparseLoCo" else None
        yield Figure(
            name=f"{name} H=15: share of the gap closed", value=closed, unit="", limit=goal, at_least=True
        )
        yield Figure(
            name=f"{name} H=15: bytes up per worker", value=outcome.bytes_up, unit="B", peer="DDP",
            peer_value=joined.bytes_up,
        )  # fmt: skip


def _row(name: str, outcome: Trained, peer: str, peer_value: float | None = None) -> Figure:
    return Figure(
        name=name, value=outcome.loss, unit="nats/byte", peer=peer, peer_value=peer_value,
        note=f"{outcome.cpu_s:.0f} s of processor time",
    )  # fmt: skip
