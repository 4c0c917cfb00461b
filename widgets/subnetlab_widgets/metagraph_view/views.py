"""One live table per subnet and kernel, however often the subnet is shown.

A second cell gets another view of the same widget, so a long session does not collect threads; one whose node
has gone is replaced when the subnet is shown again.
"""

import contextlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from subnetlab.errors import NetworkError
from subnetlab.network.watch import Watch
from subnetlab_widgets.metagraph_view.widget import Metagraph
from subnetlab_widgets.saved import Picture

if TYPE_CHECKING:
    from subnetlab.lab.session import Net
    from subnetlab.lab.subnet import Subnet

MOST = 8
_VIEWS: OrderedDict[tuple[str, int], Metagraph] = OrderedDict()


def metagraph(subnet: "Subnet") -> Metagraph:
    """The live table of a subnet's seats; the last line of a cell shows it.

    Example:
        >>> metagraph(subnet)  # doctest: +SKIP
    """
    place = (subnet.net.endpoint, subnet.netuid)
    present = _VIEWS.get(place)
    if present is not None and not present.alive:
        _VIEWS.pop(place).close()
    if place not in _VIEWS:
        _VIEWS[place] = _opened(subnet)
        while len(_VIEWS) > MOST:
            _VIEWS.popitem(last=False)[1].close()
    _VIEWS.move_to_end(place)
    return _VIEWS[place]


def close_on(net: "Net") -> None:
    """Close the tables of one network; a cell that shows its subnet again opens another."""
    for place in [place for place in _VIEWS if place[0] == net.endpoint]:
        _VIEWS.pop(place).close()


def close_all() -> None:
    """Close every table of this kernel."""
    while _VIEWS:
        _VIEWS.popitem()[1].close()


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
