"""What `train(baselines=...)` asks for is what is started, and a name nobody knows costs nothing."""

import pytest

from subnetlab.errors import ManifestInvalid
from subnetlab.lab.session import Net
from subnetlab.lab.subnet import Subnet
from subnetlab.settings import run_folders


@pytest.fixture
def subnet(net: Net) -> Subnet:
    return net.create_subnet("measured", wallet="alice")


@pytest.mark.parametrize("names", [("alone", "alone_1x"), "sgd", ("ddp", 3), 7, (None,)])
def test_a_baseline_that_nobody_knows_is_refused_before_anything_is_spent(
    subnet: Subnet, names: object
) -> None:
    seats, block = len(subnet.metagraph().neurons), subnet.net.block
    with pytest.raises(ManifestInvalid, match="baselines do not fit"):
        subnet.train(rounds=1, baselines=names)  # pyright: ignore[reportArgumentType]
    assert (len(subnet.metagraph().neurons), subnet.net.block) == (seats, block)
    assert not list(run_folders())
