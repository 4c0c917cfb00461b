"""What taking part costs: the fee of every commitment and vote, which the chain takes from the coldkey.

No key of the coldkey is asked for them, so they are looked at before the first is sent: the coldkey must hold
them, and the budget of the network must allow them. Each is counted as it is sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import bittensor
from bittensor_core import Keypair

from subnetlab.errors import InsufficientBalance, OverBudget
from subnetlab.network.budget import Budget
from subnetlab.network.client import NetworkClient
from subnetlab.network.commitment_fields import encode_fields
from subnetlab.public.found_run import FoundRun
from subnetlab.public.joining import PublicRole
from subnetlab.public.subnet_reads import SubnetReads
from subnetlab.units import format_tao

ANCHOR_BYTES = 305
"""The largest anchor of a peer: both hashes, a list of detours, and the locator of its own place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What a peer's extrinsics cost, in rao."""

    commit_rao: int
    vote_rao: int
    """0 for a miner, who never votes."""
    rounds: int
    """How many rounds are still to come."""
    payer: str
    """The coldkey (ss58) that pays."""
    free_rao: int
    """What it holds."""
    budget: Budget

    @property
    def total_rao(self) -> int:
        """What all rounds that are still to come cost at most."""
        return self.rounds * (self.commit_rao + self.vote_rao)

    def sentences(self) -> Iterator[str]:
        """The costs in words."""
        each = f"{format_tao(self.commit_rao)} for its commitment"
        each += f" and {format_tao(self.vote_rao)} for its vote" if self.vote_rao else ""
        yield (
            f"A round costs {each}, {format_tao(self.total_rao)} in all, paid by the coldkey {self.payer}, "
            f"which holds {format_tao(self.free_rao)}."
        )

    def check(self) -> None:
        """Refuse a run whose fees cannot be paid, before any is.

        Raises:
            InsufficientBalance: the coldkey holds less.
            OverBudget: the budget of this network allows less.
        """
        if self.free_rao < self.total_rao:
            raise InsufficientBalance(
                f"The fees of {self.rounds} rounds cost {format_tao(self.total_rao)}; the coldkey "
                f"{self.payer} holds {format_tao(self.free_rao)}.",
                hint="Fund it first. Nothing was spent.",
            )
        left = self.budget.left_rao
        if left is not None and left < self.total_rao:
            raise OverBudget(
                f"The fees of {self.rounds} rounds cost {format_tao(self.total_rao)}, more than the "
                f"{format_tao(left)} left of the budget for {self.budget.network}. Nothing was spent."
            )


def fees_of(reads: SubnetReads, found: FoundRun, key: Keypair, role: PublicRole, head: int) -> Fees:
    """Ask the chain what the rounds that are still to come cost a peer.

    Raises:
        NodeUnreachable: the node does not answer.
    """
    seat = found.seats.by_hotkey(key.ss58_address)
    payer = seat.coldkey if seat is not None else key.ss58_address
    deadline = int(found.manifest["offsets"][0])
    with_network = NetworkClient(reads.endpoint)
    try:
        free, budget = with_network.balance(payer), with_network.budget
    finally:
        with_network.close()
    return Fees(
        commit_rao=_fee(reads, key, _commitment(reads.netuid)),
        vote_rao=_fee(reads, key, _vote(found)) if role == "validator" else 0,
        rounds=sum(found.opens(round_) + deadline > head for round_ in range(found.rounds)),
        payer=payer, free_rao=int(free), budget=budget,
    )  # fmt: skip


def _fee(reads: SubnetReads, key: Keypair, call: object) -> int:
    async def ask() -> int:
        substrate = reads.client.substrate
        return int((await substrate.estimate_fee(await substrate.compose(call), key)).rao)

    return reads.client.run(ask())


def _commitment(netuid: int) -> object:
    fields = encode_fields(bytes(ANCHOR_BYTES))
    return bittensor.calls.Commitments.set_commitment(netuid=netuid, info={"fields": fields})  # pyright: ignore[reportArgumentType]


def _vote(found: FoundRun) -> object:
    uids = [neuron.uid for neuron in found.seats.neurons]
    call = bittensor.calls.SubtensorModule.set_mechanism_weights
    return call(netuid=found.seats.netuid, mecid=0, dests=uids, weights=[1] * len(uids), version_key=0)  # pyright: ignore[reportArgumentType]
