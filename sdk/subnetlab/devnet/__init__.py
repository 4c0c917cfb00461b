"""The embedded node: Subtensor's storage, calls, events and RPC in Python, one process, no Docker.

The unmodified bittensor SDK and btcli are its judges: they meet it on the wire. It loads neither torch nor
the bittensor SDK; `bittensor_core` alone is its SCALE codec. What is simplified: ARCHITECTURE.md, fidelity.
"""
