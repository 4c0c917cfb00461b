"""`eth_` methods about what gas costs: now, in the past, and what others tipped."""

from subnetlab.devnet.node.ethereum_history import Full
from subnetlab.devnet.pallets.base_fee import base_fee
from subnetlab.devnet.rpc.connection import Connection
from subnetlab.devnet.rpc.ethereum.parameters import height, internal, quantity
from subnetlab.devnet.rpc.method import Parameters, invalid_params, method
from subnetlab.devnet.rpc.service import Service

MOST_BLOCKS = 1024
_TIP_BLOCKS, _TIP_PERCENTILE = 20, 60.0


@method("eth_gasPrice")
def gas_price(service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The base fee of the next block, in wei."""
    return hex(base_fee(service.node.ledger.at(service.node.blocks.head.number)))


@method("eth_maxPriorityFeePerGas")
def max_priority_fee(service: Service, _parameters: Parameters, _connection: Connection) -> str:
    """The least of what most of the last blocks' transactions tipped, in wei."""
    head, busy = service.history.head, service.history.busy
    newest = busy[-_TIP_BLOCKS:]
    if len(newest) < _TIP_BLOCKS or newest[0] <= head - _TIP_BLOCKS:  # one of the last blocks is empty
        return hex(0)
    found = [service.history.full(number) for number in newest]
    return hex(min((reward(full, _TIP_PERCENTILE) for full in found if full is not None), default=0))


@method("eth_feeHistory")
def fee_history(service: Service, parameters: Parameters, _connection: Connection) -> dict[str, object]:
    """Base fees, loads and tips of some blocks, and the base fee that follows them."""
    count = min(quantity(parameters.get(0), 0), MOST_BLOCKS)
    newest = height(service.history, parameters.get(1), 1)
    if newest is None or count == 0:
        raise internal("Block range out of bounds.")
    listed = [] if parameters.get(2) is None else parameters.list(2)
    if not all(isinstance(one, int | float) and 0 <= one <= 100 for one in listed):
        raise invalid_params("invalid value at position 2: expected percentiles")
    oldest = max(newest - count + 1, 0)
    found = [service.history.full(number) for number in range(oldest, newest + 1)]
    fulls = [full for full in found if full is not None]
    if len(fulls) < len(found):
        raise internal("Block range out of bounds.")
    after = service.history.ledger(newest)
    following = [] if after is None else [hex(base_fee(after))]
    answer: dict[str, object] = {
        "oldestBlock": hex(oldest),
        "baseFeePerGas": [*(hex(full.base_fee) for full in fulls), *following],
        "gasUsedRatio": [full.block.header.gas_used / full.block.header.gas_limit for full in fulls],
    }
    if listed:
        answer["reward"] = [[hex(reward(full, one)) for one in listed] for full in fulls]
    return answer


def reward(full: Full, percentile: float) -> int:
    """The tip a gas at a percentile of a block's gas, in wei; 0 of an empty block."""
    tips = sorted(
        (one.price(full.base_fee) - full.base_fee, full.gas_used(index))
        for index, one in enumerate(full.block.transactions)
    )
    threshold, passed = full.block.header.gas_used * percentile / 100, 0
    for tip, gas in tips:
        passed += gas
        if passed >= threshold:
            return tip
    return tips[-1][0] if tips else 0
