"""From what a store is called to the store: memory, a folder, a bucket, or an http(s) mirror to read from."""

import configparser
import os
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from obstore import exceptions
from obstore.store import AzureStore, GCSStore, MemoryStore, S3Store

from subnetlab.errors import StoreAddressInvalid, StoreUnreachable
from subnetlab.membership import membership_for
from subnetlab.store import address
from subnetlab.store.address import Address
from subnetlab.store.base import Store
from subnetlab.store.bucket import ObjectStore
from subnetlab.store.class_place import ClassPlace
from subnetlab.store.folder import FolderStore
from subnetlab.store.mirror import Mirror
from subnetlab.store.patience import USUAL, Patience

_FROM_PROFILE: Final = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
    "region": "region",
    "endpoint_url": "endpoint",
}
_CONNECT: Final = timedelta(seconds=5)


class ReadOnlyStore(Mirror):
    """A mirror where a store is expected: what is put is refused."""

    def put(self, name: str, data: bytes) -> None:
        """Nothing can be put here.

        Raises:
            StoreUnreachable: always.
        """
        del data
        raise StoreUnreachable(
            f"{self.where} is read-only: {name!r} was not written.",
            hint="Give the address of a bucket or a folder of your own.",
        )


def open_store(where: str | Path, *, profile: str = "", patience: Patience = USUAL) -> Store:
    """Open a store by its address; nothing is sent to a bucket yet.

    Args:
        where: "memory", a folder, `s3://bucket/prefix?endpoint=…&region=…`, `gs://bucket/prefix`,
            `az://container/prefix?account=…`, or `https://host/path`, which is read-only unless it is one's
            own place in a class. `anonymous=true` reads a public bucket without a key. R2 and others that
            speak S3 are `s3://` with their endpoint.
        profile: of the AWS configuration files (`~/.aws/credentials` and `~/.aws/config`), for s3://. By
            default the environment says who one is: `AWS_ACCESS_KEY_ID` and the like, `AWS_PROFILE`,
            `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_STORAGE_ACCOUNT_KEY`.
        patience: how long the store may be away.

    Raises:
        StoreAddressInvalid: the text names no store, or holds credentials; or there is no such profile.
        StoreUnreachable: the folder cannot be made.

    Example:
        >>> store = open_store("memory")
        >>> store.put("greeting", b"hello")
        >>> store.get("greeting", limit=100)
        b'hello'
    """
    found = address.parse(where)
    match found.scheme:
        case "memory":
            return ObjectStore(MemoryStore(), "memory", patience=patience)
        case "file":
            return _folder(found)
        case "http" | "https" if membership_for(str(found)) is not None:
            return ClassPlace(str(found), patience=patience)
        case "http" | "https":
            return ReadOnlyStore(str(found), local=True, patience=patience)
        case _:
            return _bucket(found, profile, patience)


def _folder(found: Address) -> FolderStore:
    folder = Path(found.path)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnreachable(
            f"The store {found.path!r} cannot be opened: {error.strerror or error}.", hint="Check the path."
        ) from error
    return FolderStore(folder)


def _bucket(found: Address, profile: str, patience: Patience) -> ObjectStore:
    config: dict[str, Any] = {}
    if found.scheme == "s3":
        config |= _profile(profile or _default_profile())
    options = dict(found.options)
    if options.pop("anonymous", "") == "true":
        config["skip_signature"] = True
    if "account" in options:
        options["account_name"] = options.pop("account")
    config |= options
    opened: dict[str, Any] = {
        "prefix": found.path or None,
        "config": config,
        "client_options": {
            "timeout": timedelta(seconds=patience.request_s), "connect_timeout": _CONNECT,
            "allow_http": str(config.get("endpoint", "")).startswith("http://"),
        },
        "retry_config": {"max_retries": 0, "retry_timeout": timedelta(seconds=patience.request_s)},
    }  # fmt: skip
    kinds: dict[str, Any] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
    try:
        backend = kinds[found.scheme](found.host, **opened)
    except (exceptions.BaseError, OSError, ValueError) as error:
        sentence = str(error).partition("\n")[0]
        raise StoreAddressInvalid(f"The store {str(found)!r} cannot be opened: {sentence}.") from None
    return ObjectStore(backend, str(found), patience=patience, trusted=found.scheme != "s3")


def _default_profile() -> str:
    """The profile of the environment; a key there comes first, as with AWS's tools."""
    return "" if os.environ.get("AWS_ACCESS_KEY_ID") else os.environ.get("AWS_PROFILE", "")


def _profile(name: str) -> dict[str, str]:
    """Credentials and place of a profile, as obstore calls them.

    Raises:
        StoreAddressInvalid: neither file has it.
    """
    if not name:
        return {}
    home = Path.home() / ".aws"
    files = (
        (Path(os.environ.get("AWS_CONFIG_FILE", home / "config")), f"profile {name}"),
        (Path(os.environ.get("AWS_CONFIG_FILE", home / "config")), name),
        (Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", home / "credentials")), name),
    )
    found: dict[str, str] = {}
    for file, section in files:
        read = configparser.RawConfigParser(default_section="")
        try:
            read.read(file, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            raise StoreAddressInvalid(
                f"{file} cannot be read as profiles.", hint="Check the file; its lines are not shown here."
            ) from None
        if read.has_section(section):
            items = dict(read.items(section))
            found |= {_FROM_PROFILE[key]: value for key, value in items.items() if key in _FROM_PROFILE}
    if not found:
        raise StoreAddressInvalid(
            f"No profile is called {name!r} in ~/.aws/credentials or ~/.aws/config.",
            hint="Write one as AWS's tools do, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    return found
