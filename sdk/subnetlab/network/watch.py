"""A subnet followed block by block: its metagraph at each newest block, and what its epochs paid."""

from collections.abc import Callable
from typing import Protocol

from subnetlab.network.following import Following, State
from subnetlab.network.metagraph import MetagraphSnapshot, metagraph_at
from subnetlab.network.pay_history import PaidEpoch, past_epochs
from subnetlab.network.wire_client import WireClient

EPOCHS = 30


class Viewer(Protocol):
    """What is told; called from the watching thread."""

    def see(self, graph: MetagraphSnapshot, epochs: list[PaidEpoch]) -> None:
        """A newer block, and the epochs that were not seen before, oldest first."""
        ...

    def state(self, state: State, reason: str) -> None:
        """The state of the connection; `gone` is the end, with the reason in words."""
        ...


class Watch(Following):
    """Follows one subnet until it is stopped.

    Args:
        endpoint: `ws://host:port`.
        netuid: the subnet.
        viewer: who is told.
        closed: whether the node is known to have been given up, so that it need not be waited for.
    """

    def __init__(
        self, endpoint: str, netuid: int, viewer: Viewer, *, closed: Callable[[], bool] = lambda: False
    ) -> None:
        self._netuid, self._viewer = netuid, viewer
        self._seen: tuple[int, int] = (-1, 0)
        super().__init__(endpoint, viewer.state, closed=closed, name="subnetlab-watch")

    @property
    def seen(self) -> object:
        """The newest block, and the newest epoch."""
        return self._seen

    async def look(self, client: WireClient) -> None:
        """Read the newest block, and tell what is new in it."""
        graph = await metagraph_at(client, self._netuid, weights=False)
        block, step = self._seen
        known = step if graph.block >= block else 0  # time was turned back: what was known may not have been
        epochs: list[PaidEpoch] = []
        if graph.last_step > known or known == 0:
            epochs = await past_epochs(client, self._netuid, block=graph.block, most=EPOCHS, after=known)
        self._seen = (graph.block, max(known, graph.last_step))
        self._viewer.see(graph, epochs)
