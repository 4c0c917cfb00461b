"""Numbers of a table that are far from 1, as a sentence: networks train badly on them.

Changes nothing: what a model is given is what a person gave, so that it can be used without us.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from subnetlab.train.data.columns import Column
from subnetlab.train.data.corpus import Corpus

_FAR: Final = 10.0
"""A mean or a spread beyond this is far from 1."""
_ROWS: Final = 10_000
_SHOWN: Final = 3


def scale_note(data: Corpus, *, target: bool) -> str:
    """Which numbers a person might scale; empty for text, tokens, images, and numbers near 1.

    Args:
        data: what a run trains on.
        target: whether the target is a number to foretell.
    """
    found = [
        said
        for column in data.manifest.columns
        if column.dtype == "f4" and len(column.shape) < 2 and (target or not column.target)
        for said in _far(column, np.asarray(data.train[column.name][:_ROWS], dtype=np.float64))
    ]
    if not found:
        return ""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return (
        f"Numbers far from 1 train badly: {', '.join(found[:_SHOWN])}{more}."
        " Unless the model scales them, subtract the mean and divide by the standard deviation."
    )


def _far(column: Column, values: NDArray[Any]) -> list[str]:
    table = values.reshape(len(values), -1)
    means, spreads = table.mean(0), table.std(0)
    names = column.names or (column.name,) * table.shape[1]
    kind = "the target " if column.target else ""
    found = [
        f"{kind}{name!r} is {mean:.3g} ± {spread:.2g}"
        for name, mean, spread in zip(names, means, spreads, strict=False)
        if max(abs(mean), spread) > _FAR
    ]
    # Features without names of their own are said once.
    return found if column.names or len(found) < 2 else [f"{len(found)} numbers of {column.name!r}"]
