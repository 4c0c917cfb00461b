"""What each `%sl` subcommand does: a few SDK calls on the notebook's own `net`, `subnet` and `run`.

Every verb returns an SDK object or a `Text`; none prints. A verb that spends goes through the same budget
and confirmation as the SDK call it makes.
"""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.error import UsageError

from subnetlab.errors import FleetError, RunError, SubnetLabError, UnknownRun, UnknownUid
from subnetlab.text import NAME, plain
from subnetlab_kernel import commands, known

if TYPE_CHECKING:
    from subnetlab.lab.run import Run
    from subnetlab.lab.session import Net
    from subnetlab.lab.subnet import Subnet


_T = TypeVar("_T")


class Text(str):
    """A string a notebook shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Names:
    """The notebook's variables, as far as the magics share them."""

    def __init__(self, user_ns: dict[str, Any]) -> None:
        self.user_ns = user_ns

    def net(self) -> "Net":
        """The connected network; the embedded devnet is started when there is none yet."""
        from subnetlab.lab.session import Net, connect  # noqa: PLC0415  (only when a verb needs it)

        present = self.user_ns.get("net")
        if isinstance(present, Net) and not present.closed:
            return present
        return self.put("net", connect())

    def subnet(self, netuid: int | None = None, *, wallet: str = "alice") -> "Subnet":
        """The subnet asked for, the newest one that a variable holds, or a new one on the present network.

        A subnet under any name counts. One of an older network does not: after `net = sl.connect()` has run
        again, the next subnet is made on the new chain.
        """
        if netuid is not None:
            return self.put("subnet", self.net().subnet(netuid))
        present = self.present_subnet()
        if present is not None:
            return present
        net = self.net()
        return self.put("subnet", net.create_subnet("tiny-lm", wallet=net.wallet(wallet)))

    def present_subnet(self) -> "Subnet | None":
        """The newest subnet in a variable whose network is open and not older than the one in `net`."""
        from subnetlab.lab.session import Net  # noqa: PLC0415
        from subnetlab.lab.subnet import Subnet  # noqa: PLC0415

        # IPython's own names (_, __, _12) hold what cells have shown, not what the reader has named.
        named = [value for name, value in self.user_ns.items() if not name.startswith("_")]
        found = [value for value in named if isinstance(value, Subnet) and not value.net.closed]
        newest = max(found, key=lambda subnet: subnet.opened_at, default=None)
        net = self.user_ns.get("net")
        if newest is None or not isinstance(net, Net) or net.closed or newest.net is net:
            return newest
        on_net = [subnet for subnet in found if subnet.net.endpoint == net.endpoint]
        if on_net:
            return max(on_net, key=lambda subnet: subnet.opened_at)
        return newest if newest.opened_at > net.opened_at else None

    def netuid(self, given: int | None) -> int:
        """The number given, or that of the present subnet; none is created on the way.

        Raises:
            UsageError: neither.
        """
        if given is not None:
            return given
        present = self.present_subnet()
        if present is None:
            raise UsageError("There is no subnet yet: name one with --netuid, or make one with %sl subnet.")
        return present.netuid

    def run(self, name: str = "run") -> "Run":
        """The run in a variable.

        Raises:
            UnknownRun: the variable holds none.
        """
        from subnetlab.lab.run import Run  # noqa: PLC0415

        present = self.user_ns.get(name)
        if not isinstance(present, Run):
            raise UnknownRun(f"The variable {name!r} holds no run.", hint="Start one with %%train.")
        return present

    def best_validator(self, netuid: int) -> str:
        """The best validator of the present run, if it has one and is on this subnet; empty otherwise."""
        from subnetlab.lab.run import Run  # noqa: PLC0415

        run = self.user_ns.get("run")
        try:
            return run.best_validator if isinstance(run, Run) and run.netuid == netuid else ""
        except (RunError, FleetError):
            return ""

    def put(self, name: str, value: _T) -> _T:
        """Give the notebook a variable."""
        self.user_ns[name] = value
        return value


def overview(names: Names) -> Text:
    """The state of this notebook, then the verbs, one line each."""
    width = max(map(len, commands.LINE))
    lines = [f"  %sl {name:<{width}}  {summary}" for name, (summary, _) in commands.LINE.items()]
    train = f"  {'%%train':<{width + 4}}  start a run; the cell's body says how"
    fleet = f"  {'%%fleet':<{width + 4}}  run a cell in the processes of the run's miners"
    two = f"  {'%%miner':<{width + 4}}  define what miners answer, and with %%validator what it is worth"
    last = f"  {'%explain':<{width + 4}}  what the last error means, and what to do next"
    return Text("\n".join([*_standing(names.user_ns), *lines, train, fleet, two, last]))


def _standing(variables: dict[str, Any]) -> list[str]:
    """The chain, whose money it is, and what `run` is doing; starts nothing."""
    net, run = known.net_of(variables), known.run_of(variables)
    if net is None or net.closed:
        where = "No chain yet; %sl network starts one on this machine, with play money."
    else:
        try:
            where = repr(net)
        except SubnetLabError as error:
            where = f"{plain(net.name, NAME)}: {error}"
    return [where, repr(run)] if run is not None else [where]


def _network(names: Names, arguments: argparse.Namespace) -> Any:
    if arguments.name is None:
        return names.net()
    from subnetlab.lab.session import connect  # noqa: PLC0415

    return names.put("net", connect(arguments.name))


def _wallet(names: Names, arguments: argparse.Namespace) -> Any:
    return names.net().holdings(arguments.name)


def _budget(names: Names, arguments: argparse.Namespace) -> Any:
    budget = names.net().budget
    if arguments.tao is not None:
        budget.set(tao=arguments.tao)
    return budget


