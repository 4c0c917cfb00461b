"""What earlier fleets left on a subnet and must not decide the pay of the next one: weights and stake.

A validator that no longer runs keeps stake and weights, and consensus counts them for thousands of blocks. So
before a run its row of weights is put on itself, which pays no one, and the stake of a validator that is not
of the run goes back to the coldkey that owns it. Both are extrinsics that any client sees. Only hotkeys that
derive as a fleet's do are touched: a stranger's vote stays the stranger's. Development chains only.
"""

from bittensor import calls

from subnetlab.network.client import NetworkClient
from subnetlab.network.metagraph import MetagraphSnapshot, NeuronSnapshot
from subnetlab.network.wallets import DEV_NAMES, DevWallet, dev_keypair, dev_wallet, peer_uri
from subnetlab.units import U16_MAX


def peer_place(netuid: int, owner: str) -> str:
    """The part of a hotkey's URI that all peers of one owner on one subnet share."""
    return f"{owner}//{netuid}"


def withdraw_votes(client: NetworkClient, netuid: int, *, kept: set[str]) -> None:
    """Clear the weights of every validator that a fleet left here, and unstake those not among `kept`.

    Args:
        client: of a development chain that seals a block per extrinsic.
        netuid: the subnet.
        kept: hotkeys (ss58) of the run that is about to begin.

    Raises:
        ChainRejected: the chain refused a weight or an unstaking.
    """
    found = client.metagraph(netuid)
    for neuron, uri in _former_validators(found):
        if any(to != neuron.uid for to in found.weights.get(neuron.uid, {})):
            _weigh_itself_only(client, netuid, neuron.uid, uri)
        if neuron.hotkey not in kept and neuron.stake_alpha_rao:
            _unstake(client, netuid, neuron)


def _former_validators(found: MetagraphSnapshot) -> list[tuple[NeuronSnapshot, str]]:
    """The neurons whose hotkey derives as a fleet's validator does, with the URI."""
    seated = {neuron.hotkey: neuron for neuron in found.neurons}
    owners = {neuron.coldkey for neuron in found.neurons}
    derived = {
        dev_keypair(uri).ss58_address: uri
        for owner in owners
        for index in range(1, len(seated))
        for uri in [peer_uri(peer_place(found.netuid, owner), "validator", index)]
    }
    return [(seated[hotkey], derived[hotkey]) for hotkey in derived if hotkey in seated]


def _weigh_itself_only(client: NetworkClient, netuid: int, uid: int, uri: str) -> None:
    """A weight on oneself does not count: the row pays no miner."""
    hotkey = dev_keypair(uri)
    call = calls.SubtensorModule.set_mechanism_weights(
        netuid=netuid, mecid=0, dests=[uid], weights=[U16_MAX], version_key=0
    )
    wallet = DevWallet(name=uri, coldkey=hotkey, hotkey=hotkey)
    client.submit_call(call, wallet=wallet, signer="hotkey")


def _unstake(client: NetworkClient, netuid: int, neuron: NeuronSnapshot) -> None:
    """Give the owner's stake back; that of others stays, and with it a row without weights for others."""
    owners = {dev_wallet(name).coldkey.ss58_address: name for name in DEV_NAMES}
    if neuron.coldkey in owners:
        client.unstake(
            amount_alpha="all", hotkey_ss58=neuron.hotkey, netuid=netuid, wallet=owners[neuron.coldkey],
            rate_tolerance=None,
        )  # fmt: skip
