"""JSON-RPC over WebSocket and HTTP on one port; importing this package enters every method into the table.

Those of Ethereum are entered when the first is asked for, so that a node that serves none starts as soon as
one that has none.
"""

from subnetlab.devnet.rpc import chain_head as chain_head
from subnetlab.devnet.rpc import dev as dev
from subnetlab.devnet.rpc import subscriptions as subscriptions
from subnetlab.devnet.rpc import substrate as substrate
from subnetlab.devnet.rpc.method import METHODS

METHODS.packages.update(dict.fromkeys(("eth_", "net_", "web3_"), "subnetlab.devnet.rpc.ethereum"))
