"""Pictures and widgets for the SDK's objects; the SDK itself knows nothing of notebooks.

`stake_form(net, netuid=…)`, `pay_form(net, to=…)`, `browser_wallet(net)`, `metagraph(subnet)` and
`yuma_steps(subnet.yuma())` open a widget from Python; in a notebook `%sl stake`, `%sl pay`, and a subnet or
its `yuma()` as the last line of a cell do the same. Importing this loads nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from subnetlab_widgets.metagraph_view import metagraph as metagraph
    from subnetlab_widgets.money import pay_form as pay_form
    from subnetlab_widgets.money import stake_form as stake_form
    from subnetlab_widgets.wallet import browser_wallet as browser_wallet
    from subnetlab_widgets.yuma_view import yuma_steps as yuma_steps

_OPENERS = {
    "browser_wallet": "subnetlab_widgets.wallet",
    "metagraph": "subnetlab_widgets.metagraph_view",
    "pay_form": "subnetlab_widgets.money",
    "stake_form": "subnetlab_widgets.money",
    "yuma_steps": "subnetlab_widgets.yuma_view",
}

__all__ = ["browser_wallet", "metagraph", "pay_form", "stake_form", "yuma_steps"]


def __getattr__(name: str) -> Any:
    """Load what opens a widget when it is first asked for."""
    if name not in _OPENERS:
        raise AttributeError(f"module 'subnetlab_widgets' has no attribute {name!r}")
    return getattr(import_module(_OPENERS[name]), name)
