"""Where the peers of a run live: processes, their supervisor, and the pacer of a local chain."""
