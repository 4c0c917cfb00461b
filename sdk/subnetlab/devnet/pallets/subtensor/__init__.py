"""SubtensorModule, one module per topic; importing this package enters its calls and hooks.

What pallets share: `entries` (storage, events, errors by name), `money` (TAO in and out of subnets),
`share_pool` (who holds stake), `trading` (TAO for alpha and back), `schedule` (when epochs fall), `keys` (who
owns what), `limits` (how often), `uids` (slots), `stake_weight`. Each other module is the calls of its name.
"""

from subnetlab.devnet.pallets.subtensor import auto_stake as auto_stake
from subnetlab.devnet.pallets.subtensor import burn_price as burn_price
from subnetlab.devnet.pallets.subtensor import children as children
from subnetlab.devnet.pallets.subtensor import coinbase as coinbase
from subnetlab.devnet.pallets.subtensor import commit_reveal as commit_reveal
from subnetlab.devnet.pallets.subtensor import destroying as destroying
from subnetlab.devnet.pallets.subtensor import evm_key as evm_key
from subnetlab.devnet.pallets.subtensor import identity as identity
from subnetlab.devnet.pallets.subtensor import moving as moving
from subnetlab.devnet.pallets.subtensor import registration as registration
from subnetlab.devnet.pallets.subtensor import schedule as schedule
from subnetlab.devnet.pallets.subtensor import serving as serving
from subnetlab.devnet.pallets.subtensor import staking as staking
from subnetlab.devnet.pallets.subtensor import subnet as subnet
from subnetlab.devnet.pallets.subtensor import swap_hotkey as swap_hotkey
from subnetlab.devnet.pallets.subtensor import symbols as symbols
from subnetlab.devnet.pallets.subtensor import take as take
from subnetlab.devnet.pallets.subtensor import weights as weights
