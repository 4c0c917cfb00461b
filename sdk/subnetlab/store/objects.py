"""One store over memory or a bucket of S3, Google or Azure, by obstore; a folder is `store.folder`'s.

Creation is exclusive where the store itself enforces it: memory, and buckets that honour
If-None-Match (AWS, R2, Google, Azure do; some S3 imitations do not). Blocking calls, safe from several
threads. Credentials come from the environment, as obstore documents; none pass through here.
"""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final

import obstore
from obstore import exceptions
from obstore.store import MemoryStore, from_url
from obstore.store import ObjectStore as Backend

from subnetlab.errors import ObjectExists, ObjectMissing, ObjectTooLarge, StoreUnreachable
from subnetlab.store.base import MOST_NAMES
from subnetlab.store.folder import FolderStore
from subnetlab.store.object_names import checked, is_name

_SCHEMES: Final = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl", "http", "https", "file")


class ObjectStore:
    """`store.base.Store` over any backend that obstore speaks."""

    def __init__(self, backend: Backend, where: str) -> None:
        """Keep the backend; `where` names it in errors."""
        self.backend = backend
        self.where = where

    def put(self, name: str, data: bytes) -> None:
        """Create an object.

        Raises:
            ObjectExists: the name is taken; the old object stays as it was.
            InvalidObjectName: the name is not a plain relative one.
            StoreUnreachable: nothing was written.
        """
        with self._translated(checked(name)):
            try:
                obstore.put(self.backend, name, data, mode="create")
            except exceptions.AlreadyExistsError:
                raise ObjectExists(f"{name!r} is already in {self.where}.") from None

    def get(self, name: str, limit: int) -> bytes:
        """Read a whole object of at most `limit` bytes.

        Raises:
            ObjectMissing: no such name.
            ObjectTooLarge: larger than `limit`; nothing was read into memory.
            InvalidObjectName: the name is not a plain relative one.
            StoreUnreachable: the store did not answer.
        """
        with self._translated(checked(name)):
            found = obstore.get(self.backend, name)
            size = found.meta["size"]
            if size > limit:
                raise ObjectTooLarge(f"{name!r} has {size} bytes; at most {limit} are read.")
            return bytes(found.bytes())

    def names(self, prefix: str, limit: int = MOST_NAMES) -> list[str]:
        """The names below a prefix (a whole path part), sorted; foreign ones are passed over.

        Args:
            prefix: empty means all.
            limit: the most entries that are looked at, foreign ones included; the rest is left out.

        Raises:
            InvalidObjectName: the prefix is not a plain relative name.
            StoreUnreachable: the store did not answer.
        """
        with self._translated(checked(prefix) if prefix else prefix):
            pages = obstore.list(self.backend, prefix=prefix or None)
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
        except (exceptions.BaseError, OSError) as error:
            sentence = str(error).partition("\n")[0]
            raise StoreUnreachable(
                f"{self.where} did not serve {name!r}: {sentence}.",
                hint="Check the path or the credentials, then run again.",
            ) from error


def open_store(where: str | Path) -> ObjectStore | FolderStore:
    """Open a store by what it is called: "memory", a folder, or a URL (s3://, gs://, az://, file://).

    Raises:
        StoreUnreachable: the folder cannot be made, or the URL names no store.

    Example:
        >>> store = open_store("memory")
        >>> store.put("greeting", b"hello")
        >>> store.get("greeting", limit=100)
        b'hello'
    """
    text = str(where)
    if text == "memory":
        return ObjectStore(MemoryStore(), "memory")
    scheme, separator, _ = text.partition("://")
    try:
        if separator and scheme != "file":
            if scheme not in _SCHEMES:
                raise StoreUnreachable(f"No store speaks {scheme}://.", hint=f"Known: {', '.join(_SCHEMES)}.")
            return ObjectStore(from_url(text), text)
        folder = Path(text.removeprefix("file://")).expanduser().resolve()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FolderStore(folder)
    except (exceptions.BaseError, OSError, ValueError) as error:
        raise StoreUnreachable(
            f"The store {text!r} cannot be opened: {str(error).partition(chr(10))[0]}.",
            hint="Check the path or the URL.",
        ) from error
