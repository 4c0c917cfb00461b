"""Proof that a payload is the work its miner was assigned: stated with it, trained again where drawn.

`report` is what a miner states of its round beside the payload, `state` what it remembers from round to
round, `replay` trains a round again and compares, `continuity` links rounds, `exclusion` says whom a failed
audit shuts out and for how long, `origin` from which model a miner trained. Nothing here runs unless a run's
manifest asks for it.
"""
