"""The token that opens `dev_` methods: every user of a machine reaches its ports, one may move the time.

It is sent as `Authorization: Bearer …` with the POST or the WebSocket handshake. Clients of the same user
find it by the node's port, in a file that only they can read; it is printed nowhere.
"""

import contextlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from subnetlab.errors import TokenFileInvalid
from subnetlab.record.lock import locked_folder, take_lock
from subnetlab.settings import dev_token_file

_LONGEST = 4096


def new() -> str:
    """A new random token."""
    return secrets.token_urlsafe(32)


class PublishedToken:
    """The file by which clients find a token; it is locked while the node lives and removed at its end."""

    def __init__(self, port: int, token: str) -> None:
        """Write the file of a port that this process has opened.

        Raises:
            OSError: it cannot be written.
        """
        self._path = dev_token_file(port)
        folder = self._path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self._path.with_name(f".{port}.{os.getpid()}")
        with locked_folder(folder):
            beside.unlink(missing_ok=True)
            self._descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            take_lock(self._descriptor)
            os.write(self._descriptor, token.encode())
            beside.replace(self._path)

    def close(self) -> None:
        """Remove the file, unless another node's has taken its place."""
        with locked_folder(self._path.parent), contextlib.suppress(OSError):
            if os.path.samestat(self._path.stat(), os.fstat(self._descriptor)):
                self._path.unlink()
        os.close(self._descriptor)


def read_or_create(path: Path) -> str:
    """The token of the file, made first where there is none.

    Raises:
        TokenFileInvalid: others can read it, it is empty, or it cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        raise TokenFileInvalid(f"{path} cannot be made: {error.strerror}.") from error
    token = new()
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(token)
    return token


def _read(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, encoding="utf-8") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
                raise TokenFileInvalid(f"{path} can be read by others, or is no plain file.")
            token = file.read(_LONGEST).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TokenFileInvalid(f"{path} cannot be read: {error}.") from error
    if not token:
        raise TokenFileInvalid(f"{path} is empty.")
    return token


def opens(token: str, authorization: str | None) -> bool:
    """Whether a request's Authorization header carries the token."""
    sent = (authorization or "").encode(errors="replace")
    return hmac.compare_digest(sent, f"Bearer {token}".encode())
