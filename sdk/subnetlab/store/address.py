"""What a store is called: an address without a secret, and the locator by which strangers read it.

An address is what its owner types (`s3://bucket/prefix?endpoint=…`); a locator is an https address below
which every object can be read without a key, short enough to lie beside an anchor on chain. Credentials are
in neither: they come from the environment or from a profile of the AWS configuration files.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from subnetlab.errors import PlaceAway, StoreAddressInvalid

LONGEST_LOCATOR: Final = 200
"""Bytes; with both hashes and a list of detours it fits the 384 bytes of a commitment."""

OPTIONS: Final[Mapping[str, frozenset[str]]] = {
    "s3": frozenset({"endpoint", "region", "anonymous"}),
    "gs": frozenset({"anonymous"}),
    "az": frozenset({"account", "endpoint", "anonymous"}),
    "https": frozenset(),
    "http": frozenset(),
}
"""What may follow the question mark, by scheme."""
_LOCATOR: Final = re.compile(r"[A-Za-z0-9._~:/\[\]@%-]+\Z")
_PREFIX: Final = re.compile(r"[A-Za-z0-9._/-]*\Z")
_BUCKET: Final = re.compile(r"[a-z0-9$][a-z0-9._-]{1,62}\Z")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart."""

    scheme: str
    """"memory", "file", "s3", "gs", "az", "https" or "http"."""
    host: str
    """The bucket, the container, or host and port."""
    path: str
    """The prefix, without slashes around it; of a folder the whole path."""
    options: Mapping[str, str]

    def __str__(self) -> str:
        if self.scheme == "memory":
            return "memory"
        if self.scheme == "file":
            return self.path
        query = f"?{urlencode(self.options, safe=':/')}" if self.options else ""
        return f"{self.scheme}://{self.host}{'/' if self.path else ''}{self.path}{query}"

    def below(self, name: str) -> "Address":
        """The address of what lies under a name in the same store.

        Raises:
            StoreAddressInvalid: a store in memory ends with its process and is not shared.
        """
        if self.scheme == "memory":
            raise StoreAddressInvalid("A store in memory is seen by one process alone.")
        return replace(self, path=f"{self.path}/{name}" if self.path else name)

    @property
    def locator(self) -> str:
        """Where others read what is put here; empty for memory.

        Raises:
            StoreAddressInvalid: the address does not say enough, or the locator does not fit on chain.
        """
        found = _READ_AT[self.scheme](self)
        if found:
            checked_locator(found, local=True)
        return found


def parse(where: str | Path) -> Address:
    """Take an address apart.

    Raises:
        StoreAddressInvalid: an unknown scheme or option, no bucket, or credentials in it.
    """
    text = str(where)
    if text == "memory":
        return Address("memory", "", "", {})
    scheme, separator, _ = text.partition("://")
    if not separator or scheme == "file":
        try:
            folder = Path(text.removeprefix("file://")).expanduser().resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise StoreAddressInvalid(f"The folder {text[:60]!r} cannot be found: {error}.") from None
        return Address("file", "", str(folder), {})
    scheme = {"s3a": "s3", "gcs": "gs", "azure": "az"}.get(scheme, scheme)
    if scheme not in OPTIONS:
        raise StoreAddressInvalid(f"No store speaks {scheme[:20]}://.")
    try:
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        host, _port = parts.netloc, parts.port
    except ValueError as error:
        raise StoreAddressInvalid(f"The store's address cannot be read: {error}.") from None
    if "@" in host or unknown_secrets(options):
        # The text itself is not repeated: it may hold a key.
        raise StoreAddressInvalid(
            f"The address of a {scheme}:// store holds credentials.",
            hint="Leave them out: they come from the environment or from a profile (--store-profile).",
        )
    if foreign := sorted(set(options) - OPTIONS[scheme]):
        known = ", ".join(sorted(OPTIONS[scheme])) or "none"
        raise StoreAddressInvalid(f"{scheme}:// has no option {foreign[0][:40]!r}; known: {known}.")
    path = parts.path.strip("/")
    if parts.fragment or not _PREFIX.match(path) or ".." in path.split("/"):
        raise StoreAddressInvalid("The prefix of a store is letters, digits, '.', '_', '-' and '/'.")
    if not (host if scheme.startswith("http") else _BUCKET.match(host)):
        raise StoreAddressInvalid(f"{scheme}:// names no bucket: {host[:64]!r}.")
    return Address(scheme, host, path, options)


