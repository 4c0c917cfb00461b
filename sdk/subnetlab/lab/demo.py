"""Everything in one call: a chain, a subnet, eight strangers of whom one is a free rider, and a model."""

from subnetlab.fleet.local import LocalFleet
from subnetlab.lab.run import Run
from subnetlab.lab.session import connect

ROUNDS = 20


def demo(rounds: int = ROUNDS) -> Run:
    """Start the demonstration run on a new devnet and return at once; `run.net` is its network."""
    net = connect()
    try:
        subnet = net.create_subnet("tiny-lm", wallet="alice")
        return subnet.train(rounds=rounds, fleet=LocalFleet(miners=8, validators=2, free_riders=1))
    except BaseException:
        net.close()
        raise
