"""The live table of a subnet's seats: what the chain knows, block by block, sorted in the page.

`table` folds metagraphs into rows and says what changed, `widget` is the anywidget and its back-pressure,
`views` keeps one per subnet and shows it. It reads the chain and nothing else: no run, no record.
"""

from subnetlab_widgets.seats.views import metagraph as metagraph
from subnetlab_widgets.seats.widget import Metagraph as Metagraph
