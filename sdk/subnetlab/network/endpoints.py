"""The names a network goes by, and where it answers.

`devnet` has no endpoint of its own: the embedded node says where it listens once it runs. The public
endpoints are those of the bittensor SDK; a test holds the two together.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from subnetlab.errors import NetworkError, NodeUnreachable, UnknownNetwork
from subnetlab.membership import membership_for, not_in_class

DEVNET = "devnet"
"""The embedded node."""

ENDPOINTS = {
    "local": "ws://127.0.0.1:9944",
    "test": "wss://test.finney.opentensor.ai:443",
    "finney": "wss://entrypoint-finney.opentensor.ai:443",
}
"""Where the named networks answer."""

_PLAY_MONEY: Final = ("Development", "Local")
"""What `system_chainType` says where money is play money."""

_REAL_GENESES: Final = (
    "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03",
    "0x8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105",
)
"""The first blocks of mainnet and testnet: a signature for them is worth something in every client."""

_OTHER_NAMES = {"testnet": "test", "mainnet": "finney", "main": "finney", "localnet": "local", "dev": DEVNET}
"""What the networks are called elsewhere; named in the refusal, never connected to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network by name; `endpoint` is None for the embedded devnet, which has to be started first."""

    name: str
    endpoint: str | None


def resolve(name: str = DEVNET) -> Network:
    """Find a network by name, or take a `ws://` or `wss://` endpoint as it is.

    Raises:
        UnknownNetwork: neither a known name nor an endpoint with a host.

    Example:
        >>> resolve("local").endpoint
        'ws://127.0.0.1:9944'
    """
    if name == DEVNET:
        return Network(name=DEVNET, endpoint=None)
    if name in ENDPOINTS:
        return Network(name=name, endpoint=ENDPOINTS[name])
    for known, endpoint in ENDPOINTS.items():
        if name.rstrip("/") == endpoint:
            return Network(name=known, endpoint=endpoint)
    try:
        parts = urlsplit(name)
        valid = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or any(letter.isspace() for letter in name):
        raise UnknownNetwork(f"There is no network called {name!r}.", hint=_hint(name))
    return Network(name=name, endpoint=name)


def play_money(chain_type: str, genesis: str) -> bool:
    """Whether money is play money on a chain, by what it says itself and never by its name or endpoint.

    A node in the way could call mainnet a development chain to go unasked. It cannot give it another first
    block: every signature covers that.

    Args:
        chain_type: what `system_chainType` answers; empty where the node does not, which is taken for real.
        genesis: the hash of the first block, `0x…`.
    """
    return chain_type in _PLAY_MONEY and genesis.lower() not in _REAL_GENESES


def unreachable(endpoint: str, why: object, *, status: int | None = None) -> NetworkError:
    """The error of a node that does not answer, or of a class that does not know this student any more.

    Args:
        endpoint: where it was asked.
        why: what the connection said.
        status: of HTTP, where it was refused.
    """
    member = membership_for(endpoint)
    if member is not None and status == HTTPStatus.UNAUTHORIZED:
        return not_in_class(member)
    return NodeUnreachable(f"Nothing answers at {endpoint} ({why}).", hint=offline_hint(endpoint))


def offline_hint(endpoint: str) -> str:
    """What to do where nothing answers at an endpoint: public networks and classes start elsewhere."""
    if membership_for(endpoint) is not None:
        return (
            "This is the chain of a class: it has ended, or this machine does not reach it; ask your teacher."
        )
    name = next((name for name, known in ENDPOINTS.items() if known == endpoint), "")
    if name in ("test", "finney"):
        return f"Check this machine's way to the internet; {name} may also be down for a moment."
    return NodeUnreachable.hint


def with_scheme(text: str, scheme: str = "http") -> str:
    """The address that was meant by a host, with its port or path, and no `http://`; empty where it is none.

    Args:
        text: what was typed.
        scheme: what belongs before it.
    """
    bare = text.removeprefix("//")
    if "://" in bare or any(letter.isspace() for letter in bare):
        return ""
    try:
        parts = urlsplit(f"{scheme}://{bare}")
        host = parts.hostname or ""
        named = (host[:1].isalnum() and ("." in host or host == "localhost" or parts.port)) or ":" in host
    except ValueError:
        return ""
    return f"{scheme}://{bare}" if named else ""


def _hint(name: str) -> str | None:
    if node := with_scheme(name, "ws"):
        return f'Write "{node}" for a node, or "{with_scheme(name)}" with a code for a class.'
    meant = _OTHER_NAMES.get(name.lower())
    close = [meant] if meant else get_close_matches(name.lower(), (DEVNET, *ENDPOINTS), n=1)
    return f'Did you mean "{close[0]}"? {UnknownNetwork.hint}' if close else None
