"""One module per pallet; importing this package enters all of them into the registry."""

from subnetlab.devnet.pallets import admin_utils as admin_utils
from subnetlab.devnet.pallets import balances as balances
from subnetlab.devnet.pallets import base_fee as base_fee
from subnetlab.devnet.pallets import commitments as commitments
from subnetlab.devnet.pallets import ethereum as ethereum
from subnetlab.devnet.pallets import evm as evm
from subnetlab.devnet.pallets import mev_shield as mev_shield
from subnetlab.devnet.pallets import subtensor as subtensor
from subnetlab.devnet.pallets import sudo as sudo
from subnetlab.devnet.pallets import swap as swap
from subnetlab.devnet.pallets import system as system
from subnetlab.devnet.pallets import timestamp as timestamp
from subnetlab.devnet.pallets import transaction_payment as transaction_payment
from subnetlab.devnet.pallets import utility as utility
