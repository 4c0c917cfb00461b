"""One module per runtime API; importing this package enters all of them into the registry."""

from subnetlab.devnet.apis import chain as chain
