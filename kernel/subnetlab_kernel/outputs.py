"""Let go of networks that no variable names any more.

A cell `net = sl.connect()` that runs again gives the name to a new network. IPython keeps everything that a
cell has shown in `Out`, `_12` and `_`, and forms and live tables keep their network too, so the embedded node
of the old one would go on unseen. What a list or another object of the reader's holds stays open.
"""

import gc
import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from IPython.core.interactiveshell import InteractiveShell

if TYPE_CHECKING:
    from subnetlab.lab.session import Net

_LAST = ("_", "__", "___")
_COLLECTIONS = 3
"""After so many cells what was replaced has been collected, or something of the reader's still holds it."""


class NamedNets:
    """The networks that variables of one shell have named."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._user_ns: dict[str, Any] = shell.user_ns
        self._hidden: dict[str, Any] = shell.user_ns_hidden
        self._displayhook: Any = shell.displayhook
        self._seen: WeakSet[Net] = WeakSet()
        self._collections_left = 0

    def let_go(self) -> None:
        """End the outputs, forms and tables of each network that was named before and is not any more."""
        if "subnetlab.lab.session" not in sys.modules:
            return
        variables = list(self._user_ns.items())
        named = {net for name, value in variables if not name.startswith("_") and (net := _net(value))}
        replaced = {net for net in self._seen if net not in named}
        self._seen.clear()
        self._seen.update(named)
        if replaced:
            self._forget(replaced)
            self._collections_left = _COLLECTIONS
        # A closed widget is part of cycles, which would keep its network until some later collection. A
        # thread that is just telling the widget something keeps it a moment longer, hence more than one.
        if self._collections_left:
            self._collections_left -= 1
            gc.collect()

    def _forget(self, replaced: "set[Net]") -> None:
        from subnetlab_widgets.explorer_view import views as explorers  # noqa: PLC0415
        from subnetlab_widgets.metagraph_view import views  # noqa: PLC0415
        from subnetlab_widgets.money import forms  # noqa: PLC0415  (only where a network was replaced)

        for net in replaced:
            forms.close_on(net)
            views.close_on(net)
            explorers.close_on(net)
        shown: dict[int, Any] = self._user_ns.get("_oh", {})
        for number in [number for number, value in shown.items() if _net(value) in replaced]:
            del shown[number]
            self._user_ns.pop(f"_{number}", None)
            self._hidden.pop(f"_{number}", None)
        for name in _LAST:
            if _net(self._user_ns.get(name)) in replaced:
                self._user_ns[name] = self._hidden[name] = ""
                setattr(self._displayhook, name, "")


def _net(value: Any) -> "Net | None":
    """The value itself where it is a network, else the network that a subnet or a run belongs to."""
    from subnetlab.lab.session import Net  # noqa: PLC0415  (loaded already where this is called)

    found = value if isinstance(value, Net) else None
    if found is None and type(value).__module__.startswith("subnetlab."):
        found = getattr(value, "net", None)
    return found if isinstance(found, Net) else None
