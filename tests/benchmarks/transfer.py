"""A transfer by the unmodified SDK, from the call to finality, on a node that seals at once."""

from collections.abc import Iterator
from tempfile import TemporaryDirectory

import bittensor
from bittensor_core import Keypair

from tests.benchmarks.measure import Figure, median_of, memory_mb, seconds
from tests.benchmarks.node import running_node

BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
WARM_UP = 5


def measure(quick: bool) -> Iterator[Figure]:
    """Many transfers over one connection; a person's first one pays the metadata too."""
    alice = Keypair.create_from_uri("//Alice")
    with (
        TemporaryDirectory() as folder,
        running_node("--instant", "--state", f"{folder}/chain") as node,
        bittensor.Subtensor(node.endpoint) as client,
    ):

        def transfer() -> None:
            result = client.execute(bittensor.Transfer(dest_ss58=BOB, amount_tao=0.001), alice)
            if not result.success:
                raise RuntimeError(str(result))

        first = seconds(transfer)
        for _ in range(WARM_UP):
            transfer()
        times = [seconds(transfer) * 1e3 for _ in range(10 if quick else 300)]
        yield median_of("transfer to finality through the SDK", times, "ms", limit=8)
        yield Figure(name="first transfer on a new connection", value=first * 1e3, unit="ms")
        yield Figure(name="node memory after these blocks", value=memory_mb(node.pid)[0], unit="MB")
