"""The attacks on a run: who attacks how, what the gate saw of each miner, when it was shut out, its pay.

`state` turns what a report says into what the page draws, `widget` is the anywidget, which follows the run.
"""

from subnetlab_widgets.attack_view.widget import AttackView as AttackView
from subnetlab_widgets.attack_view.widget import attacks as attacks
