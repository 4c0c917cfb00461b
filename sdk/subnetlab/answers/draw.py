"""Which tasks a miner is given in a round: unpredictable before the round opens, the same for all who ask.

Everything follows from hashes of the run, the round, the miner's uid and the hash of the block that opens the
round. What a judge draws follows from the beacon instead, whose block is sealed after all have committed.
"""

import time
from typing import Any, Final

from subnetlab.answers.calls import Calls, FunctionFailed
from subnetlab.answers.manifest import TASK_BYTES, AnswersManifest
from subnetlab.errors import ManifestInvalid
from subnetlab.train.hashing import digest, stream
from subnetlab.train.tasks.code import Code

TASKS: Final = "tasks"
"""What the function that makes tasks is called among a peer's functions."""


def tasks_of(manifest: AnswersManifest, round_: int, uid: int, opened: str, calls: Calls) -> list[Any]:
    """The tasks of a miner in a round.

    Args:
        manifest: of the run.
        round_: counted from 0.
        uid: of the miner.
        opened: hash of the block that opens the round.
        calls: holds `TASKS`, where the manifest's tasks are a function.

    Raises:
        ManifestInvalid: that function fails.
    """
    drawn = (manifest.hash, round_, uid, opened)
    if not isinstance(manifest.tasks, Code):
        raw, known = stream("tasks", 8 * manifest.tasks_per_round, *drawn), manifest.tasks
        places = (int.from_bytes(raw[i : i + 8], "little") % len(known) for i in range(0, len(raw), 8))
        return [known[place] for place in places]
    deadline = time.monotonic() + manifest.time_limit_s
    seeds = (digest("task", *drawn, place).hex() for place in range(manifest.tasks_per_round))
    try:
        return [made(calls, seed, deadline) for seed in seeds]
    except FunctionFailed as error:
        raise ManifestInvalid(f"A task cannot be made: {error}.", hint="") from error


def made(calls: Calls, seed: str, deadline: float) -> Any:
    """One task from the function that makes them; errors as `Calls.call`."""
    return calls.call(TASKS, deadline=deadline, limit=TASK_BYTES, random=seed)


def judged_by(manifest: AnswersManifest, round_: int, uid: int, beacon: str) -> str:
    """What the judge's random numbers for a miner's round follow from."""
    return digest("judge", manifest.hash, round_, uid, beacon).hex()
