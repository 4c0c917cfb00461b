"""`subnetlab miner` and `subnetlab validator`: take part in a subnet's public run, by wallet and endpoint.

Finds the run on chain and proves it, says what it will wait for, and only then loads torch. Asks for nothing
that moves money. Exit status: 0 at the run's end or after a signal, 1 where the peer cannot take part.
"""

import argparse
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from subnetlab.errors import SubnetLabError
from subnetlab.public.log import PeerLog
from subnetlab.text import with_article
from subnetlab.train.devices import LARGE, check_compiler, find_devices, spread

if TYPE_CHECKING:
    from subnetlab.public.joining import PublicRole

_MOST_NETUID: Final = 2**16 - 1


def miner(arguments: Sequence[str]) -> int:
    """Run `subnetlab miner`; errors as `join`."""
    return _run("miner", arguments)


def validator(arguments: Sequence[str]) -> int:
    """Run `subnetlab validator`; errors as `join`."""
    return _run("validator", arguments)


def _run(role: "PublicRole", arguments: Sequence[str]) -> int:
    options = parse(role, arguments)
    try:
        return join(role, options)
    except SubnetLabError as error:
        if not options.json:
            raise
        PeerLog(as_json=True).note(str(error), failed=type(error).__name__)
        return 1


def parse(role: "PublicRole", arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        prog=f"subnetlab {role}", description=f"Take part in a subnet's public run as {with_article(role)}."
    )
    add_chain_options(parser)
    parser.add_argument(
        "--store", default="", help="where this peer puts its objects; below the run's own store unless given"
    )
    parser.add_argument("--store-profile", default="", help="whose credentials write there (AWS profile)")
    parser.add_argument("--store-locator", default="", help="where others read it, if that differs")
    add_run_store(parser)
    parser.add_argument(
        "--trust", action="append", default=[], metavar="SS58",
        help="an owner whose model's code may run here; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--attack", default="", metavar="KIND", help="cheat, on a development chain: sign_flip, free_rider, …"
    )
    if role == "miner":
        parser.add_argument("--compile", action="store_true", help="compile the steps with torch.compile")
        parser.add_argument(
            "--answers", default="", metavar="MODULE:FUNCTION",
            help="of a run of answers: the function that answers its tasks, imported from the current folder",
        )  # fmt: skip
    parser.add_argument(
        "--device", default="auto",
        help="where the model computes: cpu, cuda:1, mps; a CUDA card where there is one unless given",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="log JSON lines instead of text")
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be waited for and paid, and take no part"
    )
    return parser.parse_args(list(arguments))


def add_run_store(parser: argparse.ArgumentParser) -> None:
    """The option that says where the run's own objects lie."""
    parser.add_argument("--run-store", default="", help="the run's store; the announced one unless given")


def add_chain_options(parser: argparse.ArgumentParser) -> None:
    """The options that say where, which subnet and who."""
    parser.add_argument("--endpoint", required=True, help='"test", "finney" or ws://host:port')
    parser.add_argument("--wallet", required=True, metavar="NAME/HOTKEY", help="whose hotkey signs")
    add_netuid(parser)


def add_netuid(parser: argparse.ArgumentParser) -> None:
    """The option that says which subnet."""
    parser.add_argument("--netuid", required=True, type=_netuid, help="the subnet's number")


def _netuid(word: str) -> int:
    if not (word.isascii() and word.isdecimal()) or int(word) > _MOST_NETUID:
        raise argparse.ArgumentTypeError(f"{word!r} is no subnet's number, which is from 0 to {_MOST_NETUID}")
    return int(word)


def checked_device(options: argparse.Namespace) -> dict[str, Any]:
    """On which device to compute, a card where there is one unless given, and whether to compile.

    Raises:
        DeviceMissing: it is not here, or nothing that compiles.
    """
    compiled = bool(getattr(options, "compile", False))
    if compiled:
        check_compiler()
    device, *_ = spread([("this peer", options.device)], find_devices(), parameters=LARGE)
    return {"device": device, "compiled": compiled}


def join(role: "PublicRole", options: argparse.Namespace) -> int:
    """Take part to the end of the run; the exit status.

    Raises:
        SubnetLabError: the peer cannot take part; the sentence says why and what to do.
    """
    from subnetlab.public.fees import fees_of  # noqa: PLC0415  (loads the SDK)
    from subnetlab.public.found_run import check_joinable, find_run  # noqa: PLC0415  (loads the SDK)
    from subnetlab.public.hotkey import check_trusted, endpoint_of, hotkey_of, is_development  # noqa: PLC0415
    from subnetlab.public.joining import (  # noqa: PLC0415
        check_answers,
        check_attack,
        missing_stake,
        seat_of_hotkey,
        use_instructions,
        waits,
    )
    from subnetlab.public.own_place import own_place  # noqa: PLC0415
    from subnetlab.public.subnet_reads import SubnetReads  # noqa: PLC0415

    log = PeerLog(as_json=options.json)
    check_trusted(options.trust)
    endpoint = endpoint_of(options.endpoint)
    with closing(SubnetReads(endpoint, options.netuid)) as reads:
        key = hotkey_of(reads, options.wallet)
        found = find_run(reads, store=options.run_store, trust=options.trust)
        head, rules = reads.head().number, reads.rules()
        check_joinable(found, options.netuid, head, role)
        answers = check_answers(found, role, getattr(options, "answers", ""))
        check_attack(role, options.attack, development=is_development(reads))
        seat = seat_of_hotkey(found, key.ss58_address, rules, options.wallet)
        place = own_place(
            found, key.ss58_address, options.store, profile=options.store_profile,
            locator=options.store_locator, allow_local=is_development(reads),
        )  # fmt: skip
        fees = fees_of(reads, found, key, role, head)
    missing = missing_stake(seat, options.netuid, role)
    for sentence in (*waits(found, rules, head, role), *missing, *fees.sentences()):
        log.note(sentence)
    fees.check()
    computing = checked_device(options)
    if options.dry_run:
        return 0
    use_instructions(found.manifest)
    given: dict[str, Any] = {
        "found": found, "store": place, "role": role, "endpoint": endpoint, "key": key, "uid": seat.uid,
        "rules": rules, "fees": fees, "log": log, "attack": options.attack,
    }  # fmt: skip
    _take_part(given, answers, computing)
    return 0


def _take_part(given: dict[str, Any], answers: str, computing: dict[str, Any]) -> None:
    """Play the role of a run that was found, to its end."""
    from subnetlab.public.answering import AnsweringPeer  # noqa: PLC0415  (loads torch)
    from subnetlab.public.peer import PublicPeer  # noqa: PLC0415
    from subnetlab.record.described import is_of_answers  # noqa: PLC0415

    of_answers = is_of_answers(given["found"].manifest)
    peer = AnsweringPeer(**given, answers=answers) if of_answers else PublicPeer(**given, **computing)
    peer.run()
