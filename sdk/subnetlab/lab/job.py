"""The job of a run on disk: its escrow, and the number and key of each miner in it.

`funding` opens it, `payments` approves, pays and refunds. Nothing here asks a chain.
"""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from subnetlab.errors import RunError
from subnetlab.record.files import write_private

FILE: Final = "job.json"
_SETTLED: Final = "job.settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run's miners are paid by; `job.json` in the run's folder."""

    escrow: str
    opened_in: int
    """The block of the escrow, where reading its events begins."""
    owner: str
    """The owner's coldkey (ss58), which gets the rest back."""
    payer_uri: str
    arbiter_uri: str
    rounds: int
    per_round_rao: int
    """For each miner whose payload was taken."""
    miners: dict[str, list[Any]]
    """By uid: the number of the miner's job, and the URI of its key."""


def keep(folder: Path, job: Job | None) -> None:
    """Keep a job in its run's folder, where the run has one."""
    if job is not None:
        write_private(folder / FILE, json.dumps(asdict(job)) + "\n")


def settled(folder: Path) -> None:
    """Note in a run's folder that its job owes no one anything; a run that was deleted needs no note."""
    with contextlib.suppress(FileNotFoundError):
        write_private(folder / _SETTLED, "")


def unsettled(folder: Path) -> bool:
    """Whether a run's escrow may still hold money."""
    return (folder / FILE).exists() and not (folder / _SETTLED).exists()


def read(folder: Path) -> Job | None:
    """The job of a run; None where its miners are paid by emission alone."""
    try:
        return Job(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise RunError(
            f"The job in {folder / FILE} cannot be read: {error}.",
            hint="Its payments are on chain: net.ledger() lists them.",
        ) from error
