"""What became of rounds that nobody reported: found out from the chain and the store, as any stranger could.

A round whose lead was killed after it had anchored did close, and everybody's model moved; a round without an
anchor that was in time left the model as it was. Runs in a fork that has torch loaded.
"""

from collections.abc import Callable, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TypeAlias

from subnetlab.fleet.chore import Answer, ask
from subnetlab.fleet.facts import load_manifest
from subnetlab.fleet.result import open_replica
from subnetlab.fleet.spec import read_spec
from subnetlab.record.events import Event, RoundLost, from_json, to_json

Recount: TypeAlias = Callable[[Sequence[int]], list[Event]]
"""What became of some rounds, ascending: a `RoundClosed` or a `RoundLost` for each; raises as `recount`."""


def recounting(context: ForkServerContext, run_folder: Path) -> Recount:
    """The recount of one run, asked of a fork."""

    def ask_fork(rounds: Sequence[int]) -> list[Event]:
        found = ask(context, recount, str(run_folder), list(rounds))["events"]
        return [event for data in found if (event := from_json(data)) is not None]

    return ask_fork


def recount(run_folder: str, rounds: list[int]) -> Answer:
    """Replay what was published, and say of each round how it ended; as JSON types.

    Raises:
        TrainError: what is published cannot be followed.
        NodeUnreachable: nobody answers.
    """
    from subnetlab.fleet.role import open_data  # noqa: PLC0415 - torch stays out of the supervisor
    from subnetlab.train.closing import round_closed  # noqa: PLC0415
    from subnetlab.train.peer import checked_corpus  # noqa: PLC0415

    folder = Path(run_folder)
    manifest = load_manifest(folder)
    replica = open_replica(manifest, read_spec(folder))
    corpus = checked_corpus(manifest, open_data(folder))
    events: list[Event] = []
    for number in rounds:
        adopted = replica.adopt(number)
        if adopted is None:
            reason = "It was cut off before a validator's record of it was on chain; the model is unchanged."
            events.append(RoundLost(round=number, reason=reason))
        else:
            heights = manifest.heights(number)
            events.append(round_closed(replica, adopted, heights, corpus, aggregate_s=0.0))
    return {"events": [to_json(event) for event in events]}
