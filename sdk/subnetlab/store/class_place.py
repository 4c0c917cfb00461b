"""A student's own place in a class: objects put over http(s) to the class's server.

Says who the student is by the token that joining left (`membership`). Reads as any mirror does; every answer
of the server is bounded, and no redirect is followed, so a token goes to the class's server and nowhere else.
"""

import http.client
import json
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from subnetlab.errors import ObjectExists, StoreUnreachable
from subnetlab.membership import TOKEN_HEADER, headers_for
from subnetlab.store.mirror import Mirror
from subnetlab.store.object_names import checked
from subnetlab.store.patience import USUAL, Away, Patience

_MOST_SAID: Final = 1 << 20
_MOST_SHOWN: Final = 200
_CREATED: Final = 201
_TAKEN: Final = 409
_MAY_PASS: Final = frozenset({408, 425, 429})
_SERVER_FAULT: Final = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a class's server answered."""

    status: int
    body: bytes


def ask(
    method: str, url: str, body: bytes = b"", *, kind: str = "application/json", seconds: float = 30.0,
    token: str = "",
) -> Answer:  # fmt: skip
    """Ask a class's server, with a token or this user's own where there is one.

    Raises:
        OSError: no connection, or no answer in time.
        http.client.HTTPException: what answers does not speak HTTP.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, parts.port or 443, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port or 80, timeout=seconds)
    try:
        who = {TOKEN_HEADER: token} if token else headers_for(url)
        connection.request(method, parts.path or "/", body, {"Content-Type": kind, **who})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(_MOST_SAID))
    finally:
        connection.close()


class ClassPlace(Mirror):
    """`store.base.Store` over a student's own place."""

    def __init__(self, url: str, *, patience: Patience = USUAL) -> None:
        """Keep the address; nothing is sent."""
        super().__init__(url, local=True, patience=patience)

    def put(self, name: str, data: bytes) -> None:
        """Create an object.

        Raises:
            ObjectExists: the name is taken; the old object stays as it was.
            InvalidObjectName: the name is not a plain relative one.
            StoreUnreachable: the class's server did not take it; the message says what it said.
        """
        url = f"{self.where}/{checked(name)}"

        def attempt(number: int) -> None:
            try:
                answer = ask(
                    "PUT", url, data, kind="application/octet-stream",
                    seconds=self.patience.for_bytes(len(data)),
                )  # fmt: skip
            except (OSError, http.client.HTTPException) as error:
                raise Away(str(error) or type(error).__name__) from None
            if answer.status == _TAKEN and number and self._holds(name, data):
                return  # the attempt before has written it, and only its answer was lost
            self._taken(answer, name)

        self.patience.tried(attempt, f"{self.where} did not take {name!r}")

    def _holds(self, name: str, data: bytes) -> bool:
        return self.get(name, len(data)) == data

    def _taken(self, answer: Answer, name: str) -> None:
        if answer.status == _CREATED:
            return
        if answer.status == _TAKEN:
            raise ObjectExists(f"{name!r} is already in {self.where}.")
        said = _sentence(answer)
        if answer.status in _MAY_PASS or answer.status >= _SERVER_FAULT:
            raise Away(said)
        raise StoreUnreachable(f"The class did not take {name!r}: {said}", hint="")


def _sentence(answer: Answer) -> str:
    """What a class's server said, out of its JSON where it is some: the words go on to a student."""
    with suppress(ValueError, RecursionError):
        told: Any = json.loads(answer.body)
        if isinstance(told, dict) and isinstance(told.get("error"), str):
            return str(told["error"])[:_MOST_SHOWN]
    return answer.body[:_MOST_SHOWN].decode(errors="replace").strip() or f"it answered {answer.status}"
