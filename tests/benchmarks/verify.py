"""What it costs a third party to verify a run, beside what the run's miners needed to train it.

A run of the demonstration's model on a real node. Verifying reads the chain anew each time; the share of the
miners' rounds that is trained again is the command's own, a tenth.
"""

from collections.abc import Iterator

import subnetlab as sl
from tests.benchmarks.measure import Figure, median_of

MINERS, ROUNDS, INNER_STEPS = 8, 10, 15
TENTH = 0.1


def measure(quick: bool) -> Iterator[Figure]:
    """Train once, then verify with and without replay."""
    rounds = 3 if quick else ROUNDS
    with sl.connect(sealing="manual") as net:
        fleet = sl.LocalFleet(miners=2 if quick else MINERS, validators=2, baseline=False)
        strategy = sl.strategies.MuLoCo(inner_steps=INNER_STEPS)
        run = net.create_subnet("verified", wallet="alice").train(
            strategy=strategy, rounds=rounds, fleet=fleet
        )
        run.wait(timeout=900)
        run.verify(replay=0.0)  # loads what a process loads once
        cheap = [run.verify(replay=0.0) for _ in range(1 if quick else 3)]
        tenth = [run.verify(replay=TENTH) for _ in range(1 if quick else 3)]
    assert all(report.verified for report in (*cheap, *tenth)), tenth[0]
    yield median_of("a round, nothing trained again", [r.wall_s / rounds for r in cheap], "s")
    yield median_of("a round, a tenth trained again", [r.wall_s / rounds for r in tenth], "s")
    trained = tenth[0].training_cpu_s
    yield median_of(
        "processor seconds of that tenth", [r.checks["replay"].cpu_s for r in tenth], "s",
        peer="its miners' training", peer_value=trained, limit=0.15, limits_ratio=True,
    )  # fmt: skip
    yield median_of(
        "processor seconds of all checks", [r.cpu_s for r in tenth], "s",
        peer="its miners' training", peer_value=trained,
    )  # fmt: skip
