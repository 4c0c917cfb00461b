"""`subnetlab run publish | status | stop`: a public run, for the owner of its subnet and for who watches.

`publish` reads a Python file that assigns what `subnet.train` takes (`model`, `data`, `strategy`, …), or that
defines what `subnet.run` takes (`answer`, `judge`, `tasks`, …), tries it out, and announces it on chain;
strangers then join with `subnetlab miner` and `subnetlab validator`.
"""

import argparse
import importlib.util
import inspect
import json
import sys
import traceback
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from subnetlab.commands.peer import add_chain_options, add_netuid, add_run_store
from subnetlab.errors import ArgumentInvalid, SubnetLabError
from subnetlab.signatures import nearest

_MODULE: Final = "subnetlab_plan"
"""The name a plan's file is loaded under: no fresh Python imports it, so its model travels as source."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit status.

    Raises:
        SubnetLabError: it could not be done; the sentence says why and what to do.
    """
    options = parse(arguments)
    verb: dict[str, Any] = {"publish": publish, "status": status, "stop": stop}
    return int(verb[options.verb](options))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="subnetlab run", description="A public run of a subnet.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    publishing = verbs.add_parser("publish", help="announce a run that a file describes")
    publishing.add_argument(
        "plan", type=Path, help="a Python file that assigns model, data, … or defines answer and judge"
    )
    add_chain_options(publishing)
    publishing.add_argument("--store", required=True, help="where the run's objects lie: a folder, s3://…")
    publishing.add_argument("--rounds", type=int, help="how many rounds, instead of the file's")
    publishing.add_argument("--blocks-per-round", type=_whole, default=0, help="measured here unless given")
    publishing.add_argument("--notice", type=float, default=60.0, help="seconds until the first round")
    publishing.add_argument(
        "--miners", type=_whole, default=0,
        help="how many miners a round has room for; as many as are registered unless given",
    )  # fmt: skip
    publishing.add_argument(
        "--checkpoint-every", type=int, default=10, metavar="ROUNDS",
        help="rounds between two checkpoints, from which late joiners replay (default 10; 0 for none)",
    )  # fmt: skip
    publishing.add_argument(
        "--replace", action="store_true", help="announce this run although another one goes on"
    )
    looking = verbs.add_parser("status", help="say where a subnet's run is")
    looking.add_argument("--endpoint", required=True, help='"test", "finney" or ws://host:port')
    add_netuid(looking)
    add_run_store(looking)
    looking.add_argument("--json", action="store_true", help="one JSON object instead of text")
    stopping = verbs.add_parser("stop", help="end a run after the round at hand")
    add_chain_options(stopping)
    add_run_store(stopping)
    return parser.parse_args(list(arguments))


