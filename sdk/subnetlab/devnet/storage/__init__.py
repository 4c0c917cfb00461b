"""A chain on disk: the snapshot, and the journal of the blocks since."""
