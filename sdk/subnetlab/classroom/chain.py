"""The chain of a class: an embedded node by interval, a subnet with the lesson's rules, and keys of its own.

The keys of a development chain are known to everybody, alice's among them, which may do anything as root. So
a class takes the money out of those accounts and hands root to a key that only its own process holds: no
student can mint, move another's money or change a rule. Blocking calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import bittensor
from bittensor import calls
from bittensor_core import Keypair

from subnetlab.lab.creation import checked_name, create
from subnetlab.lab.embedded import EmbeddedNode
from subnetlab.lab.preset import Changes
from subnetlab.network.client import NetworkClient
from subnetlab.network.metagraph import MetagraphSnapshot
from subnetlab.network.wallets import DEV_NAMES, DevWallet, dev_keypair
from subnetlab.units import RAO_PER_TAO

OWNER_WALLET: Final = "class"
"""The wallet that owns the subnet; its hotkey `default` announces the run, `validator` judges."""
STUDENT_TAO: Final = 1_000
_OWNER_TAO: Final = 1_000_000
_VALIDATOR_TAO: Final = 20_000
_FUNDED: Final = (*(name.capitalize() for name in reversed(DEV_NAMES)), "One", "Two", "Three")
"""Who has money at genesis."""


@dataclass(slots=True)
class ClassChain:
    """The chain of a class; close it."""

    node: EmbeddedNode
    client: NetworkClient
    netuid: int
    block_s: float
    funded: set[str] = field(default_factory=set[str])
    """Coldkeys of students (ss58) that were given money."""

    @classmethod
    def start(cls, name: str, *, folder: Path, block_s: float) -> "ClassChain":
        """Start the node, create the subnet, and take from the well-known keys what they can do.

        Args:
            name: of the subnet.
            folder: where the class's wallet is made.
            block_s: seconds between two blocks.

        Raises:
            SubnetLabError: the node or the subnet could not be made; nothing is left running.
        """
        name = checked_name(name)
        node = EmbeddedNode("--instant", "--exit-with-parent")
        client = NetworkClient(node.endpoint, name="class")
        try:
            netuid = _made(client, name, _owner(folder))
            client.dev.set_sealing(block_s)
        except BaseException:
            client.close()
            node.close()
            raise
        return cls(node, client, netuid, block_s)

    def fund(self, coldkey: str) -> None:
        """Give a student's coldkey its play money, once."""
        if coldkey not in self.funded:
            self.client.dev.faucet(coldkey, STUDENT_TAO * RAO_PER_TAO)
            self.funded.add(coldkey)

    def pace(self, block_s: float) -> None:
        """Seal a block every so many seconds from now on."""
        self.client.dev.set_sealing(block_s)
        self.block_s = block_s

    def metagraph(self) -> MetagraphSnapshot:
        """The seats of the subnet at the newest block."""
        return self.client.metagraph(self.netuid)

    def close(self) -> None:
        """Stop the node."""
        self.client.close()
        self.node.close()


def wallets_folder(folder: Path) -> Path:
    """Where the class's own wallet lies, below the home that its processes are given."""
    return folder / ".bittensor" / "wallets"


def _owner(folder: Path) -> bittensor.Wallet:
    """The class's wallet, made anew: a coldkey and two hotkeys, on disk for the processes that sign."""
    path = str(wallets_folder(folder))
    wallet = bittensor.Wallet(OWNER_WALLET, path=path)
    wallet.create_new_coldkey(use_password=False, overwrite=True, suppress=True)
    for hotkey in ("default", "validator"):
        made = bittensor.Wallet(OWNER_WALLET, hotkey, path=path)
        made.create_new_hotkey(use_password=False, overwrite=True, suppress=True)
    return bittensor.Wallet(OWNER_WALLET, path=path)


def _made(client: NetworkClient, name: str, owner: bittensor.Wallet) -> int:
    client.dev.faucet(owner.coldkeypub.ss58_address, _OWNER_TAO * RAO_PER_TAO)
    netuid = create(client, name, owner, Changes())
    validator = bittensor.Wallet(OWNER_WALLET, "validator", path=owner.path)
    client.burned_register(netuid, validator)
    client.stake(
        amount_tao=_VALIDATOR_TAO, hotkey_ss58=validator.hotkeypub.ss58_address, netuid=netuid, wallet=owner,
        rate_tolerance=None,
    )  # fmt: skip
    _close_known_accounts(client, owner.coldkeypub.ss58_address, _FUNDED)
    return netuid


def _close_known_accounts(client: NetworkClient, to: str, names: Sequence[str]) -> None:
    """Move the money of the well-known keys, and hand root to a key that is drawn here and kept nowhere."""
    root = Keypair.create_from_mnemonic(Keypair.generate_mnemonic())
    client.submit_call(calls.Sudo.set_key(new=root.ss58_address), wallet="alice")
    for name in names:
        key = dev_keypair(f"//{name}")
        wallet = DevWallet(name=name.lower(), coldkey=key, hotkey=key)
        client.submit_call(calls.Balances.transfer_all(dest=to, keep_alive=False), wallet=wallet)
