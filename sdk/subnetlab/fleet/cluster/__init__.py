"""Peers as actors of a Ray cluster: the launcher, what runs on a node, and a look before a start."""
