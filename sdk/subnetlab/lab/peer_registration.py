"""Give the peers of a fleet their seats on a subnet: the same at every run, bought where they are missing.

On a development chain a hotkey derives from owner, subnet, role and place in the fleet. So a second run takes
the seats of the first again; only what is missing is registered and staked. A validator may set weights only
after an epoch has seen its stake, hence the blocks that are sealed at the end. What earlier fleets left is
`former`'s. Source: registration, staking and the epoch of the chain.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import count

from subnetlab.errors import FleetStartFailed, InsufficientBalance, OverBudget, SubnetLabError
from subnetlab.fleet.local import LocalFleet, Place
from subnetlab.fleet.spec import FleetSpec, PeerSeat
from subnetlab.lab.former import peer_place, withdraw_votes
from subnetlab.lab.preset import TEMPO
from subnetlab.network.client import NetworkClient
from subnetlab.network.wallets import DEV_NAMES, Wallet, address, dev_keypair, dev_wallet, peer_uri
from subnetlab.record.events import Role
from subnetlab.units import format_tao, rao


def register_peers(
    client: NetworkClient, *, netuid: int, fleet: LocalFleet, wallet: Wallet, baselines: Sequence[str]
) -> tuple[PeerSeat, ...]:
    """Register the peers without a seat, stake the validators, and seal blocks until they hold permits.

    Votes that earlier fleets left on the subnet are withdrawn first: pay follows the rounds of this run.

    Returns:
        the seats in the order of `fleet.places()`, the baselines last.

    Raises:
        MoneyError: nothing was spent, or the message says which seats were paid for.
        ChainRejected: the chain refused a registration, a stake or a weight.
        FleetStartFailed: the subnet has too few seats, or the validators hold no permit after an epoch.
    """
    places, stakes = fleet.places(), fleet.stakes_tao
    roles: list[Role] = [place.role for place in places]
    uris = _uris(netuid, address(wallet), roles)
    hotkeys = [dev_keypair(uri).ss58_address for uri in uris]
    withdraw_votes(client, netuid, kept=set(hotkeys))
    known = client.metagraph(netuid)
    missing = [hotkey for hotkey in hotkeys if known.by_hotkey(hotkey) is None]
    voting = [hotkey for hotkey, role in zip(hotkeys, roles, strict=True) if role == "validator"]
    held = [known.by_hotkey(hotkey) for hotkey in voting]
    unstaked = [
        stakes[min(i, len(stakes) - 1)]
        for i, neuron in enumerate(held)
        if neuron is None or not neuron.stake_alpha_rao
    ]
    _check_money(client, netuid, wallet, seats=len(missing), stakes=unstaked)
    with _named(bought := list[str](), netuid):
        for hotkey in missing:
            client.burned_register(netuid, wallet, hotkey_ss58=hotkey)
            bought.append(hotkey)
        seats = _seated(client, netuid, places, uris, hotkeys)
        _back(client, netuid, wallet, [seat for seat in seats if seat.role == "validator"], stakes)
    seats += [PeerSeat.of_baseline(name, place) for place, name in enumerate(baselines)]
    return tuple(seats)


def _seated(
    client: NetworkClient, netuid: int, places: Sequence[Place], uris: Sequence[str], hotkeys: Sequence[str]
) -> list[PeerSeat]:
    """The seat of every peer, in the order of `places`."""
    known = client.metagraph(netuid)
    seats: list[PeerSeat] = []
    for place, uri, hotkey in zip(places, uris, hotkeys, strict=True):
        neuron = known.by_hotkey(hotkey)
        if neuron is None:
            raise FleetStartFailed(
                f"Subnet {netuid} has {len(known.neurons)} seats, too few for a fleet of {len(places)}.",
                hint="Start fewer miners.",
            )
        seat = PeerSeat(
            uid=neuron.uid, hotkey=hotkey, role=place.role, attacker=place.attacker, hotkey_uri=uri
        )
        seats.append(seat)
    return seats


def _back(
    client: NetworkClient, netuid: int, wallet: Wallet, validators: Sequence[PeerSeat],
    stakes: Sequence[int],
) -> None:  # fmt: skip
    """Stake behind the validators that have none, and wait for their permits."""
    known = client.metagraph(netuid)
    for i, seat in enumerate(validators):
        if not known.neurons[seat.uid].stake_alpha_rao:
            amount = stakes[min(i, len(stakes) - 1)]
            client.stake(
                amount_tao=amount, hotkey_ss58=seat.hotkey, netuid=netuid, wallet=wallet, rate_tolerance=0.9
            )
    _await_permits(client, netuid, validators)


def _check_money(
    client: NetworkClient, netuid: int, wallet: Wallet, *, seats: int, stakes: Sequence[int]
) -> None:
    """Refuse a fleet that its owner cannot pay before its first seat is paid for.

    The price rises with every seat, so what passes here may still run out later.

    Raises:
        InsufficientBalance: the wallet holds less than seats and stakes cost.
        OverBudget: the budget allows less than that.
    """
    if not seats and not stakes:
        return
    with client.client.question():
        price = int(client.client.query(("SubtensorModule", "Burn"), [netuid]) or 0)
    need = seats * price + sum(rao(stake) for stake in stakes)
    what = f"{seats} seats and the stake behind {len(stakes)} validators cost {format_tao(need)}"
    free, left = client.balance(wallet), client.budget.left_rao
    if free < need + client.existential_deposit:
        raise InsufficientBalance(
            f"{what} and their fees; {address(wallet)} holds {format_tao(free)}.",
            hint="Start fewer miners, or fund the wallet first. Nothing was spent.",
        )
    if left is not None and left < need:
        raise OverBudget(f"{what}, more than the {format_tao(left)} left of the budget. Nothing was spent.")


@contextmanager
def _named(bought: list[str], netuid: int) -> Generator[None]:
    """Have whatever fails inside say which seats are paid for already, and what becomes of them."""
    try:
        yield
    except SubnetLabError as error:
        if bought:
            error.hint = f"{error.hint} {_kept(bought, netuid)}".strip()
        raise
    except KeyboardInterrupt as error:
        if not bought:
            raise
        raise KeyboardInterrupt(_kept(bought, netuid)) from error


def _kept(bought: Sequence[str], netuid: int) -> str:
    seats = "1 seat" if len(bought) == 1 else f"{len(bought)} seats"
    return (
        f"{seats} on subnet {netuid} were paid for and are kept: subnet.train(…) takes them and pays "
        "only for what is missing."
    )


def register_more(client: NetworkClient, spec: FleetSpec, places: Sequence[Place]) -> tuple[PeerSeat, ...]:
    """Seats for miners that join a run: hotkeys that no peer of it works with, registered where they are not.

    The run's own supervisor seals the blocks meanwhile.

    Raises:
        ChainRejected: the chain refused a registration.
        FleetStartFailed: the subnet is full, or the run's owner has no wallet here.
    """
    known = client.metagraph(spec.netuid)
    first = next(seat for seat in spec.seats if seat.hotkey_uri)
    place, taken = first.hotkey_uri.rpartition("//")[0], {seat.hotkey_uri for seat in spec.seats}
    paying = known.by_hotkey(first.hotkey)
    wallets = {wallet.coldkey.ss58_address: wallet for wallet in map(dev_wallet, DEV_NAMES)}
    if paying is None or paying.coldkey not in wallets:
        raise FleetStartFailed(
            "The wallet that pays for this run's seats is not here.",
            hint="Go on from the machine and user that started the run.",
        )
    seats: list[PeerSeat] = []
    bought: list[str] = []
    for (role, attacker), device in zip(places, devices_of_more(spec, len(places)), strict=True):
        uri = next(uri for i in count(1) if (uri := f"{place}//{role}-{i}") not in taken)
        taken.add(uri)
        hotkey = dev_keypair(uri).ss58_address
        neuron = known.by_hotkey(hotkey)
        if neuron is not None:
            uid = neuron.uid
        else:
            with _named(bought, spec.netuid):
                uid, _ = client.burned_register(spec.netuid, wallets[paying.coldkey], hotkey_ss58=hotkey)
            bought.append(hotkey)
        if any(seat.uid == uid for seat in spec.seats):
            raise FleetStartFailed(
                f"Subnet {spec.netuid} is full: a peer of the run lost uid {uid}.", hint=""
            )
        seats.append(
            PeerSeat(uid=uid, hotkey=hotkey, role=role, attacker=attacker, hotkey_uri=uri, device=device)
        )
    return tuple(seats)


def devices_of_more(spec: FleetSpec, number: int) -> list[str]:
    """A device for each miner that joins: the one on which the fewest miners compute so far."""
    devices = [seat.device for seat in spec.seats if seat.role not in ("validator", "alone")]
    for _ in range(number):
        devices.append(min(devices, key=devices.count))
    return devices[len(devices) - number :]


def _uris(netuid: int, owner: str, roles: Sequence[Role]) -> list[str]:
    counts: dict[str, int] = {}
    uris: list[str] = []
    for role in roles:
        counts[role] = counts.get(role, 0) + 1
        uris.append(peer_uri(peer_place(netuid, owner), role, counts[role]))
    return uris


def _await_permits(client: NetworkClient, netuid: int, validators: Sequence[PeerSeat]) -> None:
    for epochs in range(4):
        if epochs:
            client.dev.seal(TEMPO)
        permitted = {neuron.hotkey for neuron in client.metagraph(netuid).validators}
        if all(seat.hotkey in permitted for seat in validators):
            return
    raise FleetStartFailed(
        "The validators hold no permit after three epochs.", hint="Stake more behind them."
    )
