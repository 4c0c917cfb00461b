"""A hotkey's view of a subnet that keeps what the chain limits: votes no closer together than it takes them.

A chain refuses a vote that comes too soon, and a validator whose vote is refused has done nothing wrong: a
later round's vote says as much. A commitment that is refused costs its round. The rest is passed on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from subnetlab.errors import ChainRejected
from subnetlab.network.chain import Block, Chain, Commitment

_TOO_SOON: Final = ("SettingWeightsTooFast", "CommittingWeightsTooFast", "SettingWeightsTooFastError")
Sent = Literal["commitment", "vote"]
_MOST_REFUSALS: Final = 3
_NOT_NOW: Final = (*_TOO_SOON, "NeuronNoValidatorPermit", "NotEnoughStakeToSetWeights")


@dataclass(slots=True)
class LimitedChain:
    """`network.chain.Chain` for one peer of a public run."""

    chain: Chain
    weights_every: int
    """Blocks that must lie between two votes; 0 for no limit."""
    tell: Callable[[str], None]
    """Takes a sentence for the peer's log."""
    sent: Callable[[Sent], None]
    """Told of every extrinsic that the pool took, because each costs a fee."""
    voted_at: int = -1
    """The block of the last vote, or of the registration, which counts as one; below 0 for none."""
    before_commit: Callable[[bytes], None] = lambda _data: None
    """Told of every commitment before it is sent; raises where it must not be."""
    refused: int = 0
    """Commitments refused in a row."""

    def wait_for(self, number: int, timeout_s: float) -> Block:
        """See `Chain.wait_for`."""
        return self.chain.wait_for(number, timeout_s)

    def block_hash(self, number: int) -> str:
        """See `Chain.block_hash`."""
        return self.chain.block_hash(number)

    def commit(self, data: bytes) -> None:
        """Submit a commitment; one that the chain's pool refuses costs this round.

        Raises:
            ChainRejected: it refused as many in a row as a peer that cannot take part.
            HotkeyInUse: another process commits with this hotkey.
        """
        self.before_commit(data)
        try:
            self.chain.commit(data)
        except ChainRejected as error:
            self.refused += 1
            if self.refused >= _MOST_REFUSALS:
                raise
            self.tell(f"This round's commitment was refused: {error}")
            return
        self.refused = 0
        self.sent("commitment")

    def commitments(self) -> dict[str, Commitment]:
        """See `Chain.commitments`."""
        return self.chain.commitments()

    def weights(self) -> dict[str, dict[int, float]]:
        """See `Chain.weights`."""
        return self.chain.weights()

    def set_weights(self, weights: Mapping[int, float]) -> None:
        """Submit weights if the chain takes a vote by now; otherwise the next round's vote says as much.

        Raises:
            ChainRejected: the chain refused them for another reason than when they came.
        """
        head = self.chain.wait_for(0, 0).number
        due = self.voted_at + self.weights_every
        if self.voted_at >= 0 and head < due:
            self.tell(f"The chain takes the next vote from block {due} on; it is at {head}.")
            return
        try:
            self.chain.set_weights(dict(weights))
        except ChainRejected as error:
            if error.code not in _NOT_NOW:
                raise
            self.tell(f"The chain did not take this vote: {error}")
            return
        self.voted_at = head
        self.sent("vote")
