"""`python -m tests.benchmarks [--only devnet,kernel] [--quick] [--minutes 60] [--out build/bench.json]`.

`--templar PATH` puts another project's compressor beside ours in the family `codec`.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import Figure, Unavailable, machine

FAMILIES = (
    "wire", "codec", "catch_up", "devnet", "transfer", "ethereum", "kernel", "miners", "fleet", "round",
    "growth", "dashboard", "flood", "first_frame", "reload", "verify", "classroom", "demo", "ray",
    "utilisation", "losses",
)  # fmt: skip
"""Cheap ones first; `demo` takes a minute and a half, `losses` minutes."""
LONG = ("soak", "attacks")
"""Measured only when asked for, for as many minutes as asked for."""


def run(families: list[str], *, quick: bool, minutes: float, out: Path, templar: Path | None = None) -> None:
    """Measure the families one after another and merge each into the file as soon as it is done."""
    for family in families:
        facts, start = machine(), time.perf_counter()
        measure: Callable[..., Iterator[Figure]] = importlib.import_module(
            f"tests.benchmarks.{family}"
        ).measure
        options: dict[str, Any] = {"minutes": minutes} if family in LONG else {}
        if family == "codec":
            options = {"templar": templar}
        figures: list[Figure] = []
        try:
            for figure in measure(quick, **options):
                print(f"{family:<11} {figure.line()}", flush=True)
                figures.append(figure)
        except Unavailable as reason:
            print(f"{family:<11} not measured: {reason}", flush=True)
            missing = {"not_measured": str(reason)}
        else:
            missing = {}
        report = read(out)
        report[family] = missing | {
            "machine": facts,
            "quick": quick,
            "wall_s": round(time.perf_counter() - start, 2),
            "figures": [figure.as_json() for figure in figures],
        }
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(out: Path) -> dict[str, Any]:
    """What earlier runs have left, so that one family can be measured again alone."""
    return json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}


def main(arguments: list[str]) -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(FAMILIES), help=f"of {', '.join(FAMILIES + LONG)}")
    parser.add_argument(
        "--quick", action="store_true", help="fewest samples: a smoke test, not a measurement"
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="how long a long family takes at most")
    parser.add_argument("--templar", type=Path, help="compress.py of github.com/tplr-ai/templar")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    options = parser.parse_args(arguments)
    families = [name for name in options.only.split(",") if name]
    if unknown := sorted(set(families) - set(FAMILIES + LONG)):
        parser.error(f"no family {', '.join(unknown)}; there are {', '.join(FAMILIES + LONG)}")
    if options.templar is not None and not options.templar.is_file():
        parser.error(f"there is no file {options.templar}")
    run(families, quick=options.quick, minutes=options.minutes, out=options.out, templar=options.templar)


if __name__ == "__main__":
    main(sys.argv[1:])
