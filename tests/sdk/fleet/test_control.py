import json
import selectors
import socket
import stat
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pytest

from subnetlab.errors import FleetError
from subnetlab.fleet.control import CONTROL_SOCKET, Answer, ControlServer, request
from subnetlab.record.events import Spent, SpentWhat


@contextmanager
def listening(
    folder: Path, calls: list[str], spent: Callable[[Spent], object] = lambda _: None
) -> Generator[None]:
    """A control server in a thread of its own, answering until the block ends."""
    server = ControlServer(folder, "the token", spent=spent)
    wake, end = socket.socketpair()

    def stop(_asked: Answer) -> Answer:
        calls.append("stop")
        return {"stopping": True}

    def serve() -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(server.listener, selectors.EVENT_READ)
            waiting.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in waiting.select():
                    ready = key.fileobj
                    assert isinstance(ready, socket.socket)
                    if ready is end:
                        return
                    if ready is server.listener:
                        caller = server.accept()
                        if caller is not None:
                            waiting.register(caller, selectors.EVENT_READ)
                    elif server.answer(ready, {"stop": stop}):
                        waiting.unregister(ready)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        wake.send(b"x")
        thread.join()
        server.close()
        wake.close()
        end.close()


def test_a_verb_is_answered_and_the_socket_is_private_and_removed(tmp_path: Path) -> None:
    calls: list[str] = []
    with listening(tmp_path, calls):
        mode = (tmp_path / CONTROL_SOCKET).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert request(tmp_path, "the token", "stop")["stopping"] is True
    assert calls == ["stop"]
    assert not (tmp_path / CONTROL_SOCKET).exists()


def test_a_wrong_token_and_an_unknown_verb_do_nothing(tmp_path: Path) -> None:
    calls: list[str] = []
    with listening(tmp_path, calls):
        with pytest.raises(FleetError, match="wrong token"):
            request(tmp_path, "another", "stop")
        with pytest.raises(FleetError, match="no verb is called 'dance'"):
            request(tmp_path, "the token", "dance")
    assert calls == []


@pytest.mark.parametrize(
    "text", [b"\n", b"3\n", b"{}\n", b"\xff\n", b'{"token": "the token"}\n', b"x" * 5000, b"[" * 4000 + b"\n"]
)
def test_noise_is_refused_and_the_server_lives(tmp_path: Path, text: bytes) -> None:
    calls: list[str] = []
    with listening(tmp_path, calls):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(tmp_path / CONTROL_SOCKET))
            line.sendall(text)
            assert json.loads(line.recv(1000))["ok"] is False
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(tmp_path / CONTROL_SOCKET))  # leaves without a word
        assert request(tmp_path, "the token", "stop")["ok"] is True


def test_a_spend_is_reported_to_the_supervisor(tmp_path: Path) -> None:
    told: list[Spent] = []
    stake = Spent(what="stake", tx="0x1", amount_rao=5, to="5F")
    with listening(tmp_path, [], told.append):
        request(tmp_path, "the token", "spent", event=asdict(stake))
        gift, text = asdict(stake) | {"what": "gift"}, asdict(stake) | {"amount_rao": "5"}
        for wrong in (None, {}, [], gift, text, asdict(stake) | {"fee_rao": "5"}):
            with pytest.raises(FleetError, match="not a stake or a payment"):
                request(tmp_path, "the token", "spent", event=wrong)
        with pytest.raises(FleetError, match="wrong token"):
            request(tmp_path, "another", "spent", event=asdict(stake))
    assert told == [stake]


@pytest.mark.parametrize("what", get_args(SpentWhat))
def test_every_kind_of_spend_reaches_the_supervisor(tmp_path: Path, what: Any) -> None:
    told: list[Spent] = []
    spent = Spent(what=what, tx="0x1", amount_rao=-5, to="", wallet="5G", fee_rao=7, block=9)
    with listening(tmp_path, [], told.append):
        request(tmp_path, "the token", "spent", event=asdict(spent))
    assert told == [spent]


def test_a_deep_run_folder_has_a_socket_too(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    calls: list[str] = []
    with listening(deep, calls):
        request(deep, "the token", "stop")
    assert calls == ["stop"]


def test_nobody_listening_is_said(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="does not answer"):
        request(tmp_path, "the token", "status")
