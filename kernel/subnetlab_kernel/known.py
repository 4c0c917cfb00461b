"""The words a person could mean here: wallets, runs, seats and variables, for completion.

Read from the notebook's variables and from folders; nothing is imported, connected or asked of a chain, so
that a keystroke never waits. What is not known yet is an empty list.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subnetlab.settings import run_folders

if TYPE_CHECKING:
    from subnetlab.lab.run import Run
    from subnetlab.lab.session import Net

NETWORKS = ("devnet", "finney", "local", "test")
FRAMES = (
    "miners", "rounds", "validators", "blocks", "epochs", "losses", "metrics", "baselines", "money", "steps",
    "peers",
)  # fmt: skip
"""As `subnetlab.frames.NAMES`, which would load polars."""
_DEV_WALLETS = ("alice", "bob", "charlie", "dave", "eve", "ferdie")
_WALLETS = Path("~/.bittensor/wallets")
"""Where the Bittensor SDK keeps wallets unless told otherwise."""

Variables = dict[str, Any]


def net_of(variables: Variables) -> "Net | None":
    """The network in the variable `net`, where it holds one."""
    return _instance(variables.get("net"), "subnetlab.lab.session", "Net")


def run_of(variables: Variables, name: str = "run") -> "Run | None":
    """The run in a variable, where it holds one."""
    return _instance(variables.get(name), "subnetlab.lab.run", "Run")


def networks(_variables: Variables) -> list[str]:
    """What `%sl network` takes beside an endpoint."""
    return list(NETWORKS)


def wallets(variables: Variables) -> list[str]:
    """Development names on a development chain, the names of wallets on disk elsewhere."""
    net = net_of(variables)
    if net is None or net.play_money:
        return list(_DEV_WALLETS)
    folder = _WALLETS.expanduser()
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []


def runs(_variables: Variables) -> list[str]:
    """Every run of this machine."""
    return sorted(folder.name for folder in run_folders())


def run_variables(variables: Variables) -> list[str]:
    """The variables that hold a run."""
    found = (name for name in variables if not name.startswith("_"))
    return sorted(name for name in found if run_of(variables, name) is not None)


def miners(variables: Variables) -> list[str]:
    """The uids of the present run's miners."""
    run = run_of(variables)
    return [str(uid) for uid in run.view.mining] if run is not None else []


def attackers(_variables: Variables) -> list[str]:
    """The kinds of attacker, each with its sign for the number that follows."""
    from subnetlab.train.attackers import ATTACKERS  # noqa: PLC0415  (words alone: no torch)

    return [f"{word}=" for word in ATTACKERS]


def baselines(_variables: Variables) -> list[str]:
    """What a subnet is measured beside; other lengths of `alone` are written alike."""
    return ["alone", "alone_3x", "ddp", "none"]


def optimizers(_variables: Variables) -> list[str]:
    """The words of `train(optimizer=)`."""
    return ["adamw", "muon", "signum"]


def validators(variables: Variables) -> list[str]:
    """The uids of the present run's validators."""
    return _uids(variables, "validator")


def _uids(variables: Variables, *roles: Any) -> list[str]:
    run = run_of(variables)
    return [str(uid) for uid in sorted(run.view.uids(*roles))] if run is not None else []


def _instance(value: Any, module: str, name: str) -> Any:
    """The value if it is of a class whose module somebody has imported already."""
    loaded = sys.modules.get(module)
    return value if loaded is not None and isinstance(value, getattr(loaded, name)) else None


VALUES: dict[tuple[str, str], Callable[[Variables], list[str]]] = {
    ("network", "name"): networks,
    ("wallet", "name"): wallets,
    ("stake", "to"): validators,
    ("stake", "wallet"): wallets,
    ("pay", "to"): wallets,
    ("pay", "wallet"): wallets,
    ("subnet", "wallet"): wallets,
    ("unstake", "wallet"): wallets,
    ("move", "wallet"): wallets,
    ("job", "wallet"): wallets,
    ("attach", "run"): runs,
    ("runs", "delete"): runs,
    ("attach", "name"): run_variables,
    ("explain", "uid"): miners,
    ("explain", "name"): run_variables,
    ("train", "name"): run_variables,
    ("fleet", "name"): run_variables,
    ("fleet", "targets"): miners,
    ("train", "attackers"): attackers,
    ("train", "baselines"): baselines,
    ("train", "optimizer"): optimizers,
}
"""What completes the value of a verb's argument, by verb and argument."""

ARGUMENTS: dict[str, Callable[[Variables], list[str]]] = {
    "frame": lambda _: list(FRAMES),
    "wallet": wallets,
    "evm_wallet": wallets,
    "balance": wallets,
    "holdings": wallets,
    "connect": networks,
    "attach": runs,
}
"""What completes the text in the brackets of a verb of the SDK, by verb."""
