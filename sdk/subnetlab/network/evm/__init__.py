"""The Ethereum half of a network as a client meets it: web3, keys, funding, and the escrow of jobs.

Everything here is loaded on first use; a network that is never asked for its Ethereum half loads no web3.
"""
