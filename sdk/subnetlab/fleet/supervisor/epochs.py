"""What each epoch paid, read from the chain over the wire.

An epoch runs at the beginning of a block and reads what the block before left behind. So the results come
from the epoch's own block, and stakes, permits and weight rows from the one before: these are what Yuma was
given, and computing Yuma again leads to the same results.
"""

from collections.abc import Mapping
from typing import Final

from subnetlab.network.chain import Block
from subnetlab.network.metagraph import MetagraphSnapshot, read_metagraph
from subnetlab.network.wire_client import WireClient
from subnetlab.record.events import EpochPaid

_ANSWER_LIMIT_S: Final = 30.0
"""The longest wait for the node; a metagraph takes milliseconds."""


class EpochWatcher:
    """Watches one subnet's epochs.

    Args:
        endpoint: of a node.
        netuid: the subnet.
        hotkeys: who holds each uid in this run (ss58), to notice a seat that was pruned and sold.
        answer_s: the longest wait for the node.
    """

    def __init__(
        self, endpoint: str, netuid: int, hotkeys: Mapping[int, str], *, answer_s: float = _ANSWER_LIMIT_S
    ) -> None:
        self._client = WireClient(endpoint, answer_s=answer_s)
        self._netuid = netuid
        self._hotkeys = hotkeys
        self._last_epoch: int | None = None

    def begin(self, head: Block, last_paid: int | None = None) -> None:
        """Connect; epochs up to the last paid one, or up to the head of a new run, are no news.

        Raises:
            NodeUnreachable: the node does not answer.
        """
        before = self._epoch_before(head)
        self._last_epoch = before if last_paid is None else last_paid

    def paid_by(self, block: Block) -> list[EpochPaid]:
        """What the last epoch paid if it is news at this block, else nothing.

        Raises:
            NodeUnreachable: the node does not answer; the epoch is still news at the next call.
        """
        epoch = self._epoch_before(block)
        if self._last_epoch is not None and epoch <= self._last_epoch:
            return []
        given = read_metagraph(self._client, self._netuid, max(epoch - 1, 0))
        found = read_metagraph(self._client, self._netuid, epoch)
        self._last_epoch = epoch
        return [_event(epoch, given, found, self._hotkeys)]

    def close(self) -> None:
        """Leave the node."""
        self._client.close()

    def _epoch_before(self, block: Block) -> int:
        async def ask() -> int:
            step = await self._client.substrate.query(
                "SubtensorModule", "LastMechansimStepBlock", [self._netuid], block_hash=block.hash
            )
            return int(step or 0)

        return self._client.run(ask())


def _event(
    epoch: int, given: MetagraphSnapshot, found: MetagraphSnapshot, hotkeys: Mapping[int, str]
) -> EpochPaid:
    before = {neuron.uid: neuron for neuron in given.neurons}
    neurons = found.neurons
    return EpochPaid(
        block=epoch,
        uids=[neuron.uid for neuron in neurons],
        incentive=[neuron.incentive for neuron in neurons],
        dividends=[neuron.dividends for neuron in neurons],
        consensus=[neuron.consensus for neuron in neurons],
        validator_trust=[neuron.validator_trust for neuron in neurons],
        emission_alpha_rao=[int(neuron.emission_alpha_rao) for neuron in neurons],
        stake_alpha_rao=[int(before.get(neuron.uid, neuron).stake_alpha_rao) for neuron in neurons],
        validator_permit=[before.get(neuron.uid, neuron).validator_permit for neuron in neurons],
        reassigned={
            str(neuron.uid): neuron.hotkey
            for neuron in neurons
            if hotkeys.get(neuron.uid, neuron.hotkey) != neuron.hotkey
        },
        weights={
            str(uid): {str(to): int(value) for to, value in row.items()} for uid, row in given.weights.items()
        },
    )
