"""`%load_ext subnetlab_kernel` in a plain IPython kernel gives the same verbs, errors and pictures."""

from collections.abc import Iterator

import pytest
from tests.kernel.running import RunningKernel, start_kernel


@pytest.fixture(scope="module")
def kernel() -> Iterator[RunningKernel]:
    running = start_kernel("python3")
    yield running
    running.stop()


def test_the_extension_is_the_same_magics(kernel: RunningKernel) -> None:
    assert "not found" in kernel.run("%sl").stderr
    assert kernel.run("%load_ext subnetlab_kernel").status == "ok"
    assert "%sl pay" in kernel.run("%sl").text
    refused = kernel.run("%sl wallet '" + "abandon " * 12 + "'")
    assert refused.ename == "SecretRefused"
    assert len(refused.traceback) == 1
    assert kernel.run("print('abandon' in repr((In[:-1], _i, _ii)))").stdout.strip() == "False"
    assert "<table" in kernel.run("%sl doctor").data[0]["text/html"]


def test_it_can_be_loaded_twice_and_unloaded(kernel: RunningKernel) -> None:
    assert kernel.run("%reload_ext subnetlab_kernel").status == "ok"
    closing = "from subnetlab_kernel.services import SERVICES\nassert len(SERVICES) == 0"
    assert kernel.run("%unload_ext subnetlab_kernel\n" + closing).status == "ok"
