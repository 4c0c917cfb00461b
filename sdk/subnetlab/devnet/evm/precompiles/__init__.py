"""The contracts that the chain itself answers, by address.

The table replaces that of Ethereum: what is not in it is an ordinary account. A precompile reads its call
from `computation.msg`, reaches the chain by `computation.state.ledger`, and fails by raising a `VMError`.
"""

from collections.abc import Callable, Mapping

from eth.abc import ComputationAPI

TABLE: Mapping[bytes, Callable[[ComputationAPI], ComputationAPI]] = {}
"""By 20-byte address."""
