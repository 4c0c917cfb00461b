"""The client's side of the wire: wallets, money, metagraph, and a peer's view of the chain.

Everything here speaks to a node through the unmodified bittensor SDK, which is never hidden:
`NetworkClient.client` is a `bittensor.Subtensor`. This package adds what a notebook needs around it: names of
networks, development wallets, budgets and confirmation, errors in words, and `Chain`, the five verbs of
training.
"""
