"""`subnetlab verify RUN`: check a run as a third party, and say of whatever is wrong where it is.

RUN is the name of a run of this machine, the folder of one, or a file that `run.save("run.zip")` wrote. The
exit status is 0 where everything was checked and holds, 1 where something was tampered with, 2 where nothing
is wrong but not all could be checked.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from subnetlab.errors import SubnetLabError

if TYPE_CHECKING:
    from subnetlab.train.verify import Report

UNCHECKED = 2


def main(arguments: Sequence[str]) -> int:
    """Run the command; the process's exit status."""
    parser = _parser()
    options = parser.parse_args(list(arguments))
    if not 0 <= options.replay <= 1:
        parser.error("--replay is a share from 0 to 1")
    if options.run is None and options.lineage is None:
        parser.error("name a RUN, or a file by --lineage")
    try:
        report = _report(options)
    except SubnetLabError as error:
        sys.stderr.write(f"subnetlab verify: {error}\n")
        return UNCHECKED
    said = json.dumps(report.to_json(), indent=2) if options.json else str(report)
    sys.stdout.write(said + "\n")
    return report.status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="subnetlab verify", description=__doc__)
    parser.add_argument("run", metavar="RUN", nargs="?", help="a run's name, folder or file")
    parser.add_argument(
        "--replay", type=float, default=0.1, metavar="SHARE",
        help="share of the miners' rounds to train again and of the rounds to judge again (default 0.1)",
    )  # fmt: skip
    parser.add_argument("--store", default="", help="folder or address of the run's store")
    parser.add_argument("--endpoint", default="", help="of a node of its chain, such as ws://host:9944")
    parser.add_argument(
        "--trust", action="store_true", help="run code that the manifest of a stranger's run names"
    )
    parser.add_argument(
        "--lineage", type=Path, metavar="FILE",
        help="check the signed lineage beside a saved model too, or without RUN alone",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def _report(options: argparse.Namespace) -> "Report":
    from subnetlab.lab.runs import find  # noqa: PLC0415  (torch is loaded when a run is verified)
    from subnetlab.lab.verification import verify_file, verify_folder  # noqa: PLC0415

    given = {name: getattr(options, name) for name in ("replay", "store", "endpoint", "lineage")}
    if options.run is None:
        from subnetlab.lab.lineage import check_lineage  # noqa: PLC0415
        from subnetlab.train.verify import Report  # noqa: PLC0415

        check_lineage(options.lineage, report := Report(run=options.lineage.name))
        return report
    path = Path(options.run)
    if path.suffix.lower() == ".zip":
        return verify_file(path, **given, trusted=options.trust)
    if path.is_dir():
        return verify_folder(path, **given, trusted=options.trust)
    return verify_folder(find(options.run).folder, **given)
