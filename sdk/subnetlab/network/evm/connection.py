"""web3.py on a network: the same object on a node of this machine, on testnet (945) and on mainnet (964).

Our node answers web3 over HTTP and WebSocket on the port where it answers everything else, and so does any
node of Subtensor; the public networks have addresses of their own for it. Before it is handed out, the chain
that answers is compared with the one that the SDK's connection is on: a transaction signed for one chain must
not be sent to another.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from bittensor.evm import EVM_NETWORKS

from subnetlab.errors import ChainRejected, NodeUnreachable, NotYetSupported, WrongChain
from subnetlab.membership import headers_for
from subnetlab.network.endpoints import unreachable
from subnetlab.network.evm.reverts import revert_reason

if TYPE_CHECKING:
    from web3 import Web3

_PUBLIC: Final = ("finney", "test")
_HTTP: Final = {"ws": "http", "wss": "https"}


def http_endpoint(name: str, endpoint: str) -> str:
    """Where web3 reaches a network over HTTP.

    Args:
        name: of the network.
        endpoint: where its node answers, `ws://host:port`.

    Example:
        >>> http_endpoint("devnet", "ws://127.0.0.1:9944")
        'http://127.0.0.1:9944'
    """
    if name in _PUBLIC:
        return EVM_NETWORKS[name].rpc_url
    parts = urlsplit(endpoint)
    return urlunsplit(parts._replace(scheme=_HTTP.get(parts.scheme, parts.scheme)))


def connected(name: str, endpoint: str, *, answer_s: float, chain_id: Callable[[], int]) -> "Web3":
    """A web3 object that is connected to the chain it is meant for.

    Args:
        name: of the network.
        endpoint: where its node answers, `ws://host:port`.
        answer_s: how long it may take to answer one question.
        chain_id: the chain's id as its storage has it, read over the SDK's connection.

    Raises:
        WrongChain: what answers is another chain.
        NotYetSupported: the node answers nothing of the EVM.
        NodeUnreachable: nothing answers.
    """
    from web3 import HTTPProvider, Web3  # noqa: PLC0415  (a second to load; only where it is used)

    url = http_endpoint(name, endpoint)
    options: dict[str, Any] = {"timeout": answer_s}
    if who := headers_for(url):
        options["headers"] = {"Content-Type": "application/json", **who}
    w3 = Web3(HTTPProvider(url, request_kwargs=options))
    try:
        with translated(url):
            answered = w3.eth.chain_id
    except ChainRejected as error:
        raise NotYetSupported(
            f"The node at {url} does not answer for the EVM: {error.args[0]}",
            hint="Use another node of this network, or net.client for everything else.",
        ) from error
    expected = chain_id()
    if answered != expected:
        raise WrongChain(f"The EVM at {url} is chain {answered}, and {name} is chain {expected}.")
    return w3


@contextmanager
def translated(url: str) -> Generator[None]:
    """Turn whatever web3.py raises inside the block into SubnetLab's errors.

    Raises:
        ChainRejected: a contract or the node refused; `code` is `Reverted` or `Rpc`.
        NodeUnreachable: nothing answers, or not in time.
    """
    from requests.exceptions import RequestException  # noqa: PLC0415
    from web3.exceptions import TimeExhausted, Web3Exception  # noqa: PLC0415

    try:
        yield
    except TimeExhausted as error:
        raise NodeUnreachable(
            f"It may be in the pool of {url}, but no block took it in time.",
            hint="Where blocks are sealed by hand, seal one; look at the balance before trying again.",
        ) from error
    except (RequestException, OSError) as error:
        answered = error.response if isinstance(error, RequestException) else None
        status = None if answered is None else answered.status_code
        raise unreachable(url, type(error).__name__, status=status) from error
    except Web3Exception as error:
        raise rejected(error) from error


def rejected(error: BaseException) -> ChainRejected:
    """A refusal of the EVM in words."""
    reason = revert_reason(error)
    if reason is not None:
        return ChainRejected(
            f"The contract refused it: {reason}.",
            pallet="EVM",
            code="Reverted",
            hint="The reason is the contract's own: look where its code says so.",
        )
    response: Any = getattr(error, "rpc_response", None)
    told = response.get("error") if isinstance(response, dict) else None
    words = str(told.get("message")) if isinstance(told, dict) else str(error)
    return ChainRejected(
        f"The node refused it: {words.strip().rstrip('.')}.",
        pallet="EVM",
        code="Rpc",
        hint="Check value, gas and nonce; net.balance(key) says what the key holds.",
    )
