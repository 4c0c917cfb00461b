"""Pages of the reference that the program says itself: the help of every command and of every magic."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from subnetlab import cli
from subnetlab_kernel import commands
from subnetlab_kernel.magics import SubnetLabMagics

_WIDTH = "100"


def commands_page() -> str:
    """Every command with its options, and the options of what stands below it."""
    lines = ["# Commands", "", "`subnetlab COMMAND`, or `python -m subnetlab COMMAND`.", ""]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        helps = list(pool.map(_helps, cli.COMMANDS))
    for (name, (summary, _)), texts in zip(cli.COMMANDS.items(), helps, strict=True):
        lines += [f"## subnetlab {name}", "", f"{summary[:1].upper()}{summary[1:]}.", ""]
        for text in texts:
            lines += ["```text", text, "```", ""]
    return "\n".join(lines)


def magics_page() -> str:
    """`%sl` with its verbs, and the cell magics."""
    lines = [
        "# Magics",
        "",
        "On our kernel they are there; elsewhere after `%load_ext subnetlab_kernel`.",
        "",
    ]
    lines += ["## `%sl`", "", "`%sl` alone lists the verbs; `%sl VERB --help` says this:", ""]
    for name in commands.LINE:
        lines += ["```text", commands.line_parser(name).format_help().strip(), "```", ""]
    parsers: dict[str, Callable[[], commands.LineParser]] = {
        "train": commands.train_parser, "fleet": commands.fleet_parser,
    }  # fmt: skip
    for kind, sign in (("cell", "%%"), ("line", "%")):
        for name in SubnetLabMagics.magics[kind]:
            if name != "sl" and f"## `%%{name}`" not in lines:
                words = " ".join((getattr(SubnetLabMagics, name).__doc__ or "").split())
                lines += [f"## `{sign}{name}`", "", words, ""]
                if name in parsers:
                    lines += ["```text", parsers[name]().format_help().strip(), "```", ""]
    return "\n".join(lines)


def _helps(name: str) -> list[str]:
    """The help of a command, and of the words that stand below it."""
    text = _help([name, "--help"])
    below = re.search(r"\{([\w,]+)\} \.\.\.", text)
    return [text, *(_help([name, word, "--help"]) for word in (below[1].split(",") if below else ()))]


def _help(words: list[str]) -> str:
    """What the command line prints, at one width on every machine."""
    command = [sys.executable, "-m", "subnetlab", *words]
    environment = {**os.environ, "COLUMNS": _WIDTH}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()
