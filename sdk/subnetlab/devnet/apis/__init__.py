"""One module per runtime API; importing this package enters all of them into the registry."""

from subnetlab.devnet.apis import chain as chain
from subnetlab.devnet.apis import delegates as delegates
from subnetlab.devnet.apis import ethereum as ethereum
from subnetlab.devnet.apis import hyperparameters as hyperparameters
from subnetlab.devnet.apis import metagraph as metagraph
from subnetlab.devnet.apis import neurons as neurons
from subnetlab.devnet.apis import prices as prices
from subnetlab.devnet.apis import stake as stake
from subnetlab.devnet.apis import subnets as subnets
