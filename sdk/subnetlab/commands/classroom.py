"""`subnetlab class`: one chain, one store and one run for a class, behind one port, joined with a code.

Runs until Ctrl-C. The educator's token is shown at a terminal alone, and lies in a file of the class.
"""

import argparse
import asyncio
import contextlib
import math
import os
import signal
import socket
import sys
import time
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from subnetlab.errors import ClassError
from subnetlab.network.endpoints import with_scheme
from subnetlab.settings import home

if TYPE_CHECKING:
    from subnetlab.classroom.session import ClassOptions, ClassSession

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
PORT: Final = 8866
BLOCK_S: Final = 0.5
ROUNDS: Final = 2000
"""Of some four seconds on one machine: two hours. Who comes after the run's end cannot take part."""
_MOST_STUDENTS: Final = 200
_ROSTER: Final = "Give one name a line."


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options."""
    p = argparse.ArgumentParser(
        prog="subnetlab class",
        description="One chain, one store and one run for a class; students join with a code.",
    )
    p.add_argument("--title", default="Subnet class", help="what students see")
    p.add_argument(
        "--students", type=int, default=12,
        help=f"for how many there is room, {_MOST_STUDENTS} at most; 12 unless given",
    )  # fmt: skip
    p.add_argument("--roster", type=Path, help="a file of names, one a line: each gets a code, good once")
    p.add_argument(
        "--code-hours", type=float, default=12.0, help="how long join codes are good; 12 unless given"
    )
    p.add_argument("--port", type=int, default=PORT, help=f"{PORT} unless given")
    p.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other machines in")
    p.add_argument("--url", default="", help="where students reach it, behind a proxy: https://host/path")
    p.add_argument(
        "--plan",
        type=Path,
        help="a Python file of what is trained; the folder's plan.py unless given",
    )
    p.add_argument(
        "--rounds", type=int, default=ROUNDS, help=f"how many rounds the run has; {ROUNDS} unless given"
    )
    p.add_argument("--round-seconds", type=float, help="of a round; measured unless given")
    p.add_argument(
        "--notice", type=float, default=20.0, help="seconds until the first round; 20 unless given"
    )
    p.add_argument("--folder", type=Path, help="where all of it lies; below SubnetLab's home unless given")
    return p.parse_args(list(arguments))


def main(arguments: Sequence[str]) -> int:
    """Run the class until it is ended; the exit status.

    Raises:
        SubnetLabError: it could not be started; the sentence says why and what to do.
    """
    options = options_of(parse(arguments))
    # The node, the observer and their tokens lie below this, apart from what the educator does beside.
    os.environ["SUBNETLAB_HOME"] = str(options.folder)
    with _held(options.folder):
        asyncio.run(_serve(options))
    return 0


def options_of(given: argparse.Namespace) -> "ClassOptions":
    """The options, checked.

    Raises:
        ClassError: one of them makes no class.
    """
    from subnetlab.classroom.session import ClassOptions  # noqa: PLC0415  (loads the SDK)
    from subnetlab.classroom.students import checked_name  # noqa: PLC0415

    roster = _roster(given.roster) if given.roster else ()
    students = len(roster) or given.students
    if not 1 <= students <= _MOST_STUDENTS:
        raise ClassError(f"A class has 1 to {_MOST_STUDENTS} students.", hint="Give --students.")
    _check_numbers(given)
    if given.plan is not None and not given.plan.is_file():
        raise ClassError(
            f"There is no plan {given.plan}.",
            hint="Give --plan a Python file that is there; without it the class trains a small model.",
        )
    url = given.url.rstrip("/") or f"http://{_own_address(given.host)}:{given.port}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or "@" in parts.netloc:
        near = with_scheme(url)
        meant = f"Did you mean --url {near}?" if near else "Give --url https://host/path."
        raise ClassError(f"{url!r} is no address of a class.", hint=meant)
    if not 0 < given.port < 1 << 16:
        raise ClassError(f"{given.port} is no port.", hint="Give --port a number from 1 to 65535.")
    _check_host(given.host)
    title = checked_name(given.title, of="The title of a class", hint='Give --title "Monday".')
    folder = (given.folder or home() / "class").absolute()
    return ClassOptions(
        folder=folder, title=title, host=given.host, port=given.port, address=url,
        prefix=parts.path, students=students, roster=roster, code_hours=given.code_hours,
        plan=(given.plan or folder / "plan.py").absolute(), rounds=given.rounds,
        round_s=given.round_seconds or 0.0, notice_s=given.notice, hosts=frozenset({parts.hostname}),
    )  # fmt: skip


def _check_numbers(given: argparse.Namespace) -> None:
    """Refuse a number that is none, below 0, or 0 where there must be some.

    Raises:
        ClassError: the sentence names the option.
    """
    for option, least in (("code-hours", 1), ("rounds", 1), ("round-seconds", 1), ("notice", 0)):
        number = getattr(given, option.replace("-", "_"))
        if number is None:
            continue
        if not 0 <= number < math.inf or (least and not number):
            above = "above 0" if least else "of 0 or more"
            unless = ", or leave it out" if option == "round-seconds" else ""
            raise ClassError(f"--{option} is {number:g}.", hint=f"Give --{option} a number {above}{unless}.")


def _check_host(host: str) -> None:
    """Refuse an address that no port of this machine can be opened at, before anything is started.

    Raises:
        ClassError: it is another machine's, or none.
    """
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as probe:
                probe.bind(address)
    except (OSError, UnicodeError):
        raise ClassError(
            f"--host {host} is no address of this machine.",
            hint="Leave it out for this machine alone, or give --host 0.0.0.0 to let others in.",
        ) from None


async def _serve(options: "ClassOptions") -> None:
    from subnetlab.classroom.chain import ClassChain  # noqa: PLC0415  (loads the SDK)
    from subnetlab.classroom.session import ClassSession  # noqa: PLC0415

    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    _say(f"{options.title}: starting its chain …")
    start = partial(ClassChain.start, options.title, folder=options.folder, block_s=BLOCK_S)
    chain = await asyncio.to_thread(start)
    try:
        session = ClassSession(options, chain)
        try:
            _say("Publishing its run: one round is tried out first …")
            await session.open()
            _announce(session)
            await over.wait()
        finally:
            grades = await session.close()
            if grades is not None:
                _say(f"{options.title} is over. Grades: {grades}")
    finally:
        await asyncio.to_thread(chain.close)


def _announce(session: "ClassSession") -> None:
    """Tell the educator where the class is; the token goes to a terminal alone."""
    from subnetlab.record.files import write_private  # noqa: PLC0415

    options = session.options
    codes = session.draw_codes()
    token_file = options.folder / "educator.token"
    write_private(token_file, session.educator + "\n")
    _say(f"{options.title} is open at {options.address}. Ctrl-C ends it.")
    if options.host not in _LOOPBACK:
        _say(
            "  Other machines reach this port, and without TLS they can listen in: in a network you do not "
            "trust put a proxy with TLS in front, and give --url https://…"
        )
    if "" in codes:
        _say(f"  join code: {codes['']}, good for {options.students} students and {options.code_hours:g} h")
        _say(f'  students:  net = sl.connect("{options.address}", code="{codes[""]}", name="…")')
    else:
        lines = "".join(f"{name},{code}\n" for name, code in codes.items())
        write_private(options.folder / "codes.csv", f"name,code\n{lines}")
        _say(f"  join codes: one for each student, in {options.folder / 'codes.csv'}")
        _say(f'  students:   net = sl.connect("{options.address}", code="…")')
    chain = session.chain
    subnet = f'sl.connect("{chain.node.endpoint}").subnet({chain.netuid})'
    _say(f'  its run:   {subnet}.attach(trust="{chain.metagraph().owner_hotkey}"), on this machine')
    seconds = session.blocks_per_round * chain.block_s
    ends = time.strftime("%H:%M", time.localtime(time.time() + options.notice_s + options.rounds * seconds))
    _say(
        f"  rounds:    {options.rounds} of {seconds:.3g} s: the run ends at about {ends}; --rounds changes it"
    )
    if sys.stdout.isatty():
        _say(f"  board:     {options.address}/board#token={session.educator}")
    else:
        _say(f"  board:     {options.address}/board#token=…, with the token in {token_file}")


def _roster(path: Path) -> tuple[str, ...]:
    from subnetlab.classroom.students import checked_name  # noqa: PLC0415

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ClassError(f"The roster {path} cannot be read: {error}.", hint=_ROSTER) from None
    try:
        names = tuple(checked_name(line) for line in lines if line.strip())
    except ClassError as error:
        raise ClassError(f"The roster {path} holds more than names. {error.args[0]}", hint=_ROSTER) from None
    if len({name.casefold() for name in names}) != len(names) or not names:
        raise ClassError(f"The roster {path} holds no name, or one twice.", hint=_ROSTER)
    return names


def _own_address(host: str) -> str:
    """The address of this machine that others would use, where the class listens on all."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: the system only chooses the way out
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