def _whole(word: str) -> int:
    """A whole number from 1; 0 stands for an option that is not given."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is no whole number from 1")
    return int(word)


def publish(options: argparse.Namespace) -> int:
    """Try out the plan of a file and announce it."""
    from subnetlab.public.announcing import check_idle, check_owner  # noqa: PLC0415  (the chain comes before torch)
    from subnetlab.public.hotkey import endpoint_of, hotkey_of, is_development  # noqa: PLC0415
    from subnetlab.public.open_fleet import OpenFleet  # noqa: PLC0415
    from subnetlab.public.own_place import announceable  # noqa: PLC0415
    from subnetlab.public.subnet_reads import SubnetReads  # noqa: PLC0415

    fleet = OpenFleet(
        store=options.store, blocks_per_round=options.blocks_per_round, notice_s=options.notice,
        miners=options.miners, checkpoint_every=options.checkpoint_every,
        replace=options.replace,
    )  # fmt: skip
    endpoint = endpoint_of(options.endpoint)
    with closing(SubnetReads(endpoint, options.netuid)) as reads:
        key = hotkey_of(reads, options.wallet)
        check_owner(reads, key.ss58_address)
        if not fleet.replace:
            check_idle(reads, options.wallet)
        announceable(fleet.store, allow_local=is_development(reads))
    described = read_plan(options.plan)
    if options.rounds is not None:
        described["rounds"] = options.rounds
    from subnetlab.lab import answers_plan, plan, publishing  # noqa: PLC0415  (loads torch)

    made = answers_plan.planned(**described) if "judge" in described else plan.planned(**described)
    name = options.plan.stem
    said = publishing.publish(made, fleet, name=name, endpoint=endpoint, netuid=options.netuid, key=key)
    sys.stdout.write(f"{said}\n")
    return 0


def read_plan(path: Path) -> dict[str, Any]:
    """What a file assigns, checked against the names a run knows; runs the file, which is the owner's own.

    Raises:
        ArgumentInvalid: the file cannot be read, fails, or assigns a name that no run knows.
    """
    from subnetlab.lab.subnet import Subnet  # noqa: PLC0415

    spec = importlib.util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ArgumentInvalid(f"{path} is no Python file.", hint="Give the file that describes the run.")
    module = importlib.util.module_from_spec(spec)
    before = set(vars(module))
    sys.modules[_MODULE] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # a plan is anyone's code, which may raise anything or end the process
        if not isinstance(error, SubnetLabError | KeyboardInterrupt):
            what = f"{type(error).__name__}: {error}".rstrip(".: ")
            said = f"{path} fails{_where(path, error)}: {what}."
            raise ArgumentInvalid(said, hint="Mend the file.") from error
        raise
    verb = Subnet.run if inspect.isroutine(vars(module).get("judge")) else Subnet.train
    known = set(inspect.signature(verb).parameters) - {"self", "fleet", "detach", "budget_tao"}
    assigned = {
        name: value
        for name, value in vars(module).items()
        if name not in before and not name.startswith("_") and _is_option(value)
    }
    for name in assigned.keys() - known:
        close = nearest(name, sorted(known))
        if close:
            raise ArgumentInvalid(
                f"{path} assigns {name!r}, which no run knows.", hint=f"Did you mean {close!r}?"
            )
    described = {name: value for name, value in vars(module).items() if name in known and name not in before}
    if not described:
        raise ArgumentInvalid(
            f"{path} describes no run: it assigns none of {', '.join(sorted(known))}.",
            hint="Assign model and data, or define answer, judge and tasks.",
        )
    return described


def _where(path: Path, error: BaseException) -> str:
    """In which line of a plan's file an error arose; empty where the file itself is not to blame."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.absolute()]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    return f" in line {line}" if line else ""


def _is_option(value: object) -> bool:
    """Whether a name in a plan's file is more than a class, function or module that the plan uses."""
    return not inspect.ismodule(value) and not inspect.isclass(value) and not inspect.isroutine(value)


def status(options: argparse.Namespace) -> int:
    """Say where a subnet's run is, from the chain alone."""
    from subnetlab.public.found_run import find_run  # noqa: PLC0415  (loads the SDK)
    from subnetlab.public.hotkey import endpoint_of  # noqa: PLC0415
    from subnetlab.public.status import status_of  # noqa: PLC0415
    from subnetlab.public.subnet_reads import SubnetReads  # noqa: PLC0415

    with closing(SubnetReads(endpoint_of(options.endpoint), options.netuid)) as reads:
        found = status_of(reads, find_run(reads, store=options.run_store))
    sys.stdout.write(f"{json.dumps(found.to_json()) if options.json else found}\n")
    return 0


def stop(options: argparse.Namespace) -> int:
    """Announce the last round."""
    from subnetlab.network.peer_chain import PeerChain  # noqa: PLC0415  (loads the SDK)
    from subnetlab.public import announcing  # noqa: PLC0415
    from subnetlab.public.found_run import find_run  # noqa: PLC0415
    from subnetlab.public.hotkey import endpoint_of, hotkey_of  # noqa: PLC0415
    from subnetlab.public.subnet_reads import SubnetReads  # noqa: PLC0415

    endpoint = endpoint_of(options.endpoint)
    with closing(SubnetReads(endpoint, options.netuid)) as reads:
        key = hotkey_of(reads, options.wallet)
        announcing.check_owner(reads, key.ss58_address)
        found = find_run(reads, store=options.run_store)
        with closing(PeerChain(endpoint, options.netuid, key)) as chain:
            rounds = announcing.stop(reads, chain, found)
    sys.stdout.write(f"Run {found.run_id} ends after round {rounds}.\n")
    return 0
