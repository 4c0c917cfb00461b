"""What the supervisor must know of a run's manifest, read where torch is loaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from subnetlab.errors import FleetError, FleetStartFailed
from subnetlab.fleet.launcher import Launcher
from subnetlab.fleet.supervisor.pacer import Rounds
from subnetlab.record.events import Role

RUN_HEADER: Final = "subnetlab.fleet.worker.manifest_file:run_header"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeader:
    """A manifest as the supervisor sees it."""

    run_id: str
    netuid: int
    manifest: dict[str, Any]
    manifest_hash: str
    rounds: Rounds
    owed: dict[Role, tuple[int, ...]]
    """Per role, the offsets inside a round before which it reports."""
    deterministic: bool = False
    """Whether the run must go as its seed says: with every peer in every round, or not at all."""


def read_header(launcher: Launcher, run_folder: Path, idle_limit_s: float) -> RunHeader:
    """Read the manifest of a run; `idle_limit_s` as in `Launcher.call`.

    Raises:
        FleetStartFailed: it is missing, cannot be read, or names a model that cannot be built.
    """
    try:
        found = launcher.call(RUN_HEADER, str(run_folder), idle_limit_s=idle_limit_s)
    except FleetError as error:
        raise FleetStartFailed(str(error), hint="") from error
    return RunHeader(
        run_id=found["run_id"],
        netuid=found["netuid"],
        manifest=found["manifest"],
        manifest_hash=found["manifest_hash"],
        rounds=Rounds(**found["rounds"]),
        owed={cast("Role", role): tuple(offsets) for role, offsets in found["owed"].items()},
        deterministic=found["deterministic"],
    )
