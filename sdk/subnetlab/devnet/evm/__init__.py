"""The EVM face of the node: accounts, transactions, blocks and the engine that runs contracts.

Balances, nonces, code and storage are the chain's own storage items, so a revert, a snapshot and the journal
cover contracts like everything else. `addresses`, `rlp`, `transaction` and `block` are light; `engine` loads
py-evm, and only what executes a contract imports it. Source: Frontier at the revision that Subtensor pins.
"""
