"""The live dashboard of a run: the record as rows, streamed to the page, drawn by `static/dashboard.js`.

`round_table` folds events, `feed` pumps what changed and keeps back-pressure, `widget` is the anywidget.
It reads only the record: a reload, a second viewer or a replay of a finished run sees the same picture.
"""

from subnetlab_widgets.dashboard.widget import Dashboard as Dashboard
from subnetlab_widgets.dashboard.widget import foreseen as foreseen
