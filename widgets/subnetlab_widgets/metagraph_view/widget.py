"""The metagraph as a widget: the seats of one subnet, live."""

from collections.abc import Callable
from typing import Any

from subnetlab.network.metagraph import MetagraphSnapshot
from subnetlab.network.pay_history import PaidEpoch
from subnetlab.network.watch import Watch
from subnetlab.text import NAME, plain
from subnetlab_widgets.live import LiveWidget
from subnetlab_widgets.metagraph_view.rows import FIELDS, MetagraphRows
from subnetlab_widgets.saved import Picture


class Metagraph(LiveWidget):
    """One subnet's seats; `see` and `state` take what `Watch` tells."""

    def __init__(
        self,
        header: dict[str, Any],
        *,
        picture: Picture | None = None,
        follow: "Callable[[Metagraph], Watch] | None" = None,
    ) -> None:
        """Prepare an empty table.

        Args:
            header: `name`, `netuid`, `network` and `real`, which never change.
            picture: what a saved notebook keeps of it; nothing where there is none.
            follow: begins to follow the chain.
        """
        self._table = MetagraphRows()
        super().__init__(
            "metagraph",
            {**header, "fields": list(FIELDS)},
            picture=picture or Picture(str, lambda: f"Seats of {header['name']}"),
            follow=None if follow is None else lambda: follow(self),
        )

    def see(self, graph: MetagraphSnapshot, epochs: list[PaidEpoch]) -> None:
        """Take a newer block."""
        with self._lock:
            self._table.put(graph, epochs)
        self._flush()

    def _news(self) -> dict[str, Any] | None:
        news = self._table.news()
        return None if news is None else {"k": "rows", **news}

    def _forget(self) -> None:
        self._table.forget()

    def _name(self) -> str:
        name = plain(str(self.header["name"]), NAME)
        return f"Live seats of subnet {self.header['netuid']} ({name})"
