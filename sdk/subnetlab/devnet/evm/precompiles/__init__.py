"""The contracts that the chain itself answers, by address.

The table replaces that of Ethereum: what is not in it is an ordinary account. Each subject has a module that
says what its functions dispatch or read, in the words of `words.py`; `engine.py` joins them with the engine.
"""

from collections.abc import Callable, Mapping

from eth.abc import ComputationAPI

from subnetlab.devnet.evm.precompiles.engine import table

TABLE: Mapping[bytes, Callable[[ComputationAPI], ComputationAPI]] = table()
"""By 20-byte address."""
