"""JSON-RPC over WebSocket and HTTP on one port; importing this package enters every method into the table."""

from subnetlab.devnet.rpc import chain_head as chain_head
from subnetlab.devnet.rpc import dev as dev
from subnetlab.devnet.rpc import ethereum as ethereum
from subnetlab.devnet.rpc import subscriptions as subscriptions
from subnetlab.devnet.rpc import substrate as substrate
