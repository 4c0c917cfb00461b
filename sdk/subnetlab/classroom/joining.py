"""What a student's kernel asks of a class: to be taken in, to be given money, and to have answers judged.

A code opens the class once for each student and is answered with a token; everything after that takes the
token. Keys are made in the student's kernel: the class sees addresses, and a signature of the hotkey.
"""

import asyncio
import math
from dataclasses import dataclass
from typing import Any, Final, cast

from aiohttp import web
from bittensor_core import Keypair

from subnetlab.classroom.access import Access, Refused
from subnetlab.classroom.bodies import json_object
from subnetlab.classroom.chain import ClassChain
from subnetlab.classroom.grading import Grader
from subnetlab.classroom.join_codes import CodeRefused, CodeUnknown, JoinCodes
from subnetlab.classroom.rate_limit import Buckets
from subnetlab.classroom.students import Student, Students
from subnetlab.errors import ClassError
from subnetlab.membership import wallet_text

_ASKS_PER_S: Final = 5.0
_ASKS: Final = 60.0
_MOST_ANSWERS: Final = 200
_JOINS: Final = 60
"""Students who may join from one address at once, and then in a minute: 40 behind one router come in at once
and have room to join again, and filling the 256 seats of the largest class takes more than three minutes."""


@dataclass
class Joining:
    """The student's half of a class's server."""

    access: Access
    students: Students
    codes: JoinCodes
    chain: ClassChain
    grader: Grader
    address: str
    title: str

    def __post_init__(self) -> None:
        self._asks = Buckets(_ASKS_PER_S, _ASKS)
        self._joins = Buckets(_JOINS / 60, _JOINS)
        self._money = asyncio.Lock()

    async def join(self, request: web.Request) -> web.Response:
        """Take a student in by a code."""
        told = await json_object(request)
        code, name = str(told.get("code", ""))[:100], str(told.get("name", ""))[:200]
        try:
            opened = self.codes.check(code)
        except CodeRefused as error:
            if isinstance(error, CodeUnknown):
                self.access.guessed(request, "code")
            raise Refused(403, str(error)) from None
        bucket = self._joins.of(request.remote or "")
        wait = bucket.wait_s()
        if wait:
            said = f"{_JOINS} students have joined from your address within a minute"
            raise Refused(429, f"{said}: try again in {math.ceil(wait)} s.")
        try:
            student, token = self.students.join(opened, name)
        except ClassError as error:
            bucket.take(-1.0)  # no student came in
            raise Refused(409, str(error)) from None
        return web.json_response({**self._about(student), "token": token})

    async def about(self, request: web.Request) -> web.Response:
        """What a student's kernel needs to know."""
        return web.json_response(self._about(self._student(request)))

    async def wallet(self, request: web.Request) -> web.Response:
        """Note a student's keys, and give their coldkey its play money."""
        student, told = self._student(request), await json_object(request)
        coldkey, hotkey = str(told.get("coldkey", ""))[:100], str(told.get("hotkey", ""))[:100]
        if not _signed(student, coldkey, hotkey, str(told.get("signature", ""))[:200]):
            raise Refused(400, "The hotkey has not signed for this wallet.")
        try:
            self.students.bind(student, coldkey, hotkey)
        except ClassError as error:
            raise Refused(409, str(error)) from None
        async with self._money:
            await asyncio.to_thread(self.chain.fund, coldkey)
        return web.json_response(self._about(student))

    async def answers(self, request: web.Request) -> web.Response:
        """Judge answers to exercises; what the class makes of each goes back."""
        student, told = self._student(request), await json_object(request)
        given = told.get("answers")
        if not isinstance(given, dict) or len(cast("dict[str, Any]", given)) > _MOST_ANSWERS:
            raise Refused(400, "Send answers by the number of their exercise.")
        for number, answer in cast("dict[str, Any]", given).items():
            await self.grader.grade(student, str(number)[:20], answer)
        self.students.save()
        judged = {number: answered.right for number, answered in student.answers.items()}
        return web.json_response({"right": judged})

    def _student(self, request: web.Request) -> Student:
        student = self.access.student(request)
        wait = self._asks.of(student.id).wait_s()
        if wait:
            raise Refused(429, f"Too much at once: try again in {math.ceil(wait)} s.")
        return student

    def _about(self, student: Student) -> dict[str, Any]:
        return {
            "student": student.id, "name": student.name, "seed": student.seed, "title": self.title,
            "address": self.address, "netuid": self.chain.netuid, "hotkey": student.hotkey,
        }  # fmt: skip


def _signed(student: Student, coldkey: str, hotkey: str, signature: str) -> bool:
    try:
        Keypair(ss58_address=coldkey)
        text = wallet_text(student.id, coldkey, hotkey)
        return bool(Keypair(ss58_address=hotkey).verify(text, bytes.fromhex(signature)))
    except (ValueError, TypeError):
        return False
