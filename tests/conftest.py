"""What every test gets: one thread per library, and a home of its own."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports torch or polars, and inherited by every process a test starts.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ[_name] = "1"


# What is measured here is whether a property holds, on a machine that may be busy with other things, and a
# failure can be had again: so no example has a time limit, and the examples are the same in each run.
settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """A folder for temporary files per process: pytest would clear old ones away that others still fill.

    A worker has one of its own too: what xdist would give it is a longer path, and sockets live below it.
    """
    if config.option.basetemp is None or hasattr(config, "workerinput"):
        config.option.basetemp = tempfile.mkdtemp(prefix="slt-")
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


@pytest.fixture(scope="session", autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    """What wide fixtures left open fails the last test; a worker's own exit would not tell it."""
    yield
    gc.collect()


@pytest.fixture(scope="session", autouse=True)
def session_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Fixtures wider than one test (a shared node) keep out of the user's own folder too."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("SUBNETLAB_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, session_home: Path
) -> Path:
    """A `SUBNETLAB_HOME` per test; its path is short, because sockets live below it."""
    folder = tmp_path_factory.mktemp("home")
    for wide in {session_home, Path(os.environ["SUBNETLAB_HOME"])}:  # nodes of the session, and of the module
        for token in (wide / "nodes").glob("*.token"):
            (folder / "nodes").mkdir(exist_ok=True)
            (folder / "nodes" / token.name).hardlink_to(token)
    monkeypatch.setenv("SUBNETLAB_HOME", str(folder))
    # A command fixes torch's instruction set for its own process; the next test's processes choose theirs.
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "")
    monkeypatch.delenv("ATEN_CPU_CAPABILITY")
    return folder
