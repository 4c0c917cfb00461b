"""A run that anyone may join: published by a subnet's owner, found on chain, joined by command."""