@contextlib.contextmanager
def _held(folder: Path) -> Generator[Path]:
    """The class's folder, this process's alone and without what an earlier class left there; its plan stays.

    Raises:
        ClassError: a class goes on there, or the folder is no class's.
    """
    import shutil  # noqa: PLC0415

    from subnetlab.record.files import make_private, open_log  # noqa: PLC0415
    from subnetlab.record.lock import take_lock  # noqa: PLC0415

    lock = folder / "class.lock"
    foreign = [] if lock.exists() or not folder.is_dir() else [path.name for path in folder.iterdir()]
    if set(foreign) - {"plan.py"}:
        raise ClassError(
            f"{folder} holds other things than a class.", hint="Give --folder one that is empty or new."
        )
    try:
        make_private(folder)
    except OSError as error:
        raise ClassError(
            f"{folder} cannot be used: {error.strerror}.", hint="Give --folder one that can be written to."
        ) from None
    with os.fdopen(open_log(lock), "a") as file:
        if not take_lock(file.fileno()):
            raise ClassError(f"A class goes on in {folder}.", hint="End it, or give --folder another.")
        for name in ("classes", "data", "nodes", "peers", "runs", "store", ".bittensor"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in ("students.json", "codes.csv", "publish.log", "validator.log"):
            (folder / name).unlink(missing_ok=True)
        yield folder


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
