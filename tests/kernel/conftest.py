"""One real kernel per test file."""

from collections.abc import Iterator

import pytest
from tests.kernel.running import RunningKernel, start_kernel


@pytest.fixture(scope="module")
def kernel() -> Iterator[RunningKernel]:
    running = start_kernel()
    yield running
    running.stop()
