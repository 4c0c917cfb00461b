"""The live metagraph of a subnet: what the chain knows, block by block, sorted in the page.

`rows` folds metagraphs into rows and says what changed, `widget` is the anywidget and its back-pressure,
`views` keeps one per subnet and shows it. It reads the chain and nothing else: no run, no record.
"""

from subnetlab_widgets.metagraph_view.views import metagraph as metagraph
from subnetlab_widgets.metagraph_view.widget import Metagraph as Metagraph
