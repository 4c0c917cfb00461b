"""The class's store: a folder in which each student writes to one place, and everyone reads all of them.

Objects are created once. What a student may write is bounded by the object, by the second and in all; what
does not come in time is cut off.
"""

import asyncio
import math
from pathlib import Path
from typing import Final

from aiohttp import web

from subnetlab.classroom.access import Access, Refused
from subnetlab.classroom.bodies import body_of
from subnetlab.classroom.rate_limit import Buckets
from subnetlab.classroom.students import Student
from subnetlab.errors import ObjectExists, StoreUnreachable
from subnetlab.record.files import make_private
from subnetlab.store.folder import FolderStore
from subnetlab.store.object_names import is_name

OWN_PLACES: Final = ("run", "class")
"""Where the class's own processes write: the run's objects, and those of the class's validator."""
MOST_OBJECT_BYTES: Final = 16 * 2**20
OWN_OBJECT_BYTES: Final = 2**30
"""Of the class itself: the weights that a run starts from."""
MOST_PLACE_BYTES: Final = 4 * 2**30
_PUTS_PER_S: Final = 20.0
_PUTS: Final = 400.0
_BYTES_PER_S: Final = 8.0e6
_BYTES: Final = 128.0e6
_AT_ONCE: Final = 2
"""How many objects of one place are in memory at once."""


class Objects:
    """The store's half of a class's server."""

    def __init__(self, access: Access, folder: Path) -> None:
        """Keep objects below a folder."""
        self._access, self._store = access, FolderStore(make_private(folder))
        self._puts, self._bytes = Buckets(_PUTS_PER_S, _PUTS), Buckets(_BYTES_PER_S, _BYTES)
        self._writing: dict[str, asyncio.Semaphore] = {}

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Serve an object to anyone: what lies here is signed, sealed or public, as in a public bucket."""
        place, name = request.match_info["place"], request.match_info["name"]
        # Only this server writes below the folder, under checked names and whole: no link leads elsewhere.
        path = self._store.root / place / name
        if not is_name(f"{place}/{name}") or not await asyncio.to_thread(path.is_file):
            raise Refused(404, "There is no such object.")
        return web.FileResponse(path, headers=_SAFE)

    async def put(self, request: web.Request) -> web.Response:
        """Create an object in the place of who asks."""
        place, name = request.match_info["place"], request.match_info["name"]
        student = self._writer(request, place)
        most = OWN_OBJECT_BYTES if student is None else MOST_OBJECT_BYTES
        if not is_name(f"{place}/{name}"):
            raise Refused(400, "An object's name has letters, digits, '.', '_', '-' and '/'.")
        size = request.content_length
        if size is None:
            raise Refused(411, "Say how long the object is.")
        if size > most:
            raise Refused(413, f"An object has at most {most >> 20} MB here.")
        if student is not None and student.put_bytes + size > MOST_PLACE_BYTES:
            raise Refused(507, f"Your place is full: {MOST_PLACE_BYTES >> 30} GB.")
        wait = self._puts.of(place).wait_s() or self._bytes.of(place).wait_s(size)
        if wait:
            raise Refused(429, f"Too much at once: try again in {math.ceil(wait)} s.")
        async with self._writing.setdefault(place, asyncio.Semaphore(_AT_ONCE)):
            data = await body_of(request, most)
            try:
                await asyncio.to_thread(self._store.put, f"{place}/{name}", data)
            except ObjectExists:
                raise Refused(409, "There is an object of this name already.") from None
            except StoreUnreachable as error:
                raise Refused(507, str(error.args[0])) from None
        if student is not None:
            student.put_bytes += len(data)
        return web.Response(status=201)

    def _writer(self, request: web.Request, place: str) -> Student | None:
        """The student who may write to a place; None for the class's own processes.

        Raises:
            Refused: 401 or 403.
        """
        if self._access.is_own(request):
            if place not in OWN_PLACES:
                raise Refused(403, "This place is a student's.")
            return None
        student = self._access.student(request)
        if place != student.id:
            raise Refused(403, f"You write to your own place alone: {student.id}.")
        return student


_SAFE: Final = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
