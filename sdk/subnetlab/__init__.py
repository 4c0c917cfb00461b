"""SubnetLab: a decentralised-training subnet you can hold in a notebook, on the real wire protocol.

`SubnetLabError` is what every refusal is; `errors` lists its leaves, to catch one kind alone:
`except sl.errors.MoneyError`. Importing this package loads nothing: every name below is imported when it is
first used (PEP 562), so that the embedded node and the command line start without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from subnetlab import errors as errors
    from subnetlab.answers.functions import miner as miner
    from subnetlab.answers.functions import validator as validator
    from subnetlab.commands.demo import demo as demo
    from subnetlab.commands.doctor import doctor as doctor
    from subnetlab.errors import SubnetLabError as SubnetLabError
    from subnetlab.fleet.local import LocalFleet as LocalFleet
    from subnetlab.fleet.ray_fleet import RayFleet as RayFleet
    from subnetlab.lab import check as check
    from subnetlab.lab.compare import compare as compare
    from subnetlab.lab.remote import remote as remote
    from subnetlab.lab.replay import open as open  # noqa: A004  (what the word means here)
    from subnetlab.lab.run import Run as Run
    from subnetlab.lab.runs import attach as attach
    from subnetlab.lab.runs import runs as runs
    from subnetlab.lab.session import Net as Net
    from subnetlab.lab.session import connect as connect
    from subnetlab.lab.subnet import Subnet as Subnet
    from subnetlab.network.evm.reverts import revert_reason as revert_reason
    from subnetlab.public.open_fleet import OpenFleet as OpenFleet
    from subnetlab.train import data as data
    from subnetlab.train import models as models
    from subnetlab.train import optimizer as optimizers
    from subnetlab.train import strategies as strategies

    __version__: str

_MODULES = {
    "check": "subnetlab.lab.check",
    "data": "subnetlab.train.data",
    "errors": "subnetlab.errors",
    "models": "subnetlab.train.models",
    "optimizers": "subnetlab.train.optimizer",
    "strategies": "subnetlab.train.strategies",
}
_ATTRIBUTES = {
    "LocalFleet": "subnetlab.fleet.local",
    "OpenFleet": "subnetlab.public.open_fleet",
    "RayFleet": "subnetlab.fleet.ray_fleet",
    "Net": "subnetlab.lab.session",
    "Run": "subnetlab.lab.run",
    "Subnet": "subnetlab.lab.subnet",
    "SubnetLabError": "subnetlab.errors",
    "attach": "subnetlab.lab.runs",
    "compare": "subnetlab.lab.compare",
    "connect": "subnetlab.lab.session",
    "demo": "subnetlab.commands.demo",
    "doctor": "subnetlab.commands.doctor",
    "miner": "subnetlab.answers.functions",
    "open": "subnetlab.lab.replay",
    "remote": "subnetlab.lab.remote",
    "revert_reason": "subnetlab.network.evm.reverts",
    "runs": "subnetlab.lab.runs",
    "validator": "subnetlab.answers.functions",
}

__all__ = [
    "LocalFleet",
    "Net",
    "OpenFleet",
    "RayFleet",
    "Run",
    "Subnet",
    "SubnetLabError",
    "__version__",
    "attach",
    "check",
    "compare",
    "connect",
    "data",
    "demo",
    "doctor",
    "errors",
    "miner",
    "models",
    "open",
    "optimizers",
    "remote",
    "revert_reason",
    "runs",
    "strategies",
    "validator",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  (slow, and seldom asked for)

        value: Any = version("subnetlab")
    elif name in _MODULES:
        value = import_module(_MODULES[name])
    elif name in _ATTRIBUTES:
        value = getattr(import_module(_ATTRIBUTES[name]), name)
    else:
        raise AttributeError(_unknown(name), name=name)
    globals()[name] = value
    return value


def _unknown(name: str) -> str:
    """What is said of a name that is not here; names that Python and notebooks try themselves get no hint."""
    said = f"module 'subnetlab' has no attribute {name!r}"
    if name.startswith("_"):
        return said
    from subnetlab.signatures import nearest_path  # noqa: PLC0415  (only where a name is wrong)

    near = nearest_path(
        name, {word: module for word, module in _MODULES.items() if word != "errors"}, __all__
    )
    return f"{said}. Did you mean {near}?" if near else said


def __dir__() -> list[str]:
    return sorted(__all__)
