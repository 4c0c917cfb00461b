"""The science of a run: pure functions, and the roles that use them.

`manifest` fixes a run, `miner` and `validator` live through its rounds, `strategies` are the papers,
`payload` is what travels, `scoring` is how a validator judges. Chain and store are met through their seams.
"""
