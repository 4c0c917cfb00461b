"""Joining from a student's side: what answers is checked before anything is kept."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import subnetlab as sl
from subnetlab.errors import ArgumentInvalid, ClassError, ClassUnreachable
from subnetlab.lab.class_files import membership_of
from subnetlab.membership import TOKEN_HEADER, headers_for, joined, membership_for

TOLD = {"student": "s1", "name": "Ada", "token": "first", "netuid": 2, "seed": 7}


class Server(ThreadingHTTPServer):
    """A class's server as far as joining asks it; it answers what `told` says, by path."""

    told: dict[str, tuple[int, Any]]
    tokens: list[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        self.server.tokens.append(self.headers.get(TOKEN_HEADER))
        status, told = self.server.told.get(self.path, (404, {"error": "nothing"}))
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("SUBNETLAB_HOME", str(tmp_path))
    with Server(("127.0.0.1", 0), Handler) as server:
        server.told, server.tokens = {}, []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_what_was_told_is_kept_and_the_token_goes_to_that_class_alone(server: Server) -> None:
    at = address(server)
    server.told["/join"] = (200, {**TOLD, "address": at})
    member = membership_of(f"{at}/", "CODE", "Ada")
    assert (member.student, member.seed, member.place) == ("s1", 7, f"{at}/objects/s1")
    assert member.chain == f"ws://127.0.0.1:{server.server_port}/chain"
    assert "first" not in repr(member)
    assert headers_for(member.chain) == headers_for(f"{at}/objects/x") == {TOKEN_HEADER: "first"}
    assert headers_for(f"{at}0/chain") == headers_for("ws://127.0.0.1:1/chain") == {}
    assert membership_of(at, "", "") == member
    server.told["/me"] = (200, {})
    assert membership_of(at, "CODE", "Ada") == member
    assert server.tokens == [None, "first"]


def test_a_class_that_calls_itself_by_anothers_name_replaces_nothing(server: Server) -> None:
    at = address(server)
    server.told["/join"] = (200, {**TOLD, "address": at})
    mine = membership_of(at, "CODE", "Ada")
    server.told["/me"] = (401, {"error": "No student of this class."})
    with Server(("127.0.0.1", 0), Handler) as hostile:
        hostile.told, hostile.tokens = {"/join": (200, {**TOLD, "token": "forged", "address": at})}, []
        thread = threading.Thread(target=hostile.serve_forever, args=(0.01,))
        thread.start()
        try:
            with pytest.raises(ClassUnreachable, match=r"calls itself .* which does not know you"):
                membership_of(address(hostile), "CODE", "Ada")
        finally:
            hostile.shutdown()
            thread.join()
    assert membership_for(at) == mine
    assert server.tokens[-1] == "forged"


@pytest.mark.parametrize(
    "told",
    [b"", b"no json", b"[]", {}, {**TOLD, "netuid": "x"}, {"student": 3}],
)
def test_what_is_no_class_is_said_and_nothing_is_kept(server: Server, told: object) -> None:
    server.told["/join"] = (200, told)
    with pytest.raises(ClassUnreachable, match="is no class"):
        membership_of(address(server), "CODE", "Ada")
    assert joined() == []


def test_refusals_and_redirects_are_said_in_a_sentence(server: Server) -> None:
    server.told["/join"] = (403, {"error": "This join code is over.\x1b[2J"})
    with pytest.raises(ClassError, match="This join code is over"):
        membership_of(address(server), "CODE", "Ada")
    server.told["/join"] = (302, {"error": "elsewhere"})
    with pytest.raises(ClassError, match="elsewhere"):
        membership_of(address(server), "CODE", "Ada")
    with pytest.raises(ClassUnreachable, match="No class answers"):
        membership_of("http://127.0.0.1:1", "CODE", "Ada")
    with pytest.raises(ArgumentInvalid, match="was not joined from here"):
        membership_of(address(server), "", "")


def test_words_that_join_a_class_are_for_a_class_alone() -> None:
    with pytest.raises(ArgumentInvalid, match="code and name join a class"):
        sl.connect("devnet", code="K7QD")
    with pytest.raises(ArgumentInvalid, match="code"):
        sl.connect("http://127.0.0.1:1", code=3)  # type: ignore[arg-type]


def test_a_file_that_is_damaged_is_no_membership(server: Server, tmp_path: Path) -> None:
    del server
    for number, text in enumerate(("", "[]", '{"address": 3}', "\x00")):
        folder = tmp_path / "classes" / str(number)
        folder.mkdir(parents=True)
        (folder / "membership.json").write_text(text)
    assert joined() == []
