"""Seats and votes of a subnet by hand: take a seat, set weights, see how an epoch turns them into pay.

What a run does with its fleet, a person can do with keys of their own here. Everything is asked of the chain;
no run and no record is needed.
"""

import contextlib
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import bittensor

from subnetlab.errors import ArgumentInvalid, UnknownUid
from subnetlab.lab import arguments
from subnetlab.lab.payments import network_client
from subnetlab.network.epoch_input import EpochRead, read_epoch
from subnetlab.network.receipt import Receipt
from subnetlab.network.wallets import Wallet
from subnetlab.report.evaluation import Evaluation
from subnetlab.report.explain import Explanation
from subnetlab.report.seat import explain_seat
from subnetlab.text import NAME, kind_of, plain

if TYPE_CHECKING:
    from subnetlab.lab.session import Net

_MOST_BLOCK: Final = 2**32 - 1


class Seats:
    """The half of `Subnet` that works with single seats."""

    net: "Net"
    netuid: int
    name: str

    def register(self, wallet: str | Wallet) -> int:
        """Give the wallet's hotkey a seat, which its coldkey pays; the uid. A hotkey that has one keeps it.

        Raises:
            UnknownWallet: no wallet has this name.
            MoneyError: nothing was spent; the message says why.
            ChainRejected: the chain refused.
            ChainPaced: a run seals this chain's blocks; nothing was spent.
        """
        client = network_client(self.net)
        opened = self.net.wallet(wallet)
        hotkey = str(bittensor.public_view(opened, "hotkey").ss58_address)
        held = client.uid(self.netuid, hotkey)
        if held is not None:
            return held
        with self._sealing("subnet.register"):
            return client.burned_register(self.netuid, opened)[0]

    def set_weights(self, weights: Mapping[int, float], *, wallet: str | Wallet) -> Receipt:
        """Put a validator's opinion on the chain: by uid, in any scale; the chain keeps proportions.

        Raises:
            ArgumentInvalid: the weights are no numbers by uid; nothing was sent.
            ChainRejected: no seat, no permit, or too soon after the last time.
            ChainPaced: a run seals this chain's blocks.
        """
        if not isinstance(weights, Mapping) or not weights:  # pyright: ignore[reportUnnecessaryIsInstance]  # notebooks are untyped
            raise ArgumentInvalid(
                f"weights is {kind_of(weights)}.", hint="Give a number by uid: {3: 0.6, 4: 0.4}."
            )
        given = {
            arguments.count("uid", uid, least=0, most=arguments.MOST_UID): _weight(uid, weight)
            for uid, weight in weights.items()
        }
        intent = bittensor.SetWeights(netuid=self.netuid, uids=list(given), weights=list(given.values()))
        with self._sealing("subnet.set_weights"):
            return network_client(self.net).execute(intent, wallet=self.net.wallet(wallet))

    def yuma(self, block: int | None = None) -> Evaluation:
        """The last epoch step by step: from stake and weights to who is paid what.

        Where the node no longer keeps the state before that epoch, or none has run yet, what the next epoch
        would make of the newest block.

        Args:
            block: look at the last epoch up to this block; up to the newest unless given.

        Raises:
            ChainRejected: there is no such subnet.
            NodeUnreachable: the node does not answer, or has no such block.
        """
        if block is not None:
            block = arguments.count("block", block, least=1, most=_MOST_BLOCK)
        return self._evaluated(self._epoch(block))

    def explain(self, uid: int) -> Explanation:
        """Why a uid was paid what the last epoch paid it, from the chain alone.

        Raises:
            UnknownUid: no neuron has this uid.
        """
        found = self._epoch(None)
        uid = arguments.count("uid", uid, least=0, most=arguments.MOST_UID)
        if uid >= len(found.graph.neurons):
            raise UnknownUid(
                f"No neuron held uid {uid} on {plain(self.name, NAME)} when it was last paid.",
                hint=f"It had {len(found.graph.neurons)} seats.",
            )
        return explain_seat(self._evaluated(found), found.after, uid, ran=found.ran)

    def _sealing(self, verb: str) -> contextlib.AbstractContextManager[None]:
        """A block per extrinsic inside, where this network lets its user seal."""
        return self.net.sealing.per_extrinsic(verb) if self.net.play_money else contextlib.nullcontext()

    def _epoch(self, block: int | None) -> EpochRead:
        return read_epoch(network_client(self.net).client, self.netuid, block)

    def _evaluated(self, found: EpochRead) -> Evaluation:
        when = f"epoch of block {found.given.block}" if found.ran else f"as of block {found.graph.block}"
        return Evaluation.of(found.given, where=f"subnet {self.netuid} ({plain(self.name, NAME)}), {when}")


def _weight(uid: int, weight: object) -> float:
    """A weight as a number from 0 up.

    Raises:
        ArgumentInvalid: it is none.
    """
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
        raise ArgumentInvalid(
            f"The weight for uid {uid} is no number from 0 up.",
            hint="Give a number by uid: {3: 0.6, 4: 0.4}.",
        )
    return float(weight)
