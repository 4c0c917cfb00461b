"""`python -m subnetlab.devnet`: read the options, open the port, say so, run until told to stop."""

import argparse
import asyncio
import logging
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from subnetlab.devnet import metadata
from subnetlab.devnet.chain.block import hexed
from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.metadata import document
from subnetlab.devnet.node import coverage
from subnetlab.devnet.node.clock import Clock
from subnetlab.devnet.node.idle_shutdown import IdleShutdown
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.node.sealer import (
    MAX_SECONDS,
    MIN_SECONDS,
    Instant,
    Interval,
    Manual,
    Sealer,
    Sealing,
)
from subnetlab.devnet.rpc.listener import Limits
from subnetlab.devnet.rpc.server import HOST, Server
from subnetlab.devnet.rpc.service import Service
from subnetlab.devnet.rpc.token import PublishedToken, new, read_or_create
from subnetlab.devnet.storage.journal import Journal
from subnetlab.errors import SubnetLabError

log = logging.getLogger("subnetlab.devnet")
FAST_SECONDS, SLOW_SECONDS = 0.25, 12.0
SLOW_TEMPO = 360
"""Of a subnet on a localnet that was built without `fast-runtime`; the recorded one has 10."""
DEFAULT_PORT = 9944
MOST_CONNECTIONS, OWN_FILES = 1024, 64
RECURSION_LIMIT = 5000
"""Calls may lie inside calls 256 deep, and each takes a few frames to dispatch."""
QUIET_S = 60.0
_MOST_KINDS = 256


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = _options(arguments)
    sys.setrecursionlimit(RECURSION_LIMIT)
    written = logging.StreamHandler(sys.stderr)
    written.addFilter(OncePerMinute())
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", handlers=[written])
    try:
        if options.coverage:
            _say(coverage.report(_codec(options)))
            return 0
        asyncio.run(_run(options))
    except SubnetLabError as error:
        print(f"subnetlab devnet: {error}", file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    return 0


async def _run(options: argparse.Namespace) -> None:
    node = Node(_codec(options), Clock())
    journal = None if options.state is None else Journal(node, options.state)
    sealer = Sealer(node, Manual())
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    service = Service(
        node, sealer, stop=stopped.set, journal=journal,
        folder=None if options.state is None else options.state.absolute().parent,
    )  # fmt: skip
    idle_shutdown = IdleShutdown(
        stopped.set, with_parent=options.exit_with_parent, idle_seconds=options.exit_when_idle,
        busy=lambda: bool(service.connections),
    )  # fmt: skip
    service.on_used.append(idle_shutdown.used)
    token = new() if options.dev_token is None else read_or_create(options.dev_token)
    limits = Limits(connections=_most_connections())
    server = Server(service, token=token, origins=frozenset(options.allow_origin), limits=limits)
    await server.start(options.port)
    published = _published(server.port, token)
    _say(f"listening ws://{HOST}:{server.port} genesis {hexed(node.blocks.genesis.hash)}")
    first = node.seal() if len(node.blocks) == 1 else node.blocks.head
    _say(f"Imported #{first.number} {hexed(first.hash)}")
    sealer.switch(Manual() if options.hold else _sealing(options))
    await stopped.wait()
    sealer.stop()
    await server.stop()
    if published is not None:
        published.close()
    if journal is not None:
        journal.close()


def _published(port: int, token: str) -> PublishedToken | None:
    try:
        return PublishedToken(port, token)
    except OSError as error:
        log.warning("No client finds the token of dev_ methods: %s", error)
        return None


def _most_connections() -> int:
    """How many connections the system's limit on open files leaves room for; the limit is raised first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(min(soft, wanted) - OWN_FILES, 8)


def _codec(options: argparse.Namespace) -> Codec:
    """The runtime's types, with the slot duration and tempo asked for: clients read them from there."""
    found = metadata.recording(options.metadata)
    v15 = found.v15
    sealing = _sealing(options)
    if isinstance(sealing, Interval):
        milliseconds = max(round(sealing.seconds * 1000), 1)
        v15 = document.with_constant(v15, "SlotDuration", milliseconds.to_bytes(8, "little"))
    if options.fast_blocks == "False":
        v15 = document.with_constant(v15, "InitialTempo", SLOW_TEMPO.to_bytes(2, "little"))
        v15 = document.with_default(v15, "Tempo", SLOW_TEMPO.to_bytes(2, "little"))
    return Codec(v15, found.spec_version, found.transaction_version)


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give 0 to 65535")
    return port


def _seconds(text: str) -> float:
    with suppress(ValueError):
        seconds = float(text)
        if MIN_SECONDS <= seconds <= MAX_SECONDS:
            return seconds
    raise argparse.ArgumentTypeError(
        f"{text!r} is no block time: give {MIN_SECONDS:g} to {MAX_SECONDS:g} seconds"
    )


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what started us reads these lines


def _sealing(options: argparse.Namespace) -> Sealing:
    if options.instant:
        return Instant()
    if options.manual:
        return Manual()
    if options.block_time is not None:
        return Interval(options.block_time)
    return Interval(SLOW_SECONDS if options.fast_blocks == "False" else FAST_SECONDS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="subnetlab devnet", description="A Subtensor-compatible node.")
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="0 picks a free one")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--instant", action="store_true", help="a block for every extrinsic")
    how.add_argument("--block-time", type=_seconds, metavar="S", help="a block every S seconds")
    how.add_argument("--manual", action="store_true", help="blocks only by dev_seal")
    parser.add_argument(
        "--state", type=Path, metavar="FILE", help="go on with the chain in FILE, and keep every block there"
    )
    parser.add_argument("--hold", action="store_true", help="seal nothing until dev_setSealing")
    parser.add_argument("--coverage", action="store_true", help="list what is implemented, and stop")
    parser.add_argument("--metadata", type=Path, metavar="FILE", help="another recorded runtime")
    parser.add_argument("--dev-token", type=Path, metavar="FILE", help="where the token of dev_ is kept")
    parser.add_argument(
        "--allow-origin", action="append", default=[], metavar="ORIGIN", help="a web page's origin"
    )
    parser.add_argument(
        "--exit-with-parent", action="store_true", help="stop when the starting process is gone"
    )
    parser.add_argument(
        "--exit-when-idle", type=float, metavar="S", help="stop after S seconds without a client"
    )
    parser.add_argument("fast_blocks", nargs="?", metavar="{True,False}", help="as localnet.sh takes it")
    return parser


def _options(arguments: list[str] | None) -> argparse.Namespace:
    """The options; one that is not known is named before its value is taken for `fast_blocks`."""
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.fast_blocks not in (None, "True", "False"):
        parser.error(f"{options.fast_blocks!r} is no option of the node; --help lists them")
    return options


class OncePerMinute(logging.Filter):
    """Lets a message through once a minute, then with its count: a faulty block must not fill the disk."""

    def __init__(self) -> None:
        """Know of no message yet."""
        super().__init__()
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record is written; a written one counts those that were not."""
        raised = record.exc_info[1] if record.exc_info else None
        kind = f"{record.name}: {raised!r}" if raised is not None else record.getMessage()
        now = time.monotonic()
        last, held = self._said.get(kind, (-QUIET_S, 0))
        if now - last < QUIET_S:
            self._said[kind] = last, held + 1
            return False
        if len(self._said) >= _MOST_KINDS:
            self._said.clear()
        self._said[kind] = now, 0
        if held:
            record.msg = f"{record.getMessage()} (and {held} times more since)"
            record.args = ()
        return True
