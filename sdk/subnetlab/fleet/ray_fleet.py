"""A fleet on a Ray cluster of one's own, as a person describes it, and a look at the cluster before a start.

Loads neither Ray nor torch: a process of its own asks the cluster, so that a notebook never joins it.
"""

import json
import math
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from subnetlab.errors import ArgumentInvalid, FleetStartFailed, StoreUnreachable
from subnetlab.fleet.local import LocalFleet
from subnetlab.record.files import make_private, write_private
from subnetlab.settings import runs_folder
from subnetlab.signatures import known_fields
from subnetlab.store.address import parse
from subnetlab.text import kind_of

SURVEY: Final = "subnetlab.fleet.cluster.survey"
_SURVEY_LIMIT_S: Final = 120.0
_RESTARTS: Final = 3
_MOST_PROCESSORS: Final = 1024


@known_fields("sl.RayFleet")
@dataclass(frozen=True, slots=True, kw_only=True)
class RayFleet(LocalFleet):
    """Peers as actors on the nodes of a Ray cluster that one owns; the rest is as in `sl.LocalFleet`.

    This machine must be a node of the cluster, and SubnetLab be installed on all of them in the same
    versions. A cluster of several machines needs a `store` that all of them reach, a bucket. A peer whose
    node is lost starts again on another one.
    """

    is_here: ClassVar[bool] = False

    address: str = "auto"
    """`host:port` of the cluster's head; the cluster last started on this machine unless given."""
    cpus_per_peer: float = 1.0
    """Processors that Ray keeps free for each miner, validator and baseline."""
    start_limit_s: float = 180.0
    """As in `sl.LocalFleet`, and longer: Ray starts an interpreter for each peer, which then loads torch."""
    gpus_per_miner: float = 0.0
    """GPUs that Ray reserves for each miner, a share of one if below 1; for models that use them."""

    def __post_init__(self) -> None:
        LocalFleet.__post_init__(self)
        if not isinstance(self.address, str) or not self.address.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ArgumentInvalid(f"address is {kind_of(self.address)}.", hint='Give "host:6379", or "auto".')
        if self.device not in ("auto", "cpu", "cuda") or (self.device == "cuda" and not self.gpus_per_miner):
            raise ArgumentInvalid(
                f"device is {self.device!r}, and Ray says which GPU a peer gets.",
                hint="Give gpus_per_miner=1, or a share of one such as 0.25.",
            )
        if "://" in self.address:
            raise ArgumentInvalid(
                f"address={self.address!r} is that of Ray's client, which cannot hear what peers say.",
                hint='Start the notebook on a node of the cluster, and give "host:6379" or "auto".',
            )
        for name in ("cpus_per_peer", "gpus_per_miner"):
            value: object = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise ArgumentInvalid(
                    f"{name}={value!r} is not a number from 0 up.",
                    hint=f"Give {name}=1, or a share such as 0.5.",
                )
            if value > _MOST_PROCESSORS or (value > 1 and value != int(value)):
                raise ArgumentInvalid(
                    f"{name}={value!r} is no share and no whole number up to {_MOST_PROCESSORS}.",
                    hint=f"Give {name}=1, or a share such as 0.5.",
                )

    def placed(self, *, deterministic: bool) -> dict[str, Any]:
        """What `fleet.json` says of where the peers run; see `LocalFleet.placed`."""
        return {
            "ray_address": self.address, "cpus_per_peer": float(self.cpus_per_peer),
            "gpus_per_miner": float(self.gpus_per_miner), "restarts": 0 if deterministic else _RESTARTS,
            "compile": self.compile,
        }  # fmt: skip

    def devices(self, baselines: int, parameters: int) -> tuple[str, ...]:
        """The device of every peer: the GPU that Ray gives a miner, the CPU of its node for all others.

        Args:
            baselines: how many run beside the seats.
            parameters: of the model.
        """
        del parameters  # who reserves GPUs wants them used
        on_gpu = self.gpus_per_miner > 0 and self.device != "cpu"
        miner = "cuda" if on_gpu else "cpu"
        return tuple("cpu" if role == "validator" else miner for role in self.roles()) + ("cpu",) * baselines

    def check_place(self, endpoint: str, baselines: int) -> None:
        """Have the cluster looked at before anything is registered or spent.

        Args:
            endpoint: of the chain, which every node must reach.
            baselines: how many run beside the seats.

        Raises:
            FleetStartFailed: Ray is not installed, the cluster does not answer or lacks processors, or a node
                has other versions or reaches neither chain nor folder.
        """
        cpus, gpus = float(self.cpus_per_peer), float(self.gpus_per_miner)
        roles = [*self.roles(), *["alone"] * baselines]
        needs = [{"CPU": cpus} | ({"GPU": gpus} if role == "miner" and gpus else {}) for role in roles]
        asked = {"address": self.address, "endpoint": endpoint, "needs": needs, "seen": {}}
        folder = Path(parse(self.store).path) if self.store else runs_folder()
        mark = folder / f".seen-{secrets.token_hex(8)}"
        if not self.store or parse(self.store).scheme == "file":
            try:
                write_private(make_private(folder) / mark.name, mark.name)
            except OSError as error:
                raise StoreUnreachable(
                    f"The store {folder} cannot be written: {error}.",
                    hint="Give store= a folder that every machine of the cluster can write to, or a bucket.",
                ) from error
            asked["seen"] = {"path": str(mark), "folder": str(folder)}
        try:
            said = _survey(asked)
        finally:
            mark.unlink(missing_ok=True)
        if said.get("refused"):
            raise FleetStartFailed(said["refused"], hint=said.get("hint", ""))


def _survey(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", SURVEY], input=json.dumps(asked), capture_output=True, text=True,
            timeout=_SURVEY_LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise FleetStartFailed(
            f"The Ray cluster at {asked['address']} did not say within {_SURVEY_LIMIT_S:g} s what it has.",
            hint="Look at it with `ray status`.",
        ) from None
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise FleetStartFailed(
            f"The Ray cluster at {asked['address']} could not be asked what it has: {done.stderr[-500:]}",
            hint="Look at it with `ray status`.",
        ) from None
