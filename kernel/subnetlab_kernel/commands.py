"""The subcommands of `%sl` and the options of `%%train`, as data: parser, completion and help read this.

What each one does is in `verbs.py` and `train_cell.py`; nothing here imports the SDK, so completing a name
costs nothing.
"""

import argparse
from collections.abc import Callable
from typing import NoReturn

from IPython.core.error import UsageError


class LineParser(argparse.ArgumentParser):
    """argparse for a line in a cell: wrong use is a message, never the end of the process."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how the line is written."""
        raise UsageError(f"{self.prog}: {message}\n{self.format_usage().strip()}")


def _network(p: LineParser) -> None:
    p.add_argument(
        "name", nargs="?", help="devnet, local, test, finney or ws://host:port; none shows the present one"
    )


def _wallet(p: LineParser) -> None:
    p.add_argument("name", nargs="?", default="alice", help="a wallet's name; never a mnemonic or a key")


def _budget(p: LineParser) -> None:
    p.add_argument("tao", nargs="?", help="what may be spent here from now on; 0 forbids it; none shows it")


def _browser(p: LineParser) -> None:
    p.description = (
        "A wallet of the browser, whose keys stay there: in `page`, page.signer() and page.evm_wallet()."
    )


def _lock(p: LineParser) -> None:
    p.description = "Forget every key that a password has opened; the next signature asks for it again."


def _ledger(p: LineParser) -> None:
    p.description = "Everything that was spent on this network, fees included; net.ledger() is the frame."


def _unstake(p: LineParser) -> None:
    p.description = "Take stake back by form; nothing is sent before its click."
    p.add_argument("--netuid", type=int, help="subnet; the present one when left out")
    p.add_argument("--wallet", default="alice", help="whose stake")


def _move(p: LineParser) -> None:
    p.description = "Move stake to another hotkey or subnet by form; nothing is sent before its click."
    p.add_argument("--netuid", type=int, help="subnet; the present one when left out")
    p.add_argument("--wallet", default="alice", help="whose stake")


def _job(p: LineParser) -> None:
    p.description = "Fund, approve, withdraw from or close a job by form; without an escrow it deploys one."
    p.add_argument("escrow", nargs="?", default="", help="the escrow's address (0x…); none deploys one")
    p.add_argument("--wallet", default="alice", help="who signs: a key of the EVM")


def _stake(p: LineParser) -> None:
    p.description = "Back a validator. Without an amount a form opens, which sends nothing before its click."
    p.add_argument("amount", nargs="?", help="TAO to stake; a form opens when it is left out")
    p.add_argument("--to", help="hotkey (ss58) or uid; the best validator of the run when left out")
    p.add_argument("--netuid", type=int, help="subnet; the present one when left out")
    p.add_argument("--wallet", default="alice", help="who pays")


def _pay(p: LineParser) -> None:
    p.description = (
        "Send TAO. Without an amount or a payee a form opens, which sends nothing before its click."
    )
    p.add_argument("amount", nargs="?", help="TAO to pay; a form opens when it is left out")
    p.add_argument("to", nargs="?", help="wallet name or ss58 address; a form opens when it is left out")
    p.add_argument("--to", dest="payee", metavar="TO", help="the same, where the amount is left out")
    p.add_argument("--wallet", default="alice", help="who pays")


def _subnet(p: LineParser) -> None:
    p.add_argument(
        "what", nargs="?", help="a netuid to look at, or a name to create one; none shows the present one"
    )
    p.add_argument("--wallet", default="alice", help="who owns a new subnet")


def _runs(p: LineParser) -> None:
    p.add_argument("--all", action="store_true", help="finished runs too, however old")
    p.add_argument("--delete", metavar="RUN", help="remove a run from this machine; its name in full")


def _attach(p: LineParser) -> None:
    p.add_argument("run", help="name of a run, as %%sl runs lists it")
    p.add_argument("--name", default="run", help="variable that receives it")


def _explain(p: LineParser) -> None:
    p.add_argument("uid", type=int, help="whose pay to explain")
    p.add_argument("--name", default="run", help="variable that holds the run")


