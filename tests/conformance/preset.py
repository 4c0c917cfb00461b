"""What the conformance tests do before they ask: keys of one person, root's word, a subnet ready for use.

Everything goes through the unmodified SDK, as a user would do it.
"""

from dataclasses import dataclass
from typing import Any

import bittensor
from bittensor.intents import BurnedRegister, RegisterSubnet, StartCall
from bittensor_core import Keypair


@dataclass(frozen=True)
class Person:
    """A wallet-shaped pair of development keys."""

    name: str

    @property
    def coldkey(self) -> Keypair:
        return Keypair.from_uri(f"//{self.name}")

    @property
    def hotkey(self) -> Keypair:
        return Keypair.from_uri(f"//{self.name}//hotkey")

    coldkeypub = coldkey
    hotkeypub = hotkey

    @property
    def cold(self) -> str:
        return self.coldkey.ss58_address

    @property
    def hot(self) -> str:
        return self.hotkey.ss58_address


ALICE, BOB, CHARLIE = Person("Alice"), Person("Bob"), Person("Charlie")


async def must(client: bittensor.Client, intent: Any, person: Person, **options: Any) -> Any:
    """Execute an intent that has to succeed."""
    result = await client.execute(intent, person, **options)
    assert result.success, result.message
    return result


async def sudo(client: bittensor.Client, call: Any) -> Any:
    """Let Alice, who holds the sudo key, dispatch a call as root."""
    composed = await client.compose(call)
    result = await client.submit_call(bittensor.calls.Sudo.sudo(call=composed), ALICE)
    assert result.success, result.message
    return result


async def made_subnet(client: bittensor.Client, owner: Person = ALICE) -> int:
    """Register a subnet and return its netuid; it has not started."""
    result = await must(client, RegisterSubnet(), owner)
    return int(result.data["netuid"]) if result.data and "netuid" in result.data else 2


async def started_subnet(client: bittensor.Client, owner: Person = ALICE) -> int:
    """A subnet whose token trades."""
    netuid = await made_subnet(client, owner)
    await must(client, StartCall(netuid=netuid), owner)
    return netuid


async def joined(endpoint: str, netuid: int, person: Person) -> None:
    """Register a person's hotkey through the shield, which the SDK insists on.

    Each registration has a client of its own: after a shielded submission the SDK's client offers a nonce
    that is already used.
    """
    async with bittensor.Client(endpoint) as client:
        await must(client, BurnedRegister(netuid=netuid), person)


async def quick_preset(client: bittensor.Client, netuid: int) -> None:
    """What a lesson needs: tempo 8, weights in the open at any time, emission on."""
    admin = bittensor.calls.AdminUtils
    for call in (
        admin.sudo_set_admin_freeze_window(window=0),
        admin.sudo_set_tempo(netuid=netuid, tempo=8),
        admin.sudo_set_weights_set_rate_limit(netuid=netuid, weights_set_rate_limit=0),
        admin.sudo_set_commit_reveal_weights_enabled(netuid=netuid, enabled=False),
        admin.sudo_set_network_rate_limit(rate_limit=0),
        admin.sudo_set_subnet_emission_enabled(netuid=netuid, enabled=True),
    ):
        await sudo(client, call)
