"""One live explorer per network and kernel, however often it is shown."""

import contextlib
from typing import TYPE_CHECKING, Final

from subnetlab.errors import NetworkError
from subnetlab.network.explorer.follow import BlockFollowing
from subnetlab_widgets.explorer_view.widget import ExplorerView
from subnetlab_widgets.live import Shown
from subnetlab_widgets.saved import Picture

if TYPE_CHECKING:
    from subnetlab.lab.explorer import Explorer
    from subnetlab.lab.session import Net

_VIEWS: Final[Shown[str, ExplorerView]] = Shown(most=4)


def explorer(found: "Explorer") -> ExplorerView:
    """The live blocks of a network; the last line of a cell shows them.

    Example:
        >>> explorer(net.explorer())  # doctest: +SKIP
    """
    return _VIEWS.at(found.net.endpoint, lambda: _opened(found))


def close_on(net: "Net") -> None:
    """Close the explorer of one network; a cell that shows it again opens another."""
    _VIEWS.close_where(lambda endpoint: endpoint == net.endpoint)


def _opened(found: "Explorer") -> ExplorerView:
    net = found.net

    def drawn() -> str:
        nonlocal last
        if not net.closed:
            with contextlib.suppress(NetworkError):  # what was there last stays
                last = found.page()
        return last

    last = ""

    def follow(widget: ExplorerView) -> BlockFollowing:
        return BlockFollowing(net.endpoint, widget, closed=lambda: net.closed or not net.alive)

    header = {"network": net.name, "real": not net.play_money}
    return ExplorerView(header, found, picture=Picture(drawn, lambda: repr(found)), follow=follow)
