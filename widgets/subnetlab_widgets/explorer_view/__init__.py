"""The explorer of a chain: its newest blocks, live, and what a block, a hash or an address holds.

`state` turns blocks and accounts into what the page draws, `asks` keeps the questions of its pages in order,
`widget` is the anywidget, `views` keeps one per network and shows it. It only reads.
"""

from subnetlab_widgets.explorer_view.views import explorer as explorer
from subnetlab_widgets.explorer_view.widget import ExplorerView as ExplorerView
