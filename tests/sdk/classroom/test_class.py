"""A class with three students, each a process with a home of its own: one cheats, one is killed."""

import asyncio
import csv
import io
import json
import os
import re
import signal
import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from tests.running_class import RunningClass, Student, end, running_class, student, until

from subnetlab.lab.check.questions import EXERCISES
from subnetlab.lab.check.questions.worth import STAKES, WEIGHTS, consensus
from subnetlab.membership import TOKEN_HEADER

pytestmark = pytest.mark.timeout(400)


@dataclass
class Taught:
    """The class and its students."""

    room: RunningClass
    students: dict[str, Student]

    def join(self, name: str, more: str = "") -> str:
        at, code = self.room.address, self.room.code
        return self.students[name](
            f"import subnetlab as sl; net = sl.connect({at!r}, code={code!r}, name={name!r})\n{more}"
        )

    def judged(self, name: str, rounds: int) -> dict[str, Any]:
        """A student's row, once so many rounds of it were judged."""

        def look() -> dict[str, Any] | None:
            row = self.room.row(name)
            return row if row.get("rounds", 0) >= rounds else None

        return until(look, f"{rounds} rounds of {name}: {self.room.row(name)}")

    def standing(self, name: str, begins: str) -> None:
        """Wait until validators make this of a student."""
        until(
            lambda: self.room.row(name)["standing"].startswith(begins) and self.room.row(name)["rounds"] > 1,
            f"{begins} of {name}: {self.room.row(name)}",
        )

    def token(self, name: str) -> str:
        """A student's token, out of its own file."""
        files = self.students[name].home.glob("lab/classes/*/membership.json")
        return str(json.loads(next(files).read_text())["token"])


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taught]:
    folder = tmp_path_factory.mktemp("class")
    with ExitStack() as held:
        words = ("--students", "3", "--round-seconds", "5", "--notice", "5", "--title", "Monday class")
        room = held.enter_context(running_class(folder, *words))
        students = {name: student(folder / name.lower()) for name in ("Ada", "Bo", "Cy")}
        held.callback(lambda: [end(one) for one in students.values()])
        yield Taught(room, students)


def test_three_students_take_part_and_the_one_who_cheats_is_refused(taught: Taught) -> None:
    assert "Ada in the class" in taught.join("Ada", "print(net); net.start_miner()")
    assert taught.join("Bo", "net.start_miner(attack='sign_flip')") == ""
    assert taught.join("Cy", "net.start_miner()") == ""
    taught.standing("Ada", "works")
    taught.standing("Bo", "refused: ")
    assert until(lambda: taught.room.row("Ada")["paid_alpha_rao"], "pay") > 0
    assert taught.room.row("Ada")["role"] == taught.room.row("Bo")["role"] == "miner"
    seeds = {int(one("print(net.seed)")) for one in taught.students.values()}
    assert len(seeds) == 3


def test_a_student_who_is_killed_comes_back_by_the_address_alone(taught: Taught) -> None:
    cy = taught.students["Cy"]
    before = cy.peer_pid()
    assert before
    cy.kill()
    taught.students["Cy"] = again = student(cy.home)
    at = taught.room.address
    assert again(f"import subnetlab as sl; net = sl.connect({at!r}); print(net.name_in_class)") == "Cy"
    assert again.peer_pid() == before
    os.kill(before, signal.SIGKILL)
    until(lambda: not again.peer_pid(), "end of the peer")
    rounds = taught.room.row("Cy").get("rounds", 0)
    assert again("net.start_miner()") == ""
    assert again.peer_pid() not in (0, before)
    taught.judged("Cy", rounds + 1)
    at_once = again("net.start_miner(attack='free_rider')")
    assert at_once.startswith("FleetStartFailed: Your peer runs already.")


def test_grades_are_the_classs_own_and_are_exported(taught: Taught) -> None:
    right = consensus(STAKES, WEIGHTS)
    honest = taught.students["Ada"](f"sl.check.exercise('1.1', {right!r}); print(sl.check.report(1).sent)")
    assert honest.startswith("Your last 1 answer went to the class")
    patched = "from subnetlab.lab.check import kinds; J = kinds.Judged; "
    patched += "kinds.Number.judge = lambda self, given: J(right=True, said='')\n"
    said = taught.students["Bo"](patched + "print(sl.check.exercise('1.1', 17.0)); sl.check.report()")
    assert "right" in said
    taught.students["Cy"]("sl.check.exercise('1.2', max); sl.check.report()")  # max has no source to send
    lines = {line["name"]: line for line in grades(taught.room)}
    assert set(lines) == {"Ada", "Bo", "Cy"}
    assert [lines[name]["1.1"] for name in ("Ada", "Bo", "Cy")] == ["1", "0", ""]
    assert [lines[name]["passed"] for name in ("Ada", "Bo", "Cy")] == ["1", "0", "0"]
    assert lines["Ada"]["role"] == "miner"
    assert int(lines["Ada"]["paid_alpha_rao"]) > 0
    assert set(EXERCISES) <= set(lines["Ada"])


