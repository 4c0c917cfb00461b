"""The command line: a word (`demo`, `lab`, `devnet`, `miner`, `run`, `verify`, …) with its options after it.

Only finds the word and hands the rest on; what a command needs is imported when it runs, so that `devnet`
starts without torch and `--help` without anything.
"""

import difflib
import io
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from subnetlab.errors import SubnetLabError

_BROKEN_PIPE = 141
"""Exit status of a command whose reader is gone: 128 and SIGPIPE, as a shell says it."""


def _demo(arguments: Sequence[str]) -> int:
    from subnetlab.commands.demo import main  # noqa: PLC0415  (only what the command needs)

    return main(arguments)


def _lab(arguments: Sequence[str]) -> int:
    from subnetlab.commands.lab import main  # noqa: PLC0415

    return main(arguments)


def _host(arguments: Sequence[str]) -> int:
    from subnetlab.commands.host import main  # noqa: PLC0415

    return main(arguments)


def _class(arguments: Sequence[str]) -> int:
    from subnetlab.commands.classroom import main  # noqa: PLC0415

    return main(arguments)


def _devnet(arguments: Sequence[str]) -> int:
    from subnetlab.devnet.node.command import main  # noqa: PLC0415

    return main(list(arguments))


def _doctor(arguments: Sequence[str]) -> int:
    from subnetlab.commands.doctor import doctor  # noqa: PLC0415

    if list(arguments) in (["-h"], ["--help"]):
        print(f"usage: subnetlab doctor\n\n{(doctor.__doc__ or '').splitlines()[0]}")
        return 0
    if arguments:
        print("subnetlab doctor takes no options.", file=sys.stderr)
        return 2
    checkup = doctor()
    print(checkup)
    return 0 if checkup.healthy else 1


def _miner(arguments: Sequence[str]) -> int:
    from subnetlab.commands.peer import miner  # noqa: PLC0415

    return miner(arguments)


def _validator(arguments: Sequence[str]) -> int:
    from subnetlab.commands.peer import validator  # noqa: PLC0415

    return validator(arguments)


def _run_command(arguments: Sequence[str]) -> int:
    from subnetlab.commands.run import main  # noqa: PLC0415

    return main(arguments)


def _runs(arguments: Sequence[str]) -> int:
    from subnetlab.commands.runs import main  # noqa: PLC0415

    return main(arguments)


def _verify(arguments: Sequence[str]) -> int:
    from subnetlab.commands.verify import main  # noqa: PLC0415

    return main(arguments)


COMMANDS: dict[str, tuple[str, Callable[[Sequence[str]], int]]] = {
    "demo": ("run the first tutorial without a browser and print its verdict", _demo),
    "lab": ("open JupyterLab on the first tutorial, with our kernel", _lab),
    "host": ("give people kernels on this machine, each behind a token", _host),
    "class": ("one chain, store and run for a class, joined with a code", _class),
    "devnet": ("start a development node", _devnet),
    "miner": ("take part in a subnet's public run as a miner", _miner),
    "validator": ("take part in a subnet's public run as a validator", _validator),
    "run": ("publish, watch or stop a public run of a subnet", _run_command),
    "runs": ("list the runs of this machine", _runs),
    "verify": ("check a run as a third party: its record against chain and store", _verify),
    "doctor": ("check this machine", _doctor),
}


def usage() -> str:
    """How the command is written."""
    lines = [f"  {name:<9} {summary}" for name, (summary, _) in COMMANDS.items()]
    return "\n".join(
        ["usage: subnetlab COMMAND [OPTIONS]", "", *lines, "", "subnetlab COMMAND --help says more."]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit status: 0 done, 1 failed, 2 wrongly written."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return 0 if words else 2
    if words[0] == "--version":
        print(version("subnetlab"))
        return 0
    if words[0] not in COMMANDS:
        near = difflib.get_close_matches(words[0], COMMANDS, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        print(f"subnetlab: no command is called {words[0]!r}.{meant}\n{usage()}", file=sys.stderr)
        return 2
    return _run(words[0], words[1:])


def _run(name: str, options: Sequence[str]) -> int:
    _write_what_can_be_written()
    try:
        status = COMMANDS[name][1](options)
        sys.stdout.flush()
    except SubnetLabError as error:
        print(f"subnetlab {name}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader closed the pipe, as `head` does; the interpreter must not try to flush again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        return 130
    return status


def _write_what_can_be_written() -> None:
    """A console that is not UTF-8 gets question marks for letters it does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
