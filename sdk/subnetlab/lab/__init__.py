"""What a notebook holds: a network, its subnets, their runs, and plain words about what happened.

Everything here goes through the wire or reads a run's folder; nothing imports the node or a notebook.
"""
