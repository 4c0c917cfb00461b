"""Create a subnet in steps: what can be refused comes before the payment, and what is paid for is named.

Price and name go to the chain in one extrinsic, so a subnet that was paid for always carries its name. An
interrupt after that waits until the steps are done; a step that fails says which verb goes on. The same
wallet's `create_subnet` with the same name then finishes that subnet instead of paying for another.
"""

from dataclasses import dataclass
from typing import Any

import bittensor
from bittensor import calls

from subnetlab.errors import InsufficientBalance, InvalidSubnetName, SubnetIncomplete, SubnetLabError
from subnetlab.lab import preset
from subnetlab.lab.carry import carried_through
from subnetlab.lab.preset import Changes
from subnetlab.network.client import NetworkClient
from subnetlab.network.confirm import Confirm
from subnetlab.network.wallets import Wallet, address
from subnetlab.units import format_tao

_NAME_BYTES = 256
"""The chain's limit of a subnet's name. Source: `utils/identity.rs` of Subtensor."""
_FEES_RAO = 10_000_000
"""More than the fees of all steps together."""
_JOINERS = str.maketrans("", "", "\u200c\u200d")
"""Letters that only join others, as in emoji and Indic scripts: not printable by themselves, and fine."""


def checked_name(name: object) -> str:
    """A subnet's name as the chain can keep it and a page can show it.

    Raises:
        InvalidSubnetName: empty, too long in bytes, or with characters that do not print.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidSubnetName("A subnet needs a name.")
    if not name.translate(_JOINERS).isprintable():
        raise InvalidSubnetName(f"The name {ascii(name)[:60]} holds characters that do not print.")
    if name.startswith("0x"):
        raise InvalidSubnetName(f"Clients read {ascii(name)[:60]} as hexadecimal, not as a name.")
    size = len(name.encode())
    if size > _NAME_BYTES:
        raise InvalidSubnetName(f"The name has {size} bytes; a subnet's may have {_NAME_BYTES}.")
    return name


def create(client: NetworkClient, name: str, owner: Wallet, changes: Changes) -> int:
    """Create, name and start a subnet; on a development chain set the lesson's rules as well.

    Args:
        client: of the chain, which seals a block per extrinsic where it is a development chain.
        name: as `checked_name` returns it.
        owner: who pays and owns it.
        changes: the rules changed so far on this chain; grows by those changed here.

    Returns:
        the netuid.

    Raises:
        MoneyError: nothing was spent; the message says why.
        ChainRejected: the chain refused before the subnet was paid for.
        SubnetIncomplete: it was paid for, and a later step failed.
        KeyboardInterrupt: with the netuid in its message where the subnet was paid for.
    """
    paid: list[int] = []

    def steps(confirm: Confirm) -> int:
        netuid = _unstarted(client, name, owner)
        if netuid is None:
            price = _price(client, owner)
            if client.development and not changes:
                changes.extend(preset.network_rules(client))
            paid.append(_register(client.asking(confirm), name, owner, price))
        else:
            paid.append(netuid)
        return _finished(client, name, owner, paid[0], changes)

    try:
        return carried_through(steps, client.purse.confirm)
    except KeyboardInterrupt as error:
        if not paid:
            raise
        found = f"net.subnet({paid[0]}) takes hold of it"
        raise KeyboardInterrupt(
            f"Subnet {paid[0]} ({name}) was paid for before the interrupt: {found}."
        ) from error


def _finished(client: NetworkClient, name: str, owner: Wallet, netuid: int, changes: Changes) -> int:
    try:
        if client.development:
            changes.extend(preset.subnet_rules(client, netuid))
        client.start_call(netuid, owner)
    except SubnetLabError as error:
        raise SubnetIncomplete(
            f"Subnet {netuid} ({name}) is registered and paid for, but it was not started: {error.args[0]}",
            netuid=netuid,
            hint=f"net.create_subnet({name!r}) goes on with it and pays nothing again; net.subnet({netuid})"
            " takes it as it is.",
        ) from error
    return netuid


def _unstarted(client: NetworkClient, name: str, owner: Wallet) -> int | None:
    """A subnet of this owner and name that was paid for and never started."""
    who, chain = address(owner), client.client
    for netuid, owned_by in chain.query_map(("SubtensorModule", "SubnetOwner")):
        if str(owned_by) != who or chain.query(("SubtensorModule", "FirstEmissionBlockNumber"), [netuid]):
            continue
        identity = chain.query(("SubtensorModule", "SubnetIdentitiesV3"), [netuid])
        if identity and identity["subnet_name"] == name:
            return int(netuid)
    return None


def _price(client: NetworkClient, owner: Wallet) -> int:
    """What registering costs now, in rao.

    Raises:
        InsufficientBalance: the owner cannot pay it and the fees of all steps.
    """
    price = int(client.client.read("subnet_registration_cost").rao)
    free = client.balance(owner)
    need = price + _FEES_RAO + client.existential_deposit
    if free < need:
        raise InsufficientBalance(
            f"A subnet costs {format_tao(price)} and its fees; {address(owner)} holds {format_tao(free)}.",
            hint="Fund the wallet first, or wait: the price falls with every block.",
        )
    return price


def _register(client: NetworkClient, name: str, owner: Wallet, price: int) -> int:
    receipt = client.execute(RegisterNamedSubnet(subnet_name=name), wallet=owner, cost_rao=price)
    return int(receipt.data["netuid"])


@dataclass
class RegisterNamedSubnet(bittensor.RegisterSubnet):  # pyright: ignore - the SDK exports its intents untyped
    """The SDK's intent to create a subnet, with its name in the same extrinsic."""

    subnet_name: str = ""

    async def build(self, substrate: Any, wallet: Any) -> Any:
        """The composed call."""
        rest = (
            "github_repo",
            "subnet_contact",
            "subnet_url",
            "discord",
            "description",
            "logo_url",
            "additional",
        )
        identity = {"subnet_name": self.subnet_name.encode(), **dict.fromkeys(rest, b"")}
        hotkey = self.hotkey_address(wallet, self.hotkey_ss58)
        call = calls.SubtensorModule.register_network_with_identity(hotkey=hotkey, identity=identity)
        return await substrate.compose(call)

    def summary(self) -> str:
        """What it does, in words."""
        return f"register a new subnet called {self.subnet_name!r}"