def _browser(names: Names, arguments: argparse.Namespace) -> Any:  # noqa: ARG001  (same shape for all)
    from subnetlab_widgets.wallet import BrowserWallet, browser_wallet  # noqa: PLC0415  (anywidget, once it is shown)

    net, present = names.net(), names.user_ns.get("page")
    if isinstance(present, BrowserWallet) and present.serves(net):
        return present
    return names.put("page", browser_wallet(net))


def _lock(names: Names, arguments: argparse.Namespace) -> Any:  # noqa: ARG001  (same shape for all)
    from subnetlab.network.keyring import KEYRING  # noqa: PLC0415

    count = KEYRING.lock()
    return Text(f"{count} {'key was' if count == 1 else 'keys were'} forgotten.")


def _ledger(names: Names, arguments: argparse.Namespace) -> Any:  # noqa: ARG001  (same shape for all)
    from subnetlab_widgets.money import ledger_view  # noqa: PLC0415  (anywidget, once it is shown)

    return ledger_view(names.net())


def _stake(names: Names, arguments: argparse.Namespace) -> Any:
    net = names.net()
    netuid, to = names.netuid(arguments.netuid), arguments.to
    hotkey = net.subnet(netuid).hotkey(int(to)) if str(to).isdigit() else str(to or "")
    if arguments.amount is None:
        from subnetlab_widgets.money import stake_form  # noqa: PLC0415  (anywidget, once a form is opened)

        hotkey = hotkey or names.best_validator(netuid)
        return stake_form(net, netuid=netuid, hotkey_ss58=hotkey, wallet=arguments.wallet)
    hotkey = hotkey or names.best_validator(netuid)
    if not hotkey:
        raise UsageError(
            f"%sl stake: the variable 'run' names no validator of subnet {netuid}. Name one with "
            "--to UID or --to HOTKEY, or leave the amount out for a form."
        )
    wallet = net.wallet(arguments.wallet)
    return net.stake(amount_tao=arguments.amount, hotkey_ss58=hotkey, netuid=netuid, wallet=wallet)


def _pay(names: Names, arguments: argparse.Namespace) -> Any:
    net, to = names.net(), arguments.to or arguments.payee
    if arguments.amount is None or to is None:
        from subnetlab_widgets.money import pay_form  # noqa: PLC0415  (anywidget, once a form is opened)

        return pay_form(net, to=to or "", wallet=arguments.wallet, amount_tao=arguments.amount or "")
    return net.pay(amount_tao=arguments.amount, to=to, wallet=net.wallet(arguments.wallet))


def _unstake(names: Names, arguments: argparse.Namespace) -> Any:
    from subnetlab_widgets.money import unstake_form  # noqa: PLC0415  (anywidget, once a form is opened)

    return unstake_form(names.net(), netuid=names.netuid(arguments.netuid), wallet=arguments.wallet)


def _move(names: Names, arguments: argparse.Namespace) -> Any:
    from subnetlab_widgets.money import move_form  # noqa: PLC0415  (anywidget, once a form is opened)

    return move_form(names.net(), netuid=names.netuid(arguments.netuid), wallet=arguments.wallet)


def _job(names: Names, arguments: argparse.Namespace) -> Any:
    from subnetlab_widgets.money import job_form  # noqa: PLC0415  (anywidget, once a form is opened)

    return job_form(names.net(), escrow=arguments.escrow, wallet=arguments.wallet)


def _subnet(names: Names, arguments: argparse.Namespace) -> Any:
    what = arguments.what
    if what is None:
        return names.subnet(wallet=arguments.wallet)
    if what.isdigit():
        return names.subnet(int(what))
    net = names.net()
    return names.put("subnet", net.create_subnet(what, wallet=net.wallet(arguments.wallet)))


def _runs(names: Names, arguments: argparse.Namespace) -> Any:  # noqa: ARG001  (same shape for all)
    from subnetlab.lab.runs import find, runs  # noqa: PLC0415

    if arguments.delete is not None:
        found = find(arguments.delete)
        if found.id != arguments.delete:
            raise UnknownRun(f"{arguments.delete!r} is not all of {found.id}.", hint="Type its name in full.")
        found.delete()
    return runs(all=arguments.all)


def _attach(names: Names, arguments: argparse.Namespace) -> Any:
    from subnetlab.lab.runs import attach  # noqa: PLC0415

    run = names.put(arguments.name, attach(arguments.run))
    if run.net is not None:  # the run's chain becomes the notebook's
        names.put("net", run.net)
        names.put("subnet", run.net.subnet(run.netuid))
    return run


def _explain(names: Names, arguments: argparse.Namespace) -> Any:
    if arguments.uid < 0:
        raise UnknownUid(f"{arguments.uid} is not a uid.", hint="Uids count from 0.")
    return names.run(arguments.name).explain(uid=arguments.uid)


def _doctor(names: Names, arguments: argparse.Namespace) -> Any:  # noqa: ARG001
    from subnetlab.commands.doctor import doctor  # noqa: PLC0415

    net = known.net_of(names.user_ns)
    return doctor(None if net is None or net.closed else net)


VERBS: dict[str, Callable[[Names, argparse.Namespace], Any]] = {
    "network": _network,
    "wallet": _wallet,
    "budget": _budget,
    "browser": _browser,
    "lock": _lock,
    "ledger": _ledger,
    "stake": _stake,
    "pay": _pay,
    "unstake": _unstake,
    "move": _move,
    "job": _job,
    "subnet": _subnet,
    "runs": _runs,
    "attach": _attach,
    "explain": _explain,
    "doctor": _doctor,
}