def unknown_secrets(options: Mapping[str, str]) -> bool:
    """Whether an option is called as a credential is."""
    words = ("key", "secret", "token", "password", "signature", "credential", "sas")
    return any(word in name.lower() for name in options for word in words)


def checked_locator(text: str, *, local: bool = False) -> str:
    """The locator itself, if it may be followed.

    Args:
        text: from a commitment on chain, so written by a stranger.
        local: whether plain http, folders, and addresses of this machine and its network are allowed too.
            Where they are not, `store.mirror` checks every address again at the moment it connects.

    Raises:
        PlaceAway: too long, another scheme, credentials, a query, or an address that is not public.
    """
    if not text or len(text.encode(errors="replace")) > LONGEST_LOCATOR or not _LOCATOR.match(text):
        raise PlaceAway("A locator is an https address of at most 200 plain characters.", hint="")
    if local and text.startswith("file:///"):
        return text
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise PlaceAway("A locator cannot be read.", hint="") from None
    if parts.scheme not in ({"https", "http"} if local else {"https"}):
        raise PlaceAway(f"A locator is an https address, not {parts.scheme[:20]}://.", hint="")
    if "@" in parts.netloc or not host or ".." in parts.path.split("/") or "%" in text:
        raise PlaceAway("A locator holds no name, no password and no way upwards.", hint="")
    if not local and _is_private_host(host):
        raise PlaceAway(
            "A locator leads into this machine or its network.",
            hint="Allow it with allow_local only where all peers are your own.",
        )
    return text


def checked_announcement(text: str, *, local: bool = False) -> str:
    """The address of a run's store itself, if it may be opened.

    Args:
        text: from the announcement of a subnet's owner on chain, so written by a stranger.
        local: whether folders, plain http and this machine's network are allowed too.

    Raises:
        StoreAddressInvalid: it names no store.
        PlaceAway: a folder of this machine, plain http, or a literal address that is not public.
    """
    found = parse(text)
    endpoint = found.options.get("endpoint", f"{found.scheme}://{found.host}")
    if local or (found.scheme in ("s3", "gs", "az") and "endpoint" not in found.options):
        return text
    checked_locator(endpoint)
    return text


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also one that is packed into another."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


def _is_private_host(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:  # a name: decided when it is resolved
        return host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost")


def _s3(address: Address) -> str:
    endpoint, region = address.options.get("endpoint"), address.options.get("region")
    if endpoint:
        return _joined(f"{endpoint.rstrip('/')}/{address.host}", address.path)
    if not region:
        raise StoreAddressInvalid("The address of the bucket names neither a region nor an endpoint.")
    return _joined(f"https://s3.{region}.amazonaws.com/{address.host}", address.path)


def _azure(address: Address) -> str:
    endpoint, account = address.options.get("endpoint"), address.options.get("account")
    if endpoint:
        return _joined(f"{endpoint.rstrip('/')}/{address.host}", address.path)
    if not account:
        raise StoreAddressInvalid("The address of the container names no account.")
    return _joined(f"https://{account}.blob.core.windows.net/{address.host}", address.path)


def _joined(start: str, path: str) -> str:
    return f"{start}/{path}" if path else start


_READ_AT: Final[Mapping[str, Callable[[Address], str]]] = {
    "memory": lambda _address: "",
    "file": lambda address: f"file://{quote(address.path)}",
    "s3": _s3,
    "gs": lambda address: _joined(f"https://storage.googleapis.com/{address.host}", address.path),
    "az": _azure,
    "https": lambda address: _joined(f"https://{address.host}", address.path),
    "http": lambda address: _joined(f"http://{address.host}", address.path),
}
