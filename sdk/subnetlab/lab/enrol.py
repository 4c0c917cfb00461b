"""Give the peers of a fleet their seats: hotkeys, registrations, stake, and the epoch that grants permits.

On a development chain the hotkeys derive from the run's name and belong to the subnet owner's coldkey, so a
run's peers can be found again. A validator may set weights only after an epoch has seen its stake, hence the
blocks that are sealed at the end. Source: registration, staking and the epoch of the chain.
"""

from collections.abc import Sequence

from subnetlab.errors import FleetStartFailed
from subnetlab.fleet.spec import PeerSeat
from subnetlab.lab.preset import TEMPO
from subnetlab.network.client import NetworkClient
from subnetlab.network.wallets import Wallet, dev_keypair, peer_uri
from subnetlab.record.events import ALONE_UID, Role

STAKES_TAO = (300, 200)
"""Behind the first validator and behind every other one: unequal, so that there is a lead."""


def enrol(
    client: NetworkClient, *, netuid: int, run_id: str, roles: Sequence[Role], wallet: Wallet, alone: bool
) -> tuple[PeerSeat, ...]:
    """Register every peer, stake the validators, and seal blocks until they hold permits.

    Returns:
        the seats in the order of `roles`, the reference miner last.

    Raises:
        ChainRejected: the chain refused a registration or a stake.
        FleetStartFailed: the validators hold no permit after an epoch.
    """
    seats: list[PeerSeat] = []
    counts: dict[str, int] = {}
    for role in roles:
        counts[role] = counts.get(role, 0) + 1
        uri = peer_uri(run_id, role, counts[role])
        hotkey = dev_keypair(uri).ss58_address
        uid, _ = client.burned_register(netuid, wallet, hotkey_ss58=hotkey)
        seats.append(PeerSeat(uid=uid, hotkey=hotkey, role=role, hotkey_uri=uri))
    validators = [seat for seat in seats if seat.role == "validator"]
    for i, seat in enumerate(validators):
        amount = STAKES_TAO[min(i, 1)]
        client.stake(
            amount_tao=amount, hotkey_ss58=seat.hotkey, netuid=netuid, wallet=wallet, rate_tolerance=0.9
        )
    _await_permits(client, netuid, validators)
    if alone:
        seats.append(PeerSeat(uid=ALONE_UID, hotkey="", role="alone"))
    return tuple(seats)


def _await_permits(client: NetworkClient, netuid: int, validators: Sequence[PeerSeat]) -> None:
    for _ in range(3):
        client.dev.seal(TEMPO)
        permitted = {neuron.hotkey for neuron in client.metagraph(netuid).validators}
        if all(seat.hotkey in permitted for seat in validators):
            return
    raise FleetStartFailed(
        "The validators hold no permit after three epochs.", hint="Stake more behind them."
    )
