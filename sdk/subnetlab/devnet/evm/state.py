"""The state that one transaction's frames run on: py-evm's Prague state over the chain's ledger.

Precompiles reach the chain by `computation.state.ledger`. A frame's revert undoes what they dispatched.
"""

from collections.abc import Callable
from typing import Any

from eth.abc import ExecutionContextAPI
from eth.constants import BLANK_ROOT_HASH
from eth.vm.forks.prague.state import PragueState
from eth_typing import Hash32

from subnetlab.devnet.chain.codec import array_of, limbs
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.accounts import AccountDatabase
from subnetlab.devnet.evm.computation import Computation


class State(PragueState):
    """One transaction's view of the chain; the next transaction gets another."""

    computation_class = Computation
    account_db_class = AccountDatabase
    _account_db: AccountDatabase

    def __init__(
        self, ledger: Ledger, context: ExecutionContextAPI, pause: Callable[[], None] | None = None
    ) -> None:
        """Run on a ledger; `pause` is called where a long computation may be put off or ended."""
        self.ledger = ledger
        """The chain, as pallets and precompiles see it."""
        self.pause = ledger.pause if pause is None else pause
        database: Any = ledger
        super().__init__(database, context, BLANK_ROOT_HASH)

    @property
    def accounts(self) -> AccountDatabase:
        """The accounts, with what is the chain's own about them."""
        return self._account_db

    def set_system_contracts(self) -> None:
        """None: the chain has no beacon roots and no history contract."""

    def get_ancestor_hash(self, block_number: int) -> Hash32:
        """The Ethereum block hash of a height that the chain still remembers, else zeros."""
        if block_number >= 1 << 32:
            return Hash32(bytes(32))
        return Hash32(array_of(self.ledger.get("Ethereum", "BlockHash", limbs(block_number))))

    def is_address_warm(self, address: bytes) -> bool:
        """Whether the transaction has touched an address; precompiles always count."""
        return self.accounts.is_address_warm(address) or address in Computation.get_precompiles()
