"""What the supervisor must know of a run, read from the manifest by a process that has torch loaded.

The manifest and the table of phases belong to training, which needs torch; a supervisor needs a few numbers
of them. They are read in a fork, which proves on the way that the manifest can be read.
"""

import json
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from subnetlab.errors import FleetError, FleetStartFailed
from subnetlab.fleet.chore import Answer, ask
from subnetlab.fleet.pacer import Rounds
from subnetlab.record.events import Role

if TYPE_CHECKING:
    from subnetlab.train.manifest import Manifest

MANIFEST_FILE: Final = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A manifest as the supervisor sees it."""

    run_id: str
    netuid: int
    manifest: dict[str, Any]
    manifest_hash: str
    rounds: Rounds
    owed: dict[Role, tuple[int, ...]]
    """Per role, the offsets inside a round before which it reports."""


def read_facts(context: ForkServerContext, run_folder: Path) -> Facts:
    """Read the manifest of a run.

    Raises:
        FleetStartFailed: it is missing, cannot be read, or names a model that cannot be built.
    """
    try:
        found = ask(context, manifest_facts, str(run_folder))
    except FleetError as error:
        raise FleetStartFailed(str(error), hint="") from error
    return Facts(
        run_id=found["run_id"],
        netuid=found["netuid"],
        manifest=found["manifest"],
        manifest_hash=found["manifest_hash"],
        rounds=Rounds(**found["rounds"]),
        owed={cast("Role", role): tuple(offsets) for role, offsets in found["owed"].items()},
    )


def manifest_facts(run_folder: str) -> Answer:
    """The facts as JSON types; runs where torch is loaded."""
    from subnetlab.train import phases  # noqa: PLC0415 - torch stays out of the supervisor

    manifest = load_manifest(Path(run_folder))
    heights = manifest.heights(0)
    length = manifest.blocks_per_round
    return {
        "run_id": manifest.run_id,
        "netuid": manifest.netuid,
        "manifest": manifest.to_json(),
        "manifest_hash": manifest.hash,
        "rounds": {
            "first_block": manifest.first_block,
            "rounds": manifest.rounds,
            "blocks_per_round": length,
        },
        "owed": {
            role: [(getattr(heights, height) - heights.open) % length for height in due.values()]
            for role, due in phases.EXPECTED.items()
        },
    }


def load_manifest(run_folder: Path) -> "Manifest":
    """The manifest of a run; loads torch.

    Raises:
        FleetStartFailed: the file is missing or no JSON.
        ManifestInvalid: it contradicts itself.
    """
    from subnetlab.train.manifest import Manifest  # noqa: PLC0415 - torch stays out of the supervisor

    try:
        data = json.loads((run_folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FleetStartFailed(f"The run folder has no readable {MANIFEST_FILE}: {error}.") from error
    return Manifest.from_json(data)
