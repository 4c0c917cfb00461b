"""One live table per subnet and kernel, however often the subnet is shown."""

import contextlib
from typing import TYPE_CHECKING, Final

from subnetlab.errors import NetworkError
from subnetlab.network.watch import Watch
from subnetlab_widgets.live import Shown
from subnetlab_widgets.metagraph_view.widget import Metagraph
from subnetlab_widgets.saved import Picture

if TYPE_CHECKING:
    from subnetlab.lab.session import Net
    from subnetlab.lab.subnet import Subnet

_VIEWS: Final[Shown[tuple[str, int], Metagraph]] = Shown(most=8)


def metagraph(subnet: "Subnet") -> Metagraph:
    """The live table of a subnet's seats; the last line of a cell shows it.

    Example:
        >>> metagraph(subnet)  # doctest: +SKIP
    """
    return _VIEWS.at((subnet.net.endpoint, subnet.netuid), lambda: _opened(subnet))


def close_on(net: "Net") -> None:
    """Close the tables of one network; a cell that shows its subnet again opens another."""
    _VIEWS.close_where(lambda place: place[0] == net.endpoint)


def _opened(subnet: "Subnet") -> Metagraph:
    net = subnet.net

    def drawn() -> str:
        nonlocal last
        if not net.closed:
            with contextlib.suppress(NetworkError):  # what was there last stays
                last = subnet.page()
        return last

    last = ""
    header = {
        "name": subnet.name, "netuid": subnet.netuid, "network": net.name,
        "real": not net.play_money,
    }  # fmt: skip

    def follow(widget: Metagraph) -> Watch:
        return Watch(net.endpoint, subnet.netuid, widget, closed=lambda: net.closed or not net.alive)

    return Metagraph(header, picture=Picture(drawn, lambda: repr(subnet)), follow=follow)
