"""What runs contracts, as the rest of the node sees it; the engine itself is loaded on first use.

An engine changes a ledger and says how it went. It knows no transaction pool, no block and no JSON-RPC.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from subnetlab.devnet.chain import fees
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.transaction import AccessList, Authorization

BLOCK_GAS_LIMIT = 75_000_000
REF_TIME_PER_GAS = fees.REF_TIME_PER_GAS


class Message(NamedTuple):
    """What an account asks for: a call, or with no target a creation."""

    sender: bytes
    to: bytes | None = None
    data: bytes = b""
    value: int = 0
    """Wei."""
    gas_limit: int = BLOCK_GAS_LIMIT
    gas_price: int = 0
    """Wei a gas that the sender pays, the tip included."""
    access_list: AccessList = ()
    authorizations: tuple[Authorization, ...] = ()
    salt: bytes | None = None
    """Names the created contract by its code (CREATE2) instead of by the sender's nonce."""


class Log(NamedTuple):
    """An event of a contract."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes

    def event_fields(self) -> dict[str, Any]:
        """The same as the codec encodes it."""
        topics = ["0x" + topic.hex() for topic in self.topics]
        return {"address": "0x" + self.address.hex(), "topics": topics, "data": self.data}


class Outcome(NamedTuple):
    """How a message went."""

    reason: Any
    """An `ExitReason` as the codec has it, such as `{"Succeed": "Returned"}`."""
    output: bytes
    gas_used: int
    logs: tuple[Log, ...] = ()
    contract: bytes | None = None
    """The created contract's address."""

    @property
    def succeeded(self) -> bool:
        """Whether its changes stay."""
        return "Succeed" in self.reason

    @property
    def reverted(self) -> bool:
        """Whether the code itself refused."""
        return "Revert" in self.reason


Pause = Callable[[], None]


class EvmEngine(Protocol):
    """Runs messages on a ledger."""

    def run(self, ledger: Ledger, message: Message, pause: Pause) -> Outcome:
        """Run a message whose fee is paid; `pause` may put it off or end it."""
        ...


def engine() -> EvmEngine:
    """The engine, loaded when it is first asked for."""
    from subnetlab.devnet.evm.prague import Prague  # noqa: PLC0415 - it takes most of a second to load

    return Prague()
