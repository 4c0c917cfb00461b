"""Two subnets that pay for other things than compute: for kept data (`storage`), for useful data (`dataset`).

Each is the two functions, the tasks, and a miner or two that cheats; read one, change it, run it.
"""
