"""The people a host gives kernels to: each has a token, a folder and, where root hosts, a system user.

    FOLDER/tokens/NAME.token      0600, of the host: what opens the kernels of NAME
    FOLDER/users/NAME/            0700, of NAME: HOME of its kernels; .subnetlab below it holds runs and nodes
    FOLDER/connections/, logs/    of the host; each connection file is of its user, who cannot replace it

Where root hosts, it writes nothing below a person's folder once that is theirs: links there lead anywhere.
Without root all kernels run as the host's own system user. Then a person finds nothing of the others by the
names that SubnetLab uses, but may read their files on purpose; `host` says so when it starts.
"""

import os
import re
import secrets
import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from subnetlab.errors import HostError
from subnetlab.fleet.run_folder import LOCK_FILE
from subnetlab.record.files import write_private
from subnetlab.record.lock import try_lock

FIRST_UID: Final = 61_184
"""systemd's range of dynamic users begins here; it has no accounts and no files."""
MOST_USERS: Final = 200
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "VIRTUAL_ENV", "PYTHONPATH", "JUPYTER_PATH")
"""What kernels get of the host's environment; the rest may hold secrets."""
_TOKEN_BYTES: Final = 32
_MOST_RUNS: Final = 1000
_PARTS: Final = ("users", "connections", "logs", "tokens", "empty")
_THROUGH: Final = ("users", "connections")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedUser:
    """One person."""

    name: str
    folder: Path
    """HOME of the kernels."""
    token: str
    uid: int | None
    """The system user of the kernels, None for the host's own."""

    def __repr__(self) -> str:
        return f"<hosted user {self.name}>"

    @property
    def connections(self) -> Path:
        """Where connection files lie."""
        return self.folder.parent.parent / "connections"

    @property
    def log(self) -> Path:
        """What kernels print beside their messages."""
        return self.folder.parent.parent / "logs" / f"{self.name}.log"

    def environment(self) -> dict[str, str]:
        """The environment of this person's kernels."""
        home = str(self.folder)
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "HOME": home,
            "USER": self.name,
            "LOGNAME": self.name,
            "TMPDIR": str(self.folder / ".tmp"),
            "SUBNETLAB_HOME": str(self.folder / ".subnetlab"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / ".runtime"),
            "JUPYTER_DATA_DIR": str(self.folder / ".jupyter"),
            "JUPYTER_CONFIG_DIR": str(self.folder / ".jupyter"),
            "IPYTHONDIR": str(self.folder / ".ipython"),
            "KERNEL_GATEWAY": "1",
        }

    def trains(self) -> bool:
        """Whether a run of this person goes on."""
        runs = self.folder / ".subnetlab" / "runs"
        try:
            found = list(islice(runs.iterdir(), _MOST_RUNS))
        except OSError:
            return False
        return any(_is_locked(path / LOCK_FILE) for path in found)


def _is_locked(path: Path) -> bool:
    """Whether a file is locked by a living process; anything but a file is not, and is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and not try_lock(descriptor)
    finally:
        os.close(descriptor)


def prepare(
    folder: Path, names: Sequence[str], *, separate: bool, token_file: Path | None
) -> list[HostedUser]:
    """Make the folders and tokens of some people; tokens that are there stay.

    Args:
        folder: of the host.
        names: of the people.
        separate: whether each gets a system user of its own, which takes root.
        token_file: holds the token of the only person, or will.

    Raises:
        HostError: a name cannot be one of a folder, or a token or a folder cannot be used.
    """
    _check(names, token_file)
    try:
        # Others may go through a folder that holds what is theirs, and list none.
        for path, through in ((folder, True), *((folder / name, name in _THROUGH) for name in _PARTS)):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o711 if through and separate else 0o700)
        return [_prepared(folder, name, separate, token_file) for name in names]
    except OSError as error:
        raise HostError(
            f"The host's folder cannot be used: {error}.", hint="Name another with --folder."
        ) from error


def _check(names: Sequence[str], token_file: Path | None) -> None:
    wrong = [name for name in names if not _NAME.fullmatch(name)]
    if wrong:
        raise HostError(
            f"{wrong[0][:60]!r} is no name of a user.",
            hint="Take small letters, digits, - and _; a letter first.",
        )
    if not 0 < len(set(names)) == len(names) <= MOST_USERS:
        raise HostError(
            f"A host has 1 to {MOST_USERS} users, each named once.", hint="Give each user a name of its own."
        )
    if token_file is not None and len(names) > 1:
        raise HostError("--token-file holds one token, for one user.", hint="Leave it out: each gets a file.")


def _prepared(folder: Path, name: str, separate: bool, token_file: Path | None) -> HostedUser:
    own = folder / "users" / name
    is_new = not own.exists()
    own.mkdir(mode=0o700, exist_ok=True)
    uid = _uid_of(own, folder / "users") if separate else None
    if is_new:
        for path in (*(own / part for part in (".runtime", ".tmp", ".subnetlab")), own):
            path.mkdir(mode=0o700, exist_ok=True)
            if uid is not None:
                shutil.chown(path, uid, uid)
    return HostedUser(
        name=name, folder=own, token=_token(token_file or folder / "tokens" / f"{name}.token"), uid=uid
    )


def _uid_of(own: Path, users: Path) -> int:
    """The uid that a folder belongs to already, else one that no folder belongs to."""
    present = own.stat().st_uid
    if present >= FIRST_UID:
        return present
    taken = {path.stat().st_uid for path in users.iterdir()}
    return next(uid for uid in range(FIRST_UID, FIRST_UID + 2 * MOST_USERS) if uid not in taken)


def _token(path: Path) -> str:
    """The token in a file that is this user's alone; a new one where there is no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        write_private(path, token + "\n")
        return token
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        found = os.fstat(descriptor)
        if found.st_mode & 0o077 or found.st_uid != os.geteuid():
            raise HostError(f"Others may read {path}.", hint="chmod 600 it, and better change the token.")
        token = file.read(1000).strip()
    if len(token) < _TOKEN_BYTES or not re.fullmatch(r"[\w.~-]+", token, re.ASCII):
        raise HostError(
            f"{path} holds no token of {_TOKEN_BYTES} letters or more.", hint="Delete it: a new one is made."
        )
    return token
