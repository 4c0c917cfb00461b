"""The token that opens `dev_` methods on a shared machine: a file that only its owner can read.

It is sent as `Authorization: Bearer …` with the POST or the WebSocket handshake.
"""

import hmac
import os
import secrets
import stat
from pathlib import Path

from subnetlab.errors import TokenFileInvalid


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
    token = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(token)
    return token


def _read(path: Path) -> str:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise TokenFileInvalid(f"{path} can be read by others.")
        token = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise TokenFileInvalid(f"{path} cannot be read: {error.strerror}.") from error
    if not token:
        raise TokenFileInvalid(f"{path} is empty.")
    return token


def opens(token: str | None, authorization: str | None) -> bool:
    """Whether a request's Authorization header carries the token (or none is asked for)."""
    if token is None:
        return True
    return hmac.compare_digest((authorization or "").encode(), f"Bearer {token}".encode())
