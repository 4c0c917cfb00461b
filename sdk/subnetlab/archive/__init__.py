"""A run as one file or one folder: saved by its owner, loaded from anyone, its events checked one by one."""