def _doctor(p: LineParser) -> None:
    p.description = "Check this machine: Python, torch, versions, ports."


LINE: dict[str, tuple[str, Callable[[LineParser], None]]] = {
    "network": ("connect to a network, or show the present one", _network),
    "wallet": ("what a wallet holds, free and staked", _wallet),
    "browser": ("a wallet of the browser, whose keys stay there", _browser),
    "lock": ("forget the keys that passwords have opened", _lock),
    "budget": ("how much may still be spent on this network", _budget),
    "ledger": ("everything that was spent on this network", _ledger),
    "stake": ("back a validator; by form without an amount", _stake),
    "pay": ("send TAO; by form without an amount", _pay),
    "unstake": ("take stake back, by form", _unstake),
    "move": ("move stake, by form", _move),
    "job": ("fund, approve, withdraw, close: a job by form", _job),
    "subnet": ("look at a subnet, or create one", _subnet),
    "runs": ("what ran and what runs", _runs),
    "attach": ("take hold of a run by its name", _attach),
    "explain": ("why a miner earned what it earned", _explain),
    "doctor": ("check this machine", _doctor),
}


def line_parser(name: str) -> LineParser:
    """The parser of one subcommand."""
    summary, declare = LINE[name]
    parser = LineParser(prog=f"%sl {name}", description=summary, add_help=True)
    declare(parser)
    return parser


def train_parser() -> LineParser:
    """The options of `%%train`; the body of the cell says the rest."""
    p = LineParser(
        prog="%%train",
        description="Start a run and return at once. The body is Python: rounds=…, model=…, strategy=…",
    )
    p.add_argument("--miners", type=int, help="how many miners, free riders included")
    p.add_argument("--validators", type=int, help="how many validators")
    p.add_argument("--free-riders", type=int, help="how many of the miners send noise instead of work")
    p.add_argument(
        "--attackers", metavar="KIND=N", action="append",
        help="how many of the miners attack, and how: sign_flip=2,free_rider=1",
    )  # fmt: skip
    p.add_argument(
        "--baselines", metavar="NAME", action="append",
        help="what the subnet is measured beside: alone, alone_3x, ddp; several with commas, none for none",
    )  # fmt: skip
    p.add_argument("--optimizer", help="adamw, muon or signum; the strategy's own when left out")
    p.add_argument("--lr", type=float, help="the largest learning rate")
    p.add_argument("--rounds", type=int, help="how many rounds")
    p.add_argument(
        "--netuid", type=int, help="subnet to train on; the variable `subnet`, or a new one, otherwise"
    )
    p.add_argument("--name", default="run", help="variable that receives the run")
    p.add_argument("--detach", action="store_true", help="let the run outlive this kernel")
    return p


def fleet_parser() -> LineParser:
    """The options of `%%fleet` and `%fleet`, in ipyparallel's words; what follows them is the code."""
    p = LineParser(
        prog="%%fleet",
        description="Run Python in the processes of the run's miners. It sees uid, miner, model, theta,"
        " round_number, manifest and torch; names stay for later cells. %%fleetresult shows what came of"
        " the last one that was not waited for.".replace("%", "%%"),
    )
    p.add_argument("-t", "--targets", default="", help="uids, such as 2 or 0,2 or 1:4; every miner otherwise")
    p.add_argument("--block", action="store_true", help="wait for the end, which is usual")
    p.add_argument(
        "-a", "--noblock", action="store_true", help="come back at once; the result is what the cell shows"
    )
    p.add_argument("-o", "--out", default="", metavar="NAME", help="variable that receives the result")
    p.add_argument("--local", action="store_true", help="run it in this kernel too, first")
    p.add_argument("--name", default="run", help="variable that holds the run")
    return p


def options(parser: argparse.ArgumentParser) -> list[str]:
    """Every option a parser takes, for completion."""
    return sorted(
        text
        for action in parser._actions  # noqa: SLF001  (argparse has no public list)
        for text in action.option_strings
        if text.startswith("--")
    )
