"""`subnetlab verify RUN`: check a run as a third party, and say of whatever is wrong where it is.

RUN is the name of a run of this machine, the folder of one, a file that `run.save("run.zip")` wrote, or the
number of a subnet whose owner announced a run at `--endpoint`. The exit status is 0 where everything was
checked and holds, 1 where something was tampered with, 2 where nothing is wrong but not all could be checked.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subnetlab.errors import ManifestInvalid, SubnetLabError, UnknownRun
from subnetlab.fleet.run_folder import MANIFEST_FILE
from subnetlab.public.joining import use_instructions
from subnetlab.record.files import read_plain
from subnetlab.record.line import FILE_NAME

if TYPE_CHECKING:
    from subnetlab.train.verify import Report

UNCHECKED = 2


def main(arguments: Sequence[str]) -> int:
    """Run the command; the process's exit status."""
    reader = parser()
    options = reader.parse_args(list(arguments))
    if not 0 <= options.replay <= 1:
        reader.error("--replay is a share from 0 to 1")
    options.run = (options.run or "").strip() or None
    if options.run is None and options.lineage is None:
        reader.error("name a RUN, or a file by --lineage")
    try:
        report = _report(options)
    except SubnetLabError as error:
        sys.stderr.write(f"subnetlab verify: {error}\n")
        return UNCHECKED
    said = json.dumps(report.to_json(), indent=2) if options.json else str(report)
    sys.stdout.write(said + "\n")
    return report.status


def parser() -> argparse.ArgumentParser:
    """What reads the options."""
    parser = argparse.ArgumentParser(prog="subnetlab verify", description=__doc__)
    parser.add_argument("run", metavar="RUN", nargs="?", help="a run's name, folder or file")
    parser.add_argument(
        "--replay", type=float, default=0.1, metavar="SHARE",
        help="share of the miners' rounds to train again and of the rounds to judge again (default 0.1)",
    )  # fmt: skip
    parser.add_argument("--store", default="", help="folder or address of the run's store")
    parser.add_argument("--endpoint", default="", help="of a node of its chain, such as ws://host:9944")
    parser.add_argument(
        "--trust", action="append", default=[], metavar="WHO",
        help="owner (ss58) of an announced run, or hash of a manifest, whose code may run here",
    )  # fmt: skip
    parser.add_argument(
        "--lineage", type=Path, metavar="FILE",
        help="check the signed lineage beside a saved model too, or without RUN alone",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def _report(options: argparse.Namespace) -> "Report":
    given = {name: getattr(options, name) for name in ("replay", "store", "endpoint", "lineage")}
    _check(options)
    if options.run is None:
        return _lineage(options.lineage)
    if options.endpoint:
        from subnetlab.public.hotkey import endpoint_of  # noqa: PLC0415  (loads the SDK)

        options.endpoint = given["endpoint"] = endpoint_of(options.endpoint)
    if options.run.isdecimal() and options.endpoint:
        return _announced(int(options.run), options, given)
    path = Path(options.run)
    _use_instructions(path / MANIFEST_FILE if path.is_dir() else None)
    from subnetlab.lab.runs import find  # noqa: PLC0415  (torch is loaded when a run is verified)
    from subnetlab.lab.verification import verify_file, verify_folder  # noqa: PLC0415

    if path.suffix.lower() == ".zip":
        return verify_file(path, **given, trust=options.trust)
    if path.is_dir():
        _check_folder(path)
        return verify_folder(path, **given, trusted=False, trust=options.trust)
    if path.name != options.run:
        raise UnknownRun(f"There is no folder at {path}.", hint="Give the folder of a run, or a run's name.")
    if options.run.isdecimal():
        hint = f"Give the node of its chain: subnetlab verify {options.run} --endpoint ws://host:port."
        with suppress(UnknownRun):
            return verify_folder(find(options.run).folder, **given)
        raise UnknownRun(f"The run of subnet {options.run} is found on its chain.", hint=hint)
    return verify_folder(find(options.run).folder, **given)


def _check(options: argparse.Namespace) -> None:
    """Refuse a lineage that is not there, and a trusted owner that none can be, before anything is read.

    Raises:
        UnknownRun: there is no such file.
        ArgumentInvalid: --trust names neither an address nor a hash.
    """
    lineage: Path | None = options.lineage
    if lineage is not None and not lineage.is_file():
        hint = "Give the lineage.intoto.json beside a saved model."
        raise UnknownRun(f"There is no file at {lineage}.", hint=hint)
    if options.trust:
        from subnetlab.public.hotkey import check_trusted  # noqa: PLC0415  (loads the SDK)

        check_trusted(options.trust, hashes=True)


def _check_folder(folder: Path) -> None:
    """Refuse a folder that holds nothing of a run, of which nothing could be said.

    Raises:
        UnknownRun: it does.
    """
    if not any((folder / name).exists() for name in (MANIFEST_FILE, FILE_NAME)):
        raise UnknownRun(
            f"{folder} is no folder of a run: it holds neither {MANIFEST_FILE} nor {FILE_NAME}.",
            hint="Give the folder of a run, or a run's name; sl.runs() lists those of this machine.",
        )


def _lineage(file: Path) -> "Report":
    from subnetlab.lab.lineage import check_lineage  # noqa: PLC0415
    from subnetlab.train.verify import Report  # noqa: PLC0415

    report = Report(run=file.name)
    check_lineage(file, report)
    return report


def _announced(netuid: int, options: argparse.Namespace, given: dict[str, Any]) -> "Report":
    """Verify the run of a subnet, with torch on the instruction set that it was trained with."""
    from subnetlab.public.found_run import find_run  # noqa: PLC0415  (loads no torch)
    from subnetlab.public.subnet_reads import SubnetReads  # noqa: PLC0415

    with suppress(ManifestInvalid), closing(SubnetReads(options.endpoint, netuid)) as reads:
        use_instructions(find_run(reads, store=options.store, trust=options.trust).manifest)
    from subnetlab.lab.public_verification import verify_public  # noqa: PLC0415

    return verify_public(netuid, **given, trust=options.trust)


def _use_instructions(manifest: Path | None) -> None:
    """Have torch, which is loaded later, use the instruction set of a run, where its manifest names one."""
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        if manifest is not None:
            use_instructions(json.loads(read_plain(manifest)))
