"""A Yuma evaluation step by step: each intermediate with a sentence, and a weight that can be moved.

`state` turns an evaluation into what the page draws, `widget` is the anywidget and what a page may ask. The
mathematics are `yuma.epoch`'s, in the kernel; the page only draws.
"""

from subnetlab_widgets.yuma_view.widget import YumaSteps as YumaSteps
from subnetlab_widgets.yuma_view.widget import yuma_steps as yuma_steps
