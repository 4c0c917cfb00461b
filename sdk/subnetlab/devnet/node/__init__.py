"""The node that runs a chain: building blocks, when to seal, when to end, and its command."""
