"""One store over memory or a bucket of S3, Google or Azure, by obstore; a folder is `store.folder`'s.

Creation is exclusive where the store itself enforces it: memory, and buckets that honour If-None-Match (AWS,
R2, Google, Azure, moto). A bucket that ignores it is found out at the first object, which is created twice;
from then on a name is asked for before it is written, and two writers in the same moment can still both
believe that they were first. Blocking calls, safe from several threads.
"""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Final

import obstore
from obstore import exceptions
from obstore.store import ObjectStore as Backend

from subnetlab.errors import ObjectExists, ObjectMissing, ObjectTooLarge, StoreUnreachable
from subnetlab.store.base import MOST_NAMES
from subnetlab.store.object_names import checked, is_name
from subnetlab.store.patience import USUAL, Away, Patience

_CHUNK: Final = 1 << 20
_OF_THE_MACHINE: Final = "169.254.169.254"
"""Where a machine of a cloud is asked for its own credentials, when no others are there."""
_LASTING: Final = (
    exceptions.PermissionDeniedError, exceptions.UnauthenticatedError, exceptions.InvalidPathError,
    exceptions.UnknownConfigurationKeyError, exceptions.NotSupportedError,
)  # fmt: skip
"""What another attempt meets again."""

_SKEWED: Final = ("RequestTimeTooSkewed", "RequestExpired")
"""What a bucket says of a signature whose time is too far from its own."""


class ObjectStore:
    """`store.base.Store` over any backend that obstore speaks."""

    def __init__(
        self, backend: Backend, where: str, *, patience: Patience = USUAL, trusted: bool = True
    ) -> None:
        """Keep the backend.

        Args:
            backend: with retries of its own turned off; `patience` has them.
            where: names it in errors, without credentials.
            patience: how long the store may be away.
            trusted: whether creation is known to be exclusive there; else the first `put` finds out.
        """
        self.backend, self.where, self.patience = backend, where, patience
        self._exclusive: bool | None = True if trusted else None

    def put(self, name: str, data: bytes) -> None:
        """Create an object.

        Raises:
            ObjectExists: the name is taken; the old object stays as it was.
            InvalidObjectName: the name is not a plain relative one.
            StoreUnreachable: nothing was written, as far as the store says.
        """
        checked(name)

        def attempt(number: int) -> None:
            try:
                self._create(name, data)
            except ObjectExists:
                # The attempt before may have written it, and only its answer was lost.
                if number == 0 or not self._holds(name, data):
                    raise

        self.patience.tried(attempt, f"{self.where} did not take {name!r}")

    def get(self, name: str, limit: int) -> bytes:
        """Read a whole object of at most `limit` bytes.

        Raises:
            ObjectMissing: no such name.
            ObjectTooLarge: larger than `limit`; no more than that was read.
            InvalidObjectName: the name is not a plain relative one.
            StoreUnreachable: the store did not answer.
        """
        checked(name)
        return self.patience.tried(lambda _: self._read(name, limit), f"{self.where} did not serve {name!r}")

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """The names below a prefix (a whole path part), sorted; foreign ones are passed over.

        Args:
            prefix: empty means all.
            limit: the most entries that are looked at, foreign ones included; the rest is left out.

        Raises:
            InvalidObjectName: the prefix is not a plain relative name.
            StoreUnreachable: the store did not answer.
        """
        below = checked(prefix) if prefix else None
        return self.patience.tried(
            lambda _: self._listed(below, limit), f"{self.where} did not list {prefix or 'its objects'!r}"
        )

    def _create(self, name: str, data: bytes) -> None:
        with self._translated(name):
            if self._exclusive is not True and self._is_there(name):
                raise ObjectExists(f"{name!r} is already in {self.where}.")
            try:
                obstore.put(
                    self.backend, name, data, mode="overwrite" if self._exclusive is False else "create"
                )
            except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
                raise ObjectExists(f"{name!r} is already in {self.where}.") from None
            if self._exclusive is None:
                self._exclusive = self._refuses(name, data)

    def _refuses(self, name: str, data: bytes) -> bool:
        """Whether the bucket refuses a name that is taken; the same bytes are offered, so nothing is lost."""
        try:
            obstore.put(self.backend, name, data, mode="create")
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
            return True
        return False

    def _is_there(self, name: str) -> bool:
        try:
            obstore.head(self.backend, name)
        except FileNotFoundError:
            return False
        return True

    def _holds(self, name: str, data: bytes) -> bool:
        try:
            return self._read(name, len(data)) == data
        except (ObjectMissing, ObjectTooLarge):
            return False

    def _read(self, name: str, limit: int) -> bytes:
        with self._translated(name):
            found = obstore.get(self.backend, name)
            size = found.meta["size"]
            if size > limit:
                raise ObjectTooLarge(f"{name!r} has {size} bytes; at most {limit} are read.")
            data = bytearray()
            for chunk in found.stream(min_chunk_size=_CHUNK):
                data += bytes(chunk)
                if len(data) > limit:
                    raise ObjectTooLarge(f"{name!r} has more than {limit} bytes; at most {limit} are read.")
            return bytes(data)

    def _listed(self, prefix: str | None, limit: int) -> list[str]:
        with self._translated(prefix or ""):
            pages = obstore.list(self.backend, prefix=prefix)
            listed = (item["path"] for page in pages for item in page)
            found: list[str] = []
            with suppress(exceptions.InvalidPathError):  # a foreign name that cannot even be listed
                found.extend(filter(is_name, islice(listed, limit)))
            return sorted(found)

    @contextmanager
    def _translated(self, name: str) -> Generator[None]:
        try:
            yield
        except FileNotFoundError:
            raise ObjectMissing(f"{name!r} is not in {self.where}.") from None
        except _LASTING as error:
            skewed = any(word in str(error) for word in _SKEWED)
            raise StoreUnreachable(
                f"{self.where} refuses {name!r}: {_sentence(error)}.",
                hint="Set the clock of this machine: the store signs with another time."
                if skewed
                else "Check the bucket, the credentials and what they may do there.",
            ) from None
        except (exceptions.BaseError, OSError) as error:
            if _OF_THE_MACHINE in str(error):
                raise StoreUnreachable(
                    f"No credentials for {self.where} were found.",
                    hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or name a profile; a public bucket "
                    "is read with anonymous=true.",
                ) from None
            raise Away(_sentence(error)) from None


def _sentence(error: BaseException) -> str:
    """The first line of what a backend says, cut where it repeats a whole answer."""
    return str(error).partition("\n")[0][:300].rstrip(".")
