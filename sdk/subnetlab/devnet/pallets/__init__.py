"""One module per pallet; importing this package enters all of them into the registry."""

from subnetlab.devnet.pallets import balances as balances
