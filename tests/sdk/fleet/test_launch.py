import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.launch import is_running, request_stop, start_supervisor, status
from subnetlab.fleet.run_folder import LOCK_FILE
from subnetlab.fleet.spec import FleetSpec, write_spec
from subnetlab.record.lock import locked


def supervisors() -> list[psutil.Process]:
    mine = psutil.Process().children(recursive=True)
    return [process for process in mine if "subnetlab.fleet" in process.cmdline()]


def test_an_empty_folder_starts_nothing_and_the_log_says_why(tmp_path: Path) -> None:
    with pytest.raises(FleetStartFailed, match=r"(?s)ended:.*no readable fleet\.json"):
        start_supervisor(tmp_path)
    assert not is_running(tmp_path)
    assert not supervisors()


def test_a_folder_without_a_run_answers_quietly(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    assert status(tmp_path) == {}
    request_stop(tmp_path)


def test_who_holds_the_lock_is_running_whatever_is_written_down(tmp_path: Path) -> None:
    (tmp_path / "supervisor.json").write_text('{"pid": 1, "token": "old"}')
    assert not is_running(tmp_path)
    with locked(tmp_path / LOCK_FILE):
        assert is_running(tmp_path)
        with pytest.raises(FleetStartFailed, match="running already"):
            start_supervisor(tmp_path)
    assert not is_running(tmp_path)


def test_a_host_lets_so_many_runs_go_on(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    going = home / "runs" / "one"
    going.mkdir(parents=True)
    (going / "manifest.json").touch()
    monkeypatch.setenv("SUBNETLAB_MOST_RUNS", "1")
    with locked(going / LOCK_FILE), pytest.raises(FleetStartFailed, match="1 runs at once, and one go on"):
        start_supervisor(tmp_path)
    with pytest.raises(FleetStartFailed, match="no readable"):  # it has ended, so the next one is begun
        start_supervisor(tmp_path)


@pytest.fixture
def _heard_interrupts() -> Iterator[None]:
    """A shell starts what it runs in the background deaf to interrupts; a notebook hears them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def silent_run(tmp_path: Path) -> Iterator[Path]:
    """The folder of a run whose node takes connections and never answers, which holds its supervisor up."""
    with socket.create_server(("127.0.0.1", 0)) as node:
        spec = FleetSpec(
            endpoint=f"ws://127.0.0.1:{node.getsockname()[1]}", network="devnet", is_devnet=True, netuid=1,
            store=str(tmp_path / "store"), seats=(),
        )  # fmt: skip
        write_spec(tmp_path, spec)
        yield tmp_path


@pytest.mark.usefixtures("_heard_interrupts")
def test_an_interrupt_while_waiting_ends_what_was_started(silent_run: Path) -> None:
    def interrupt() -> None:
        while not is_running(silent_run):
            pause.wait(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    pause = threading.Event()
    person = threading.Thread(target=interrupt)
    person.start()
    with pytest.raises(KeyboardInterrupt):
        start_supervisor(silent_run)
    person.join()
    assert not is_running(silent_run)
    assert not supervisors()


def test_a_supervisor_that_says_nothing_in_time_is_ended(silent_run: Path) -> None:
    with pytest.raises(FleetStartFailed, match=r"said nothing within 0\.1 s"):
        start_supervisor(silent_run, timeout_s=0.1)
    assert not supervisors()
