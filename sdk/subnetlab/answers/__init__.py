"""Any subnet in two functions: a miner's answers tasks, a validator's says what an answer is worth.

`functions` is what a notebook writes; `manifest` fixes a run of them; `miner` and `validator` live through
its rounds, which are those of a training run: sealed, committed, revealed, scored and paid. No model is
trained.
"""
