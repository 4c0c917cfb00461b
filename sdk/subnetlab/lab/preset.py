"""What makes a lesson fit into minutes: rules of the chain, changed by root on development chains only.

Chain defaults serve a public network: first weights after 100 blocks, tempo 360, a second subnet after 7,200
blocks, emission off until root allows it. Each change below is a Sudo extrinsic of its own, in a block,
seen by any client; none is made anywhere else. Order matters: the freeze window must be gone before the
tempo is set. Source: AdminUtils of Subtensor.
"""

from dataclasses import dataclass

from bittensor import calls

from subnetlab.network.client import NetworkClient
from subnetlab.network.receipt import Receipt

TEMPO = 8
"""Blocks between two epochs; two rounds of four blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One rule that was changed: which call, to what, why, and its extrinsic on the chain."""

    call: str
    value: str
    why: str
    receipt: Receipt

    def __str__(self) -> str:
        return f"{self.call} = {self.value}: {self.why} (block {self.receipt.block}, {self.receipt.tx[:10]}…)"


class Changes(list[Change]):
    """Every rule that was changed on this chain, oldest first."""

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or "No rule was changed: this chain is as it was made."


def network_rules(client: NetworkClient) -> Changes:
    """Change what holds for the whole chain; needed once, before the first subnet."""
    admin = calls.AdminUtils
    return Changes([
        _change(client, admin.sudo_set_admin_freeze_window(window=0), "0", "or owners' changes are frozen"),
        _change(client, admin.sudo_set_network_rate_limit(rate_limit=0), "0", "or a subnet per 7,200 blocks"),
    ])  # fmt: skip


def subnet_rules(client: NetworkClient, netuid: int) -> Changes:
    """Change what holds for one subnet; needed before its first weights."""
    admin = calls.AdminUtils
    return Changes(
        [
            _change(
                client, admin.sudo_set_tempo(netuid=netuid, tempo=TEMPO), str(TEMPO), "pay every two rounds"
            ),
            _change(
                client,
                admin.sudo_set_weights_set_rate_limit(netuid=netuid, weights_set_rate_limit=0),
                "0",
                "or weights only every 100 blocks",
            ),
            _change(
                client,
                admin.sudo_set_commit_reveal_weights_enabled(netuid=netuid, enabled=False),
                "False",
                "or weights need the drand beacon, which is not offline",
            ),
            _change(
                client,
                admin.sudo_set_subnet_emission_enabled(netuid=netuid, enabled=True),
                "True",
                "or the subnet pays nothing",
            ),
        ]
    )


def _change(client: NetworkClient, call: tuple[str, str, dict[str, object]], value: str, why: str) -> Change:
    return Change(call=call[1], value=value, why=why, receipt=client.sudo(call))
