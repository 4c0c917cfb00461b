"""A run's record as polars frames: what was recorded, one table per question.

`schema` says which frames there are and what each column means, `rows` turns events into rows. Frames only
read the record; an empty record gives empty frames of the same shape. Rounds count from 1, as on every page.
"""

from subnetlab.frames.read import frame, frames
from subnetlab.frames.schema import NAMES, SCHEMAS, Column

__all__ = ["NAMES", "SCHEMAS", "Column", "frame", "frames"]
