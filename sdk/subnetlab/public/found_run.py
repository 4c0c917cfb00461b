"""Find the run of a subnet: its owner's announcement on chain, then the manifest in its store, proven.

Reads JSON and runs no code; whether the manifest names code, and whether this machine may run it, is said
before torch is loaded.
"""

import contextlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, cast

from subnetlab.errors import (
    ManifestInvalid,
    ObjectMissing,
    ObjectTooLarge,
    PlaceAway,
    RunOver,
    StoreUnreachable,
    UnknownRun,
)
from subnetlab.network.metagraph import MetagraphSnapshot
from subnetlab.public.hotkey import is_development
from subnetlab.public.subnet_reads import SubnetReads
from subnetlab.record.described import is_of_answers
from subnetlab.store import address
from subnetlab.store.base import MOST_NAMES, Store
from subnetlab.store.objects import open_store
from subnetlab.store.places import read_place
from subnetlab.train import object_paths
from subnetlab.train.announcement import Announcement
from subnetlab.train.hashing import digest

MANIFEST_LIMIT: Final = 1 << 24
_OWN_MODELS: Final = ("TinyGPT",)
"""Kinds of models that come with SubnetLab and need no code of the manifest's author."""
_CODE: Final = ("code", "metrics")
"""What a task holds where it runs code of the manifest's author."""
_MOST: Final = 1 << 32
"""No height, length or number of rounds comes near."""
_HEIGHTS: Final = 5
"""Open, the three offsets, and the next open."""
_RUN_ID: Final = re.compile(r"\w[\w.-]{0,99}")
"""A run's name becomes a folder's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRun:
    """A run as strangers find it."""

    announcement: Announcement
    manifest: dict[str, Any]
    """As JSON, proven by the hash on chain."""
    store: Store
    where: str
    """The store's address."""
    given: bool
    """Whether this operator named the store, and not the owner."""
    owner: str
    """The hotkey that announced it."""
    seats: MetagraphSnapshot
    trusted: bool
    """Whether this operator lets the owner's code run."""

    @property
    def hash(self) -> str:
        """The manifest's hash, 64 hex digits."""
        return self.announcement.manifest.hex()

    @property
    def run_id(self) -> str:
        """The name that the owner gave it."""
        return str(self.manifest["run_id"])

    @property
    def rounds(self) -> int:
        """How many rounds take place."""
        return min(int(self.manifest["rounds"]), self.announcement.rounds)

    def opens(self, round_: int) -> int:
        """The height at which a round opens."""
        return int(self.manifest["first_block"]) + round_ * int(self.manifest["blocks_per_round"])

    def closing_of(self, round_: int) -> int:
        """The height at which a round closes; the one before the first block for no round."""
        if round_ < 0:
            return int(self.manifest["first_block"]) - 1
        return self.opens(round_) + int(self.manifest["offsets"][2])

    def following(self, head: int) -> int:
        """The first round whose commit deadline is ahead; the number of rounds where none is."""
        since = head - self.opens(0) - int(self.manifest["offsets"][0])
        return min(max(0, since // int(self.manifest["blocks_per_round"]) + 1), self.rounds)

    @property
    def closes(self) -> int:
        """The height at which the last round closes."""
        return self.closing_of(self.rounds - 1)


class Announced:
    """The store that an owner announced, which is a stranger's word: read by its locator, without a key.

    Nothing is opened with this machine's credentials, and neither its folders nor its network are looked into
    unless the chain is a development chain.
    """

    def __init__(self, where: str, *, allow_local: bool) -> None:
        """Keep the address.

        Raises:
            StoreAddressInvalid: it names no store that can be read without a key.
        """
        self._where = where
        self._place = read_place(address.parse(where).locator, allow_local=allow_local)

    def put(self, name: str, data: bytes) -> None:
        """Nothing is put into a stranger's store.

        Raises:
            StoreUnreachable: always.
        """
        del data
        raise StoreUnreachable(
            f"{self._where} is only read: {name!r} was not written.",
            hint="Give a place of your own to write to: --store.",
        )

    def get(self, name: str, limit: int) -> bytes:
        """See `Store.get`."""
        return self._place.get(name, limit)

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """See `Store.names`."""
        return self._place.names(prefix, limit)


def find_run(reads: SubnetReads, *, store: str = "", trust: Sequence[str] = ()) -> FoundRun:
    """Find the run that a subnet's owner announced.

    Args:
        reads: of the subnet.
        store: where its objects are looked for instead of at the announced place.
        trust: ss58 addresses of owners whose code may run here.

    Raises:
        ChainRejected: there is no such subnet.
        UnknownRun: its owner announced no run, or the store does not hold it.
        ManifestInvalid: what the store holds is another manifest, or none of this version.
        StoreUnreachable: the store cannot be opened, or does not answer.
        PlaceAway: the announced store is on this machine or its network, and the chain no development chain.
        NodeUnreachable: the node does not answer.
    """
    seats = reads.metagraph()
    committed = reads.commitment(seats.owner_hotkey)
    announcement = Announcement.from_bytes(committed.data) if committed else None
    if announcement is None:
        raise UnknownRun(
            f"The owner of subnet {reads.netuid} ({seats.owner_hotkey}) has announced no run.",
            hint="Check --netuid; the owner starts a run with `subnetlab run publish`.",
        )
    where = store or announcement.store
    local = is_development(reads)
    opened = _named(store) if store else Announced(announcement.store, allow_local=local)
    return FoundRun(
        announcement=announcement,
        given=bool(store),
        manifest=read_manifest(opened, announcement.manifest.hex(), where),
        store=opened,
        where=where,
        owner=seats.owner_hotkey,
        seats=seats,
        trusted=bool({seats.owner_hotkey, seats.owner_coldkey} & set(trust)),
    )


def _named(store: str) -> Store:
    """The store that this operator named, which is only read: a folder that is not there is not made.

    Raises:
        UnknownRun: there is no such folder.
        StoreUnreachable: it cannot be opened.
    """
    found = address.parse(store)
    if found.scheme == "file" and not Path(found.path).is_dir():
        raise UnknownRun(
            f"There is no folder at {found.path}.", hint="Give the run's own store with --run-store."
        )
    return open_store(store)


def read_manifest(store: Store, hash_: str, where: str) -> dict[str, Any]:
    """The manifest of a hash as JSON.

    Raises:
        UnknownRun: the store does not hold it.
        ManifestInvalid: it holds something else.
        StoreUnreachable: the store does not answer.
    """
    try:
        data = store.get(object_paths.manifest(hash_), MANIFEST_LIMIT)
    except PlaceAway as error:
        raise StoreUnreachable(
            f"The run's store {where} cannot be read: {error.args[0]}",
            hint="Try again later, or give another address of it with --run-store.",
        ) from error
    except (ObjectMissing, ObjectTooLarge) as error:
        raise UnknownRun(
            f"The store {where} does not hold the announced manifest {hash_[:12]}….",
            hint="Give the run's own store with --run-store, or ask its owner.",
        ) from error
    if digest("manifest", data).hex() != hash_:
        raise ManifestInvalid(
            f"The manifest in {where} is not the one that was announced on chain.",
            hint="Ask the subnet's owner: the store was changed, or --run-store names another.",
        )
    with contextlib.suppress(ValueError, RecursionError):
        found: Any = json.loads(data)
        if isinstance(found, dict) and _is_sound(cast("dict[str, Any]", found)):
            return cast("dict[str, Any]", found)
    raise ManifestInvalid("The announced manifest is no manifest.", hint="Use the version that wrote it.")


def _is_sound(manifest: dict[str, Any]) -> bool:
    """Whether the few fields that are read before torch is loaded are of their kind and make rounds."""
    numbers: list[Any] = [manifest.get(name) for name in ("rounds", "first_block", "netuid")]
    offsets: Any = manifest.get("offsets")
    heights: list[Any] = cast("list[Any]", offsets) if isinstance(offsets, list) else []
    heights = [0, *heights, manifest.get("blocks_per_round")]
    if len(heights) != _HEIGHTS or not all(type(n) is int and 0 <= n < _MOST for n in numbers + heights):
        return False
    run_id: Any = manifest.get("run_id")
    return (
        heights == sorted(set(heights))
        and isinstance(run_id, str)
        and _RUN_ID.fullmatch(run_id) is not None
        and all(isinstance(manifest.get(name), dict) for name in (*_parts(manifest), "versions"))
    )


def _parts(manifest: dict[str, Any]) -> tuple[str, ...]:
    """What else a manifest describes, by its kind."""
    return ("judge",) if is_of_answers(manifest) else ("model", "task", "data")


def check_joinable(found: FoundRun, netuid: int, head: int, role: str = "") -> None:
    """Refuse a run that this machine cannot take part in, before torch is loaded.

    Raises:
        RunOver: its last round has closed or can no longer be joined.
        ManifestInvalid: it is of another subnet, names code of an owner who is not trusted here, or was made
            with another version of torch.
    """
    if int(found.manifest["netuid"]) != netuid:
        raise ManifestInvalid(
            f"The announced manifest is of subnet {found.manifest['netuid']}, not of {netuid}.",
            hint="Ask the owner to publish the run for this subnet.",
        )
    last = found.opens(found.rounds - 1) + int(found.manifest["offsets"][0])
    if found.following(head) == found.rounds:
        raise RunOver(
            f"Run {found.run_id} is over: round {found.rounds}, its last, took commitments up to block "
            f"{last}, and the chain is at {head}.",
            hint="Join the next run: its owner announces it on the same subnet.",
        )
    check_trust(found, role)
    _check_versions(found)


def check_trust(found: FoundRun, role: str = "") -> None:
    """Refuse a manifest that holds code of an owner who is not trusted here.

    Args:
        found: the run.
        role: what is to take part; a miner of answers runs no judge, and who watches neither function.

    Raises:
        ManifestInvalid: it does.
    """
    if _runs_code(found.manifest, role) and not found.trusted:
        raise ManifestInvalid(
            f"The manifest of run {found.run_id} holds code of its owner, which is not trusted here.",
            hint=f"Read the manifest, then join with --trust {found.owner}.",
        )


def _runs_code(manifest: dict[str, Any], role: str) -> bool:
    """Whether a role runs code of the manifest's author."""
    if is_of_answers(manifest):
        return role == "validator" or (bool(role) and isinstance(manifest.get("tasks"), dict))
    kind, task = manifest["model"].get("kind"), manifest["task"]
    return kind not in _OWN_MODELS or any(name in task for name in _CODE)


def _check_versions(found: FoundRun) -> None:
    said = str(found.manifest["versions"].get("torch", "")).partition("+")[0]
    try:
        here = version("torch").partition("+")[0]
    except PackageNotFoundError:
        here = "none"
    if said and said != here:
        raise ManifestInvalid(
            f"Run {found.run_id} needs torch {said}, to reach every bit of its model; here is {here}.",
            hint=f"Install it: pip install 'torch=={said}'.",
        )
