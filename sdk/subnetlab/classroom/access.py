"""Who a request to a class is from, and whether it may come at all: from no foreign page, not too often.

A student's or the educator's token comes in a header of its own, never in an address or a cookie, so a page
of another origin cannot use it and no log holds it. A request that names an unknown host is refused, because
a page could have been led here by a name server.
"""

import ipaddress
import math
import secrets
import time
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from aiohttp import web

from subnetlab.classroom.rate_limit import Buckets
from subnetlab.classroom.students import Student, Students
from subnetlab.membership import TOKEN_HEADER

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_GUESSES_PER_S: Final = 0.5
_GUESSES: Final = 10.0
"""Of tokens and join codes that are wrong, by address; a code has 60 bits, a token 256."""
_ALL_GUESSES_PER_S: Final = 20.0
_ALL_GUESSES: Final = 100.0


class Refused(Exception):
    """A request is refused, with a sentence and a status."""

    def __init__(self, status: int, sentence: str) -> None:
        """Keep both."""
        super().__init__(sentence)
        self.status = status


@dataclass(slots=True, kw_only=True)
class Access:
    """The door of a class."""

    students: Students
    educator: str = field(repr=False)
    """The token of who teaches."""
    own: str = field(repr=False)
    """The token of the class's own processes."""
    hosts: frozenset[str]
    """Names that a request may call this server by, beside this machine's own."""
    open: bool
    """Whether other machines reach the port: then its plain addresses are names of it too."""
    _guesses: Buckets = field(default_factory=lambda: Buckets(_GUESSES_PER_S, _GUESSES))
    _all_guesses: Buckets = field(default_factory=lambda: Buckets(_ALL_GUESSES_PER_S, _ALL_GUESSES))

    def check(self, request: web.Request) -> None:
        """Refuse what comes by another name, from a page of another origin, or compressed.

        Raises:
            Refused: 403, or 415.
        """
        host = _host(f"//{request.headers.get('Host', '')}")
        if not self._is_ours(host):
            raise Refused(403, "This class does not go by that name; its address is on the board.")
        origin = request.headers.get("Origin")
        if origin is not None and not self._is_ours(_host(origin)):
            raise Refused(403, "This page is of another origin.")
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise Refused(415, "Send it as it is, not compressed.")

    def student(self, request: web.Request) -> Student:
        """The student a request is from.

        Raises:
            Refused: 401 without a token that is known, 429 after too many wrong ones.
        """
        token = self._token(request)
        found = self.students.of_token(token)
        if found is None:
            if self.students.was_reset(token):
                raise Refused(401, "Your teacher has reset you: join again with a code.")
            self.guessed(request, "token")
            raise Refused(401, "No student of this class: join with a code.")
        found.seen = time.time()
        return found

    def is_own(self, request: web.Request) -> bool:
        """Whether a request is from the class's own processes."""
        return secrets.compare_digest(self._token(request).encode(), self.own.encode())

    def check_educator(self, request: web.Request) -> None:
        """Refuse who does not teach.

        Raises:
            Refused: 401, or 429 after too many wrong tokens.
        """
        if not secrets.compare_digest(self._token(request).encode(), self.educator.encode()):
            self.guessed(request, "token")
            raise Refused(401, "This needs the educator's token, which the terminal of the class shows.")

    def guessed(self, request: web.Request, what: Literal["token", "code"]) -> None:
        """Count a wrong token or code; right ones open however many wrong ones came from the same address.

        Raises:
            Refused: 429, where there were too many from one address, or from all together.
        """
        for buckets, client in ((self._guesses, request.remote or ""), (self._all_guesses, "")):
            wait = buckets.of(f"{what} {client}").wait_s()
            if wait:
                raise Refused(429, f"Too many wrong tries: try again in {math.ceil(wait)} s.")

    def _is_ours(self, host: str) -> bool:
        if host in _LOOPBACK or host in self.hosts:
            return True
        return self.open and _is_address(host)

    @staticmethod
    def _token(request: web.Request) -> str:
        token = request.headers.get(TOKEN_HEADER, "")
        return token if token.isascii() else ""  # bytes that are no text cannot be compared, nor be a token


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host(url: str) -> str:
    """The host that a URL names; empty where it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
