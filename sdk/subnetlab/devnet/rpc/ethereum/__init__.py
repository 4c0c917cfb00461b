"""The JSON-RPC of Ethereum as Frontier serves it: `eth_`, `net_` and `web3_`, on the port of all methods.

Importing this package enters the methods; the engine is loaded by the first that executes something. Failures
have Frontier's code −32603 and its words. Source: Frontier's `fc-rpc`.
"""

from subnetlab.devnet.rpc.ethereum import accounts as accounts
from subnetlab.devnet.rpc.ethereum import blocks as blocks
from subnetlab.devnet.rpc.ethereum import execution as execution
from subnetlab.devnet.rpc.ethereum import filters as filters
from subnetlab.devnet.rpc.ethereum import prices as prices
from subnetlab.devnet.rpc.ethereum import subscriptions as subscriptions
