"""The exercises, one file a tutorial; right answers come from the chain's mathematics or from a run."""