@pytest.mark.long
def test_a_student_who_stakes_judges_beside_the_classs_validator(taught: Taught) -> None:
    bo = taught.students["Bo"]
    assert bo("net.peer.stop(); print(net.peer.alive)") == "False"
    assert bo("net.start_validator(stake_tao=200); print(net.peer.role)") == "validator"
    assert bo("net.start_miner()").startswith("FleetStartFailed")
    until(lambda: taught.room.row("Bo")["role"] == "validator", "validator")
    assert int(
        bo("print(net.subnet().metagraph().by_hotkey(net.wallet().hotkey.ss58_address).stake_alpha_rao)")
    )
    assert float(bo("print(net.balance().tao)")) < 800
    taught.judged("Bo", 1)


def grades(room: RunningClass) -> list[dict[str, str]]:
    answer = room.teach("GET", "board/grades.csv")
    assert answer.status == 200
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


def test_a_student_writes_to_its_own_place_alone(taught: Taught) -> None:
    headers = {TOKEN_HEADER: taught.token("Ada")}
    ask = taught.room.ask
    mine, other = taught.room.row("Ada")["student"], taught.room.row("Bo")["student"]
    assert ask("PUT", f"objects/{mine}/note", b"hello", **headers).status == 201
    assert ask("PUT", f"objects/{mine}/note", b"other", **headers).status == 409
    assert ask("GET", f"objects/{mine}/note").body == b"hello"
    for place in (other, "run", "class"):
        refused = ask("PUT", f"objects/{place}/note", b"mine", **headers)
        assert (refused.status, refused.told["error"]) == (403, f"You write to your own place alone: {mine}.")
        assert ask("GET", f"objects/{place}/note").status == 404
    assert ask("PUT", f"objects/{mine}/../{other}/note", b"mine", **headers).status in (400, 403, 404)
    assert ask("PUT", f"objects/{mine}/note2", b"mine").status == 401


def test_what_is_the_educators_takes_the_educators_token(taught: Taught) -> None:
    headers = {TOKEN_HEADER: taught.token("Ada")}
    for method, path in (("GET", "rows"), ("GET", "grades.csv"), ("POST", "reset")):
        assert taught.room.ask(method, f"board/{path}", {} if method == "POST" else None).status == 401
        refused = taught.room.ask(method, f"board/{path}", {} if method == "POST" else None, **headers)
        assert (refused.status, "rows" in refused.told) == (401, False)


def test_a_page_of_another_origin_and_another_name_are_refused(taught: Taught) -> None:
    at = {TOKEN_HEADER: taught.room.token}
    assert taught.room.ask("GET", "board/rows", Origin="https://evil.example", **at).status == 403
    assert taught.room.ask("GET", "board/rows", Host="evil.example", **at).status == 403
    assert taught.room.ask("GET", "board/rows", Origin=taught.room.address, **at).status == 200


def test_wrong_codes_are_slowed_down_and_say_so(taught: Taught) -> None:
    tries = [taught.room.ask("POST", "join", {"code": f"AAAA-{n:04}-AAAA", "name": "X"}) for n in range(30)]
    assert {answer.status for answer in tries} == {403, 429}
    assert tries[-1].told["error"].startswith("Too many wrong tries")
    code = {"code": taught.room.code, "name": "a\u0000"}
    assert taught.room.ask("POST", "join", code).told["error"].startswith("This class is full")


def test_a_body_that_is_none_is_refused(taught: Taught) -> None:
    headers = {TOKEN_HEADER: taught.token("Ada")}
    ask, mine = taught.room.ask, taught.room.row("Ada")["student"]
    for body in (b"", b"[]", b"{", b"\xff", b"[" * 100_000):
        assert ask("POST", "me/answers", body, **headers).status == 400
        assert ask("POST", "me/wallet", body, **headers).status == 400
    assert ask("POST", "me/answers", b" " * (1 << 19), **headers).status == 413
    wallet = {"coldkey": "5F", "hotkey": "5F", "signature": "00"}
    assert ask("POST", "me/wallet", wallet, **headers).status == 400
    assert ask("PUT", f"objects/{mine}/.hidden", b"x", **headers).status == 400
    assert ask("GET", f"objects/{mine}/missing").status == 404
    assert ask("GET", "nothing").status == 404
    assert ask("POST", "chain", b"x" * (17 << 20), **headers).told["error"]["message"].startswith("A request")
    assert ask("PUT", f"objects/{mine}/large", b"x" * (17 << 20), **headers).status == 413


