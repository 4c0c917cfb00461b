"""The tables that pallets and runtime APIs register themselves in, and the words they share.

`@call` functions receive `(ledger, origin, **decoded arguments)`, `@runtime_api` functions
`(ledger, *decoded arguments)`, hooks `(ledger)`. What is absent from a table is answered honestly:
`System.CallFiltered` for a call, the type's zero value for a runtime API.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Origin(NamedTuple):
    """`RawOrigin`: an account (ss58), root, an Ethereum transaction's sender, or none (an inherent)."""

    account: str | None = None
    root: bool = False
    ethereum: bytes | None = None
    """The address that signed an Ethereum transaction."""


ROOT = Origin(root=True)
NONE = Origin()


class DispatchError(Exception):
    """A call failed; its storage changes and events are dropped.

    `pallet` is a pallet's name, or `Token`, `Arithmetic`, or `BadOrigin` (then `name` is empty).
    """

    def __init__(self, pallet: str, name: str = "") -> None:
        """Keep the names that the metadata's error tables know."""
        super().__init__(f"{pallet}.{name}" if name else pallet)
        self.pallet, self.name = pallet, name


def ensure_signed(origin: Origin) -> str:
    """The signer's ss58 address.

    Raises:
        DispatchError: BadOrigin for root and inherents.
    """
    if origin.account is None:
        raise DispatchError("BadOrigin")
    return origin.account


def ensure_root(origin: Origin) -> None:
    """Pass for root alone.

    Raises:
        DispatchError: BadOrigin for anybody else.
    """
    if not origin.root:
        raise DispatchError("BadOrigin")


CallFunction = Callable[..., None]
ApiFunction = Callable[..., Any]
Hook = Callable[..., None]

CALLS: dict[tuple[str, str], CallFunction] = {}
APIS: dict[tuple[str, str], ApiFunction] = {}
HOOKS: list[tuple[int, Hook]] = []
FINAL_HOOKS: list[tuple[int, Hook]] = []
ADMISSIONS: dict[tuple[str, str], CallFunction] = {}
RAW_APIS: dict[tuple[str, str], Callable[..., bytes]] = {}


def call(pallet: str, *names: str) -> Callable[[CallFunction], CallFunction]:
    """Register a function as the logic of one or more calls of a pallet."""

    def register(function: CallFunction) -> CallFunction:
        for name in names:
            assert (pallet, name) not in CALLS, f"{pallet}.{name} is registered twice"
            CALLS[pallet, name] = function
        return function

    return register


def runtime_api(api: str, *methods: str) -> Callable[[ApiFunction], ApiFunction]:
    """Register a function as the answer of one or more methods of a runtime API."""

    def register(function: ApiFunction) -> ApiFunction:
        for method in methods:
            assert (api, method) not in APIS, f"{api}_{method} is registered twice"
            APIS[api, method] = function
        return function

    return register


def raw_api(api: str, *methods: str) -> Callable[[Callable[..., bytes]], Callable[..., bytes]]:
    """Register a function `(ledger, argument bytes) -> answer bytes`, where the codec's types do not help."""

    def register(function: Callable[..., bytes]) -> Callable[..., bytes]:
        for method in methods:
            assert (api, method) not in RAW_APIS, f"{api}_{method} is registered twice"
            RAW_APIS[api, method] = function
        return function

    return register


def admission(pallet: str, *names: str) -> Callable[[CallFunction], CallFunction]:
    """Register a function that may refuse a call before it reaches the pool.

    It receives `(ledger, signer, **decoded arguments)` and raises `transaction_error.custom(name)`. It is
    asked again when the block is built; calls inside other calls are not asked about.
    """

    def register(function: CallFunction) -> CallFunction:
        for name in names:
            assert (pallet, name) not in ADMISSIONS, f"{pallet}.{name} is guarded twice"
            ADMISSIONS[pallet, name] = function
        return function

    return register


def on_initialize(order: int) -> Callable[[Hook], Hook]:
    """Register a function that runs at the start of every block; lower orders run first."""

    def register(function: Hook) -> Hook:
        HOOKS.append((order, function))
        HOOKS.sort(key=lambda entry: entry[0])
        return function

    return register


def on_finalize(order: int) -> Callable[[Hook], Hook]:
    """Register a function that runs at the end of every block; lower orders run first."""

    def register(function: Hook) -> Hook:
        FINAL_HOOKS.append((order, function))
        FINAL_HOOKS.sort(key=lambda entry: entry[0])
        return function

    return register
