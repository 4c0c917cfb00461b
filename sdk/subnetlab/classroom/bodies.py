"""The body of a request to a class, read whole, bounded in bytes and in time.

A client may send the first bytes of a body and then nothing; without a limit its connection would stay open,
and connections are limited.
"""

import asyncio
import json
from typing import Any, Final, cast

from aiohttp import web

from subnetlab.classroom.access import Refused

BODY_S: Final = 60.0
_ASKED_S: Final = 15.0
_MOST_ASKED_BYTES: Final = 1 << 18


async def body_of(request: web.Request, most: int, *, seconds: float = BODY_S) -> bytes:
    """The body of a request.

    Args:
        request: whose head has come.
        most: how many bytes it may have.
        seconds: how long it may take to come.

    Raises:
        Refused: 413 where it is too large, 408 where it does not come in time.
    """
    if (request.content_length or 0) > most:
        raise Refused(413, f"At most {most:,} bytes are taken here.")
    data = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while len(data) <= most and not request.content.at_eof():
                data += await request.content.read(most + 1 - len(data))
    except TimeoutError:
        raise Refused(408, f"The rest of it did not come within {seconds:g} s; send it again.") from None
    if len(data) > most:
        raise Refused(413, f"At most {most:,} bytes are taken here.")
    return bytes(data)


async def json_object(request: web.Request, *, seconds: float = _ASKED_S) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        Refused: it is no JSON object, is too large, or does not come in time.
    """
    try:
        found: Any = json.loads(await body_of(request, _MOST_ASKED_BYTES, seconds=seconds))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "Send one JSON object.")
    return cast("dict[str, Any]", found)