def test_a_body_that_would_unpack_to_more_than_its_length_is_refused(taught: Taught) -> None:
    headers = {TOKEN_HEADER: taught.token("Ada")}
    mine, packed = taught.room.row("Ada")["student"], zlib.compress(bytes(32 << 20), 9)
    for coding in ("deflate", "gzip", "br"):
        sent = {**headers, "Content-Encoding": coding}
        for method, path in (("PUT", f"objects/{mine}/packed"), ("POST", "chain"), ("POST", "join")):
            refused = taught.room.ask(method, path, packed, **sent)
            assert refused.status == 415, (coding, path, refused)
    assert taught.room.ask("GET", f"objects/{mine}/packed").status == 404


def test_a_token_that_is_no_text_is_a_wrong_one(taught: Taught) -> None:
    mine = taught.room.row("Ada")["student"]
    asked = [("GET", "me"), ("GET", "board/rows"), ("PUT", f"objects/{mine}/note3"), ("POST", "chain")]
    for method, path in asked:
        body = b"hi" if method != "GET" else None
        refused = taught.room.ask(method, path, body, **{TOKEN_HEADER: "\xff\xfe"})
        assert refused.status in (401, 429), (path, refused)


def test_an_answer_of_any_shape_costs_no_other_answer(taught: Taught) -> None:
    deep = "[" * 900 + "]" * 900
    body = f'{{"answers": {{"0.3": {deep}, "2.1": "no"}}}}'.encode()
    answered = taught.room.ask("POST", "me/answers", body, **{TOKEN_HEADER: taught.token("Ada")})
    assert answered.status == 200, answered
    assert answered.told["right"]["2.1"] is False
    assert not answered.told["right"].get("0.3")


def test_a_body_that_does_not_come_in_time_is_cut_off(taught: Taught) -> None:
    head = f"POST /join HTTP/1.1\r\nHost: 127.0.0.1:{taught.room.port}\r\nContent-Length: 9\r\n\r\n{{"
    with socket.create_connection(("127.0.0.1", taught.room.port), timeout=300) as half:
        half.sendall(head.encode())
        assert half.recv(4096).startswith(b"HTTP/1.1 408")


async def test_a_student_who_floods_the_chain_waits_and_the_others_do_not(taught: Taught) -> None:
    """Connections beyond a few are refused; frames beyond a share come later, one's own alone."""
    flooding = {TOKEN_HEADER: taught.token("Bo")}
    url = f"{taught.room.address}/chain"
    asked = '{"id":1,"jsonrpc":"2.0","method":"chain_getHeader","params":[]}'
    async with aiohttp.ClientSession() as web:
        held = [await web.ws_connect(url, headers=flooding) for _ in range(8)]

        async def flood(socket: aiohttp.ClientWebSocketResponse) -> int:
            for _ in range(600):
                await socket.send_str(asked)
            answered = 0
            async for _ in socket:
                answered += 1
                if answered == 600:
                    return answered
            return answered

        floods = [asyncio.create_task(flood(socket)) for socket in held]
        others = await asyncio.to_thread(taught.students["Ada"], "print(net.block > 0)")
        assert others == "True"
        assert await asyncio.gather(*floods) == [600] * 8
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            held += [await web.ws_connect(url, headers=flooding) for _ in range(40)]
        assert refused.value.status == 429
        with pytest.raises(aiohttp.WSServerHandshakeError) as unknown:
            await web.ws_connect(url)
        assert unknown.value.status == 401
        for socket in held:
            await socket.close()


def test_the_keys_that_everybody_knows_can_do_nothing(taught: Taught) -> None:
    said = taught.students["Ada"](
        "from bittensor import calls\n"
        "for name in ('alice', 'bob', 'charlie', 'dave', 'eve', 'ferdie'): print(net.balance(name).rao)"
    )
    assert said.split() == ["0"] * 6
    fed = "net.pay(amount_tao=1, to=net.wallet('alice'), wallet=net.wallet())\n"
    tempo = "net._client.sudo(calls.AdminUtils.sudo_set_tempo(netuid=2, tempo=99))"
    refused = taught.students["Ada"](fed + tempo)
    assert refused.startswith("ChainRejected: "), refused
    assert taught.students["Ada"]("print(net.subnet().metagraph().tempo)") == "8"
    assert taught.students["Ada"]("net.seal()").startswith("DevnetNotYours")
    assert taught.students["Ada"]("print(net.w3.eth.chain_id)") == "42"


