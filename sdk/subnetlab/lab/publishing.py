"""Publish a run for strangers: try it out here, fix its rounds by the chain's blocks, and announce it.

What costs time or can be refused comes before the announcement; nothing is registered, staked or spent beyond
the fee of one extrinsic.
"""

import math
import secrets
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import torch

from subnetlab.lab.answers_plan import AnswersPlan
from subnetlab.network.peer_chain import PeerChain
from subnetlab.public.announcing import announce, check_idle, check_owner, put_objects
from subnetlab.public.hotkey import is_development
from subnetlab.public.joining import duration
from subnetlab.public.open_fleet import OpenFleet
from subnetlab.public.own_place import announceable
from subnetlab.public.subnet_reads import Rules, SubnetReads
from subnetlab.public.terms import measure, terms
from subnetlab.store.objects import open_store
from subnetlab.train import object_paths
from subnetlab.train.announcement import Announcement
from subnetlab.train.manifest import Manifest

if TYPE_CHECKING:
    from bittensor_core import Keypair

    from subnetlab.answers.manifest import AnswersManifest
    from subnetlab.lab.plan import Plan

_LEAST_NOTICE: Final = 4
"""Blocks between announcement and first round at least: the announcement has to be in one of them."""
_COMMON: Final = "AVX2"
"""The instruction set of a run: what nearly every x86 processor has, also those with more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A run that was announced."""

    manifest: "Manifest | AnswersManifest"
    announcement: Announcement
    block: int
    """The block that holds the announcement."""
    rules: Rules
    endpoint: str
    """Of the node that it was announced through."""

    def __str__(self) -> str:
        manifest, block_s = self.manifest, self.rules.block_s
        length = manifest.blocks_per_round
        answers = "" if isinstance(manifest, Manifest) else " --answers MODULE:FUNCTION"
        whole = manifest.heights(manifest.rounds - 1).close - self.block
        return (
            f"Run {manifest.run_id} was announced in block {self.block}. Round 1 opens at block "
            f"{manifest.first_block}, {duration((manifest.first_block - self.block) * block_s)} later; "
            f"{manifest.rounds} rounds of {length} blocks ({duration(length * block_s)} each) end after "
            f"{duration(whole * block_s)}. Strangers join with `subnetlab miner --endpoint {self.endpoint} "
            f"--netuid {manifest.netuid} --wallet NAME/HOTKEY{answers}`."
        )


def publish(
    made: "Plan | AnswersPlan", fleet: OpenFleet, *, name: str, endpoint: str, netuid: int, key: "Keypair"
) -> Published:
    """Put a run's objects into its store and announce it with the owner's hotkey.

    Args:
        made: the run, tried out.
        fleet: where its objects lie and how long a round is.
        name: how the run's name begins.
        endpoint: of a node.
        netuid: the subnet.
        key: the owner's hotkey.

    Raises:
        NotRegistered: the key is not the owner's hotkey.
        RunUnderWay: the subnet trains a run already, which is not to be replaced.
        ManifestInvalid: the blocks given hold no round.
        ArgumentInvalid: the store's address is too long for a commitment.
        StoreAddressInvalid: strangers could not read the store without a key.
        StoreUnreachable: the store cannot be written; nothing was announced.
        ChainRejected: the chain refused the announcement.
        NodeUnreachable: the node does not answer, or seals no blocks.
    """
    with closing(SubnetReads(endpoint, netuid)) as reads, closing(PeerChain(endpoint, netuid, key)) as chain:
        check_owner(reads, key.ss58_address)
        if not fleet.replace:
            check_idle(reads)
        where = announceable(fleet.store, allow_local=is_development(reads))
        store = open_store(where)
        rules = reads.rules()
        run_id = f"{name}-{secrets.token_hex(2)}"
        draft = (
            made.stretched(run_id, fleet, reads, rules)
            if isinstance(made, AnswersPlan)
            else _stretched(made, fleet, run_id, reads, rules)
        )
        # The data goes first: it may take minutes, and the first round is counted from when it is there.
        if not isinstance(made, AnswersPlan):
            put_objects(store, corpus=made.corpus, initial=made.initial)
        notice = max(math.ceil(fleet.notice_s / rules.block_s), _LEAST_NOTICE)
        manifest = replace(draft, first_block=reads.head().number + notice)
        put_objects(store, manifest=manifest.to_bytes())
        said = Announcement(manifest=bytes.fromhex(manifest.hash), rounds=manifest.rounds, store=where)
        block = announce(reads, chain, key.ss58_address, said)
        return Published(manifest=manifest, announcement=said, block=block, rules=rules, endpoint=endpoint)


def _stretched(made: "Plan", fleet: OpenFleet, run_id: str, reads: SubnetReads, rules: Rules) -> Manifest:
    """The manifest with as many blocks a round as it takes."""
    seats = len(reads.metagraph().neurons)
    draft = made.manifest(run_id, reads.netuid, 1, miners=fleet.miners or seats)
    memory = open_store("memory")
    if made.initial:
        memory.put(object_paths.initial(draft.init), made.initial)
    found = terms(
        measure(draft, made.corpus, memory), rules, miners=fleet.miners or seats,
        blocks_per_round=fleet.blocks_per_round,
    )  # fmt: skip
    capability = torch.backends.cpu.get_cpu_capability()
    versions = {**draft.versions, "cpu": _COMMON if capability.startswith("AVX") else capability}
    return replace(
        draft, blocks_per_round=found.blocks_per_round, offsets=found.offsets, versions=versions,
        checkpoint_every=fleet.checkpoint_every,
    )  # fmt: skip
