"""Every weight of a subnet that is larger than the tables show, packed for one picture.

A weight is a u16 of one, row by row, little-endian in base64: sixteen thousand numbers are forty kilobytes.
"""

from array import array
from base64 import b64encode
from sys import byteorder
from typing import Any, Final

from subnetlab.report.evaluation import Evaluation, Rows
from subnetlab.units import U16_MAX

MOST_VALIDATORS: Final = 128
MOST_MINERS: Final = 256


def heat_of(found: Evaluation, validators: tuple[int, ...], miners: tuple[int, ...]) -> dict[str, Any]:
    """The weights that validators gave and what consensus left of them, of very many seats the first."""
    rows, columns = validators[:MOST_VALIDATORS], miners[:MOST_MINERS]
    return {
        "validators": list(rows),
        "miners": list(columns),
        "weights": _packed(found.weights, rows, columns),
        "clipped": _packed(found.clipped, rows, columns),
    }


def _packed(given: Rows, rows: tuple[int, ...], columns: tuple[int, ...]) -> str:
    cells = array("H", [round(given.get(v, {}).get(m, 0.0) * U16_MAX) for v in rows for m in columns])
    if byteorder == "big":
        cells.byteswap()
    return b64encode(cells.tobytes()).decode()
