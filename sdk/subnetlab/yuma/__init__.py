"""The chain's mathematics as pure functions: no I/O, no third-party package, integers only.

`fixed` fixed-point numbers as the runtime rounds them · `vectors` the vector and sparse-matrix steps an
epoch is made of · `bonds` how validators' bonds move · `epoch` one Yuma evaluation with every intermediate
kept · `stake` what a hotkey's stake weighs · `emission` what a block mints and who shares it · `pool` the
weighted pool that prices alpha, on `powers` · `shares` share pools, which let one
reward reach every nominator.

It does not know storage, blocks or accounts: the devnet's pallets feed it what they read and write what it
returns, and `report.explain` replays it for a person.
"""
