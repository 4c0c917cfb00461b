"""SubnetLab: a decentralised-training subnet you can hold in a notebook."""

__all__: list[str] = []
