"""The first block: dev accounts with play money, and the sudo key.

Source: `node/src/chain_spec/localnet.rs` for who is funded. Subnets are entered by the SubtensorModule's own
genesis function, so that they are made the way `register_network` makes them.
"""

import bittensor_core as core

from subnetlab.devnet.chain.extrinsic import digest
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.pallets import balances, mev_shield
from subnetlab.devnet.pallets.subtensor import subnet

TAO = 1_000_000_000
DEV_SEED = "0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"
"""Of the development phrase of all Substrate clients, whose stretching would take a millisecond a key."""
ENDOWMENTS_TAO = {
    **dict.fromkeys(("Alice", "Bob", "Charlie"), 1_000_000),
    **dict.fromkeys(("Dave", "Eve", "Ferdie", "One", "Two", "Three"), 2_000),
}


def dev_address(name: str) -> str:
    """The ss58 address of a well-known development key, such as Alice."""
    return core.Keypair.from_uri(f"{DEV_SEED}//{name}").ss58_address


def build(ledger: Ledger) -> None:
    """Write the genesis state into the block being built."""
    for name, amount_tao in ENDOWMENTS_TAO.items():
        balances.set_free(ledger, dev_address(name), amount_tao * TAO)
    balances.issue(ledger, sum(ENDOWMENTS_TAO.values()) * TAO)
    alice = dev_address("Alice")
    ledger.put("Sudo", "Key", value=alice)
    mev_shield.genesis(ledger)
    # Clients tell runtimes apart by the hash of their code. There is none here; its types do.
    ledger.state.put(b":code", b"SubnetLab devnet " + digest(ledger.codec.metadata_v15))
    subnet.genesis(ledger, owner=alice, owner_hotkey=dev_address("Alice_hk"))
