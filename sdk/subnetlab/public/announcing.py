"""The owner's side of a public run: its objects into the store, and its announcement on chain.

Objects come first, so that what is announced can be fetched. The commitment is signed by the owner's hotkey
alone; nothing here spends more than an extrinsic's fee. Loads torch only for data and tensors that are given.
"""

import contextlib
from typing import TYPE_CHECKING, Final

from subnetlab.errors import (
    ChainRejected,
    ManifestInvalid,
    NotRegistered,
    ObjectExists,
    RunOver,
    RunUnderWay,
    StoreError,
    UnknownRun,
)
from subnetlab.network.chain import Chain
from subnetlab.public.found_run import FoundRun, find_run
from subnetlab.public.joining import patience_s
from subnetlab.public.status import status_of
from subnetlab.public.subnet_reads import SubnetReads
from subnetlab.store.base import Store
from subnetlab.train import object_paths
from subnetlab.train.announcement import Announcement
from subnetlab.train.hashing import digest

if TYPE_CHECKING:
    from subnetlab.train.data import Corpus

_BLOCKS_TO_LAND: Final = 3
"""How many blocks an announcement may take; one that is not there by then was dropped."""


def check_owner(reads: SubnetReads, hotkey: str) -> None:
    """Refuse a hotkey that cannot announce a run of the subnet.

    Raises:
        NotRegistered: it is not the owner's.
        ChainRejected: there is no such subnet.
    """
    seats = reads.metagraph()
    if seats.owner_hotkey != hotkey:
        raise NotRegistered(
            f"Only the owner's hotkey {seats.owner_hotkey} announces a run on subnet {reads.netuid}, "
            f"not {hotkey}.",
            hint="Give the owner's wallet: --wallet NAME/HOTKEY.",
        )


def check_idle(reads: SubnetReads, wallet: str = "NAME/HOTKEY") -> None:
    """Refuse a subnet whose owner has announced a run that goes on.

    Raises:
        RunUnderWay: its peers would be left in the middle of it.
    """
    try:
        status = status_of(reads, find_run(reads))
    except (UnknownRun, ManifestInvalid, StoreError):
        return  # none was announced, or its manifest cannot be had, so that no peer can join it
    if status.over:
        return
    said = f"round {status.round + 1} of {status.rounds}" if status.round >= 0 else "not begun yet"
    where = f"--endpoint {reads.endpoint} --netuid {reads.netuid} --wallet {wallet}"
    raise RunUnderWay(
        f"Subnet {reads.netuid} trains run {status.run_id} already ({said}); its {len(status.miners)} miners "
        f"and {len(status.validators)} validators would be left in the middle of it.",
        hint=f"End it with `subnetlab run stop {where}`, or replace it with --replace (replace=True).",
    )


def put_objects(
    store: Store, *, corpus: "Corpus | None" = None, initial: bytes = b"", manifest: bytes = b""
) -> None:
    """Put what strangers need into the run's store; what is there already stays.

    Raises:
        StoreUnreachable: not everything was written; doing it again goes on.
    """
    if corpus is not None:
        from subnetlab.train.data.published import publish  # noqa: PLC0415  (loads torch)

        publish(corpus, store)
    objects = {object_paths.initial(digest("initial", initial).hex()): initial} if initial else {}
    if manifest:
        objects[object_paths.manifest(digest("manifest", manifest).hex())] = manifest
    for name, data in objects.items():
        with contextlib.suppress(ObjectExists):  # named by its hash
            store.put(name, data)


def announce(reads: SubnetReads, chain: Chain, hotkey: str, announcement: Announcement) -> int:
    """Commit an announcement and wait until it is on chain; the block that holds it.

    Raises:
        ChainRejected: the chain refused it, or dropped it.
        NodeUnreachable: the chain seals no blocks.
    """
    data, block_s = announcement.to_bytes(), reads.block_s()
    head = chain.wait_for(0, 0).number
    chain.commit(data)
    for number in range(head + 1, head + 1 + _BLOCKS_TO_LAND):
        chain.wait_for(number, patience_s(1, block_s))
        found = reads.commitment(hotkey)
        if found is not None and found.data == data and found.block > head:
            return found.block
    raise ChainRejected(
        f"The announcement was not in any of {_BLOCKS_TO_LAND} blocks after block {head}.",
        hint="Look whether the hotkey has committed too much in this epoch, then announce again.",
    )


def stop(reads: SubnetReads, chain: Chain, found: FoundRun) -> int:
    """End a run after the round at hand; how many rounds take place.

    The next round is the last one where the announcement could come too late for all to see it.

    Raises:
        RunOver: its last round has begun, or it is over.
        ChainRejected: the chain refused the announcement.
    """
    head = chain.wait_for(0, 0).number
    length = int(found.manifest["blocks_per_round"])
    soon = max(0, head + _BLOCKS_TO_LAND + 1 - int(found.manifest["first_block"]))
    rounds = -(-soon // length)
    if rounds >= found.rounds:
        raise RunOver(f"The last round of run {found.run_id} is closed, or under way.", hint="")
    announce(reads, chain, found.owner, found.announcement.ending_after(rounds))
    return rounds
