"""Pictures and widgets for the SDK's objects; the SDK itself knows nothing of notebooks.

`stake_form(net, netuid=…)`, `unstake_form`, `move_form`, `pay_form(net, to=…)`, `job_form(net, escrow=…)`,
`ledger_view(net)`, `receipts_view(run)`, `browser_wallet(net)`, `metagraph(subnet)` and
`explorer(net.explorer())` open a widget from Python; in a notebook `%sl stake`, `%sl pay`, `%sl ledger`,
`%sl browser`, and a subnet or an explorer as the last line of a cell do the same.

Importing this loads nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from subnetlab_widgets.attack_view import attacks as attacks
    from subnetlab_widgets.explorer_view import explorer as explorer
    from subnetlab_widgets.metagraph_view import metagraph as metagraph
    from subnetlab_widgets.money import job_form as job_form
    from subnetlab_widgets.money import ledger_view as ledger_view
    from subnetlab_widgets.money import move_form as move_form
    from subnetlab_widgets.money import pay_form as pay_form
    from subnetlab_widgets.money import receipts_view as receipts_view
    from subnetlab_widgets.money import stake_form as stake_form
    from subnetlab_widgets.money import unstake_form as unstake_form
    from subnetlab_widgets.wallet import browser_wallet as browser_wallet
    from subnetlab_widgets.yuma_view import yuma_steps as yuma_steps

_OPENERS = {
    "attacks": "subnetlab_widgets.attack_view",
    "browser_wallet": "subnetlab_widgets.wallet",
    "explorer": "subnetlab_widgets.explorer_view",
    "job_form": "subnetlab_widgets.money",
    "ledger_view": "subnetlab_widgets.money",
    "metagraph": "subnetlab_widgets.metagraph_view",
    "move_form": "subnetlab_widgets.money",
    "pay_form": "subnetlab_widgets.money",
    "receipts_view": "subnetlab_widgets.money",
    "stake_form": "subnetlab_widgets.money",
    "unstake_form": "subnetlab_widgets.money",
    "yuma_steps": "subnetlab_widgets.yuma_view",
}

__all__ = [
    "attacks",
    "browser_wallet",
    "explorer",
    "job_form",
    "ledger_view",
    "metagraph",
    "move_form",
    "pay_form",
    "receipts_view",
    "stake_form",
    "unstake_form",
    "yuma_steps",
]


def __getattr__(name: str) -> Any:
    """Load what opens a widget when it is first asked for."""
    if name not in _OPENERS:
        raise AttributeError(f"module 'subnetlab_widgets' has no attribute {name!r}")
    return getattr(import_module(_OPENERS[name]), name)