def test_no_secret_is_in_what_was_written_or_shown(taught: Taught) -> None:
    tokens = [taught.token(name) for name in taught.students] + [taught.room.token]
    written = [path for path in taught.room.folder.rglob("*") if path.is_file()]
    written += [path for one in taught.students.values() for path in one.home.rglob("*.log")]
    kept = {"educator.token", "membership.json"}
    shown = [path.read_bytes() for path in (*written, taught.room.out) if path.name not in kept]
    assert len(shown) > 10
    assert [token for token in tokens if any(token.encode() in text for text in shown)] == []
    secrets = [path for path in taught.room.folder.rglob("*") if path.name in kept]
    assert {oct(path.stat().st_mode & 0o777) for path in secrets} == {"0o600"}
    for one in taught.students.values():
        assert "token" not in one("print(repr(net), net.peer, net._member)").lower()


def test_who_is_reset_reaches_nothing_and_may_join_again(taught: Taught) -> None:
    before, cy = taught.token("Cy"), taught.students["Cy"]
    assert taught.room.teach("POST", "board/reset", {"student": "nobody"}).status == 404
    assert (
        taught.room.teach("POST", "board/reset", {"student": taught.room.row("Cy")["student"]}).status == 200
    )
    assert taught.room.row("Cy") == {}
    asked = [taught.room.ask("GET", "me", **{TOKEN_HEADER: before}) for _ in range(30)]
    assert {(answer.status, answer.told["error"]) for answer in asked} == {
        (401, "Your teacher has reset you: join again with a code.")
    }  # an old token is no guess, so whoever guesses from the same address is not slowed down by it
    at = taught.room.address
    said = f"The class at {at} does not know you any more: you were reset, or another class began. Your "
    said += f'teacher gives a code: sl.connect("{at}", code="…", name="Cy").'
    for code in ("net.block", "net.subnet()", "net.seal()", "net.w3.eth.chain_id", f"sl.connect({at!r})"):
        assert cy(code) == f"NotInClass: {said}", code
    assert cy("print(sl.check.report(1).sent)") == f"Your answers did not reach the class: {said}"
    until(lambda: cy("print(net.peer.alive)") == "False", "end of a reset student's miner")
    assert cy("print(net.peer)").endswith(said)
    assert cy("net.start_miner()") == f"NotInClass: {said}"
    room = taught.room
    taken = room.ask("POST", "join", {"code": room.code, "name": "Nobody"})
    assert taken.status == 200
    assert taught.join("Cy") == "ClassError: This class is full. Ask your teacher for a new one."
    assert room.teach("POST", "board/reset", {"unused": True}).told == {"reset": 1}
    assert {row["name"] for row in room.teach("GET", "board/rows").told["rows"]} == {"Ada", "Bo"}
    assert taught.join("Cy") == ""


def test_a_reset_of_all_gives_a_new_code(taught: Taught) -> None:
    code = taught.room.teach("POST", "board/reset", {"all": True}).told["code"]
    assert taught.room.teach("GET", "board/rows").told["rows"] == []
    assert "not one of this class" in taught.join("Cy")
    at = taught.room.address
    joined = taught.students["Cy"](
        f"net = sl.connect({at!r}, code={code!r}, name='Cy'); print(net.balance())"
    )
    assert joined.startswith("τ9"), joined


def test_a_class_that_ends_leaves_its_grades(taught: Taught) -> None:
    assert re.search(r"rounds: .* the run ends at about \d\d:\d\d", taught.room.out.read_text())
    shown = taught.room.teach("GET", "board/rows").told["rows"]
    taught.room.process.send_signal(signal.SIGINT)
    assert taught.room.process.wait(60) == 0
    (left,) = taught.room.folder.glob("grades-*.csv")
    assert [line["name"] for line in csv.DictReader(io.StringIO(left.read_text()))] == [
        row["name"] for row in shown
    ]
    assert f"is over. Grades: {left}" in taught.room.out.read_text()
    for code in ("net.block", "net.seal()"):
        assert taught.students["Cy"](code).endswith("or this machine does not reach it; ask your teacher.")
    assert "ask your teacher" in taught.students["Cy"]("net.start_miner()")
