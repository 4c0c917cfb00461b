"""`python -m subnetlab_kernel.hosting`, which `subnetlab host` runs: read the options, serve until Ctrl-C."""

import argparse
import getpass
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from subnetlab.errors import HostError, SubnetLabError
from subnetlab.settings import home
from subnetlab_kernel.hosting.limits import KernelLimits
from subnetlab_kernel.hosting.server import serve
from subnetlab_kernel.hosting.users import HostedUser, prepare

_ROOTS_FOLDER: Final = Path("/var/lib/subnetlab")
_LOOPBACK: Final = "127.0.0.1"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the options."""
    p = argparse.ArgumentParser(
        prog="subnetlab host",
        description="Give people kernels on this machine, each behind a token, on 127.0.0.1 alone.",
    )
    p.add_argument("--port", type=int, default=8899, help="8899 unless given; 0 takes a free one")
    p.add_argument("--users", default="", metavar="A,B", help="who gets kernels; you alone unless given")
    p.add_argument("--folder", type=Path, help="where tokens and the people's own folders lie")
    p.add_argument("--token-file", type=Path, help="holds the token of the only user, or will (mode 600)")
    p.add_argument("--one-account", action="store_true", help="as root: run all kernels as root all the same")
    p.add_argument(
        "--cull-after", type=int, default=3600, metavar="S", help="end a kernel idle for so long; 0 never"
    )
    p.add_argument("--kernels", type=int, default=4, help="most kernels of a user")
    p.add_argument("--runs", type=int, default=2, help="most runs of a user that go on at once")
    p.add_argument("--memory", type=int, default=0, metavar="MB", help="most memory of each process")
    p.add_argument("--cores", type=int, default=0, help="most cores of a user's kernels")
    p.add_argument("--processes", type=int, default=512, help="most processes of a user, where root hosts")
    return p.parse_args(list(arguments))


def main(arguments: Sequence[str]) -> int:
    """Serve until interrupted; the process's exit status."""
    options = parse(arguments)
    if (
        min(options.port, options.cull_after, options.kernels, options.runs, options.memory, options.cores)
        < 0
    ):
        print("subnetlab host: a number is below 0.", file=sys.stderr)
        return 2
    separate = os.geteuid() == 0 and not options.one_account
    folder: Path = options.folder or (_ROOTS_FOLDER if separate else home() / "host")
    names = options.users.split(",") if options.users else [_own_name()]
    try:
        users = prepare(folder.absolute(), names, separate=separate, token_file=options.token_file)
        if separate:
            _check_python(users[0])
        limits = KernelLimits(
            memory_mb=options.memory, cores=options.cores, processes=options.processes,
            kernels=options.kernels, runs=options.runs,
        )  # fmt: skip
        serve(
            folder.absolute(), users, limits, port=options.port, cull_after_s=options.cull_after,
            announce=lambda port: announce(
                port, folder, users, separate=separate, token_file=options.token_file
            ),
        )  # fmt: skip
    except SubnetLabError as error:
        print(f"subnetlab host: {error}", file=sys.stderr)
        return 1
    return 0


def _own_name() -> str:
    try:
        name = getpass.getuser().lower()
    except (OSError, KeyError):  # a system user without an account
        name = "me"
    return name


def _check_python(user: HostedUser) -> None:
    """Try this Python as another system user.

    Raises:
        HostError: its files are not for others to read.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import subnetlab_kernel.kernel"], user=user.uid, group=user.uid,
            extra_groups=[], env=user.environment(), cwd=user.folder, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        said = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it ended"])[-1]
    except OSError as error:
        said = str(error)
    if said:
        raise HostError(
            f"Kernels of other system users cannot use {sys.executable}: {said}.",
            hint="Install SubnetLab where all may read it, such as /opt, or take --one-account.",
        )


def announce(
    port: int, folder: Path, users: Sequence[HostedUser], *, separate: bool, token_file: Path | None
) -> None:
    """Tell the person at the terminal where to connect; tokens go to a terminal alone, never into a log."""
    address = f"http://{_LOOPBACK}:{port}"
    print(f"SubnetLab gives kernels at {address}, to this machine only. Ctrl-C ends it and all kernels.")
    for user in users:
        file = token_file or folder / "tokens" / f"{user.name}.token"
        shown = f"token {user.token}" if sys.stdout.isatty() else f"token in {file}"
        print(f"  {user.name}: {shown}")
    print(f'  connect: sl.remote("{address}"), or subnetlab lab --gateway {address}')
    if not separate and len(users) > 1:
        remedy = "Leave out --one-account" if os.geteuid() == 0 else "Start as root"
        print(
            "  All kernels run as this system user: users can read each other's files on purpose."
            f" {remedy} to give each a system user."
        )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
