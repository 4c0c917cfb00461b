"""The chain of a class as a student's notebook holds it: a `Net` with a wallet, a seat and a peer.

`sl.connect("http://host:8866", code="…", name="…")` joins; the same line, or the address alone, comes back to
it. Chain, store and grades go through the class's one port.
"""

import threading
from time import monotonic

import bittensor

from subnetlab.errors import ArgumentInvalid, ClassError
from subnetlab.lab import arguments
from subnetlab.lab.class_files import asked, introduce, membership_of
from subnetlab.lab.own_peer import OwnPeer
from subnetlab.lab.session import Net
from subnetlab.lab.subnet import Subnet
from subnetlab.membership import Membership, folder_of
from subnetlab.network.balance import Balance
from subnetlab.network.client import NetworkClient
from subnetlab.network.confirm import Confirm
from subnetlab.network.evm.wallet import EvmWallet
from subnetlab.network.wallets import Wallet
from subnetlab.report import html
from subnetlab.signatures import known_arguments
from subnetlab.text import plain
from subnetlab.train.attackers import ATTACKERS, refused
from subnetlab.units import Amount

_STAKE_TAO = 100
_GIFT_LIMIT_S = 120.0
_LOOK_S = 0.1


def join(address: str, code: object, name: object, *, confirm: Confirm | None) -> "ClassNet":
    """Join a class, or come back to it.

    Raises:
        ClassError: the class refuses; its sentence says why. Nothing was started.
        ClassUnreachable: no class answers at the address.
        ArgumentInvalid: an argument has a wrong type.
    """
    word = arguments.a_word("code", code, '"K7QD-2MXP-9TRW"')
    member = membership_of(address, word, arguments.a_word("name", name, '"Ada"'))
    introduce(member)
    client = NetworkClient(member.chain, name="class", confirm=confirm)
    try:
        net = ClassNet(client, member)
        _await_money(client, member.wallet)
        net.subnet().register(member.wallet)
    except BaseException:
        client.close()
        raise
    return net


def _await_money(client: NetworkClient, wallet: str) -> None:
    """Wait for the block in which the class's gift is.

    Raises:
        ClassError: the class's chain seals no block.
    """
    deadline, pause = monotonic() + _GIFT_LIMIT_S, threading.Event()
    while not client.balance(client.wallet(wallet)):
        if monotonic() >= deadline:
            raise ClassError("The class's chain seals no block.", hint="Ask your teacher.")
        pause.wait(_LOOK_S)


class ClassNet(Net):
    """The network of a class.

    `name_in_class` is the student's name, `seed` a number of its own, `peer` its miner or validator.
    """

    def __init__(self, client: NetworkClient, member: Membership) -> None:
        self._member = member
        super().__init__(client)
        self.name_in_class, self.seed = member.name, member.seed
        self.peer = OwnPeer(folder_of(member.address))

    def wallet(self, name: str | Wallet = "") -> Wallet:
        """A wallet by name; the student's own, which joining made, unless given. Errors as `Net.wallet`."""
        return super().wallet(name or self._member.wallet)

    def balance(self, account: str | Wallet | EvmWallet = "") -> Balance:
        """What a wallet holds; the student's own unless given. Errors as `Net.balance`."""
        return super().balance(account or self.wallet())

    def subnet(self, netuid: int | None = None, *, wallet: str | Wallet = "") -> Subnet:
        """A subnet; the class's unless given. Errors as `Net.subnet`."""
        number = self._member.netuid if netuid is None else netuid
        return super().subnet(number, wallet=wallet or self._member.wallet)

    @known_arguments("net.start_miner")
    def start_miner(self, *, attack: str = "", trust: bool = False) -> OwnPeer:
        """Start a miner of one's own in the class's run; one that takes part already is left as it is.

        Args:
            attack: cheat in one of the ways of `LocalFleet(attackers=)`, to see what becomes of it.
            trust: let the class's own code run here, where the model is one that the educator wrote.

        Raises:
            ArgumentInvalid: no miner attacks like this.
            ClassError: the class has ended, or does not know this student any more.
            FleetStartFailed: a validator of one's own takes part.
        """
        if attack and (attack not in ATTACKERS or ATTACKERS[attack].role != "miner"):
            raise ArgumentInvalid(refused(attack), hint='net.start_miner(attack="sign_flip"), for instance.')
        return self._taking_part("miner", *(("--attack", attack) if attack else ()), trust=trust)

    @known_arguments("net.start_validator")
    def start_validator(self, *, stake_tao: Amount = _STAKE_TAO, trust: bool = False) -> OwnPeer:
        """Stake behind one's hotkey, unless there is stake already, and start a validator of one's own.

        Args:
            stake_tao: what is staked first.
            trust: let the class's own code run here, where the model is one that the educator wrote.

        Raises:
            MoneyError: nothing was staked; the message says why.
            ClassError: the class has ended, or does not know this student any more.
            FleetStartFailed: a miner of one's own takes part.
        """
        if self.peer.alive and self.peer.role == "validator":
            return self.peer
        hotkey = str(bittensor.public_view(self.wallet(), "hotkey").ss58_address)
        seat = self.subnet().metagraph().by_hotkey(hotkey)
        if seat is None or not seat.stake_alpha_rao:
            self.stake(
                amount_tao=stake_tao, hotkey_ss58=hotkey, netuid=self._member.netuid,
                wallet=self._member.wallet, rate_tolerance=None,
            )  # fmt: skip
        return self._taking_part("validator", trust=trust)

    def _taking_part(self, role: str, *more: str, trust: bool) -> OwnPeer:
        if self.peer.alive and self.peer.role == role and not more:
            return self.peer
        member = self._member
        asked("GET", f"{member.address}/me")  # a class that is over, or knows one no more, says so here
        if arguments.flag("trust", trust):
            more = (*more, "--trust", self.subnet().metagraph().owner_hotkey)
        words = [
            role, "--endpoint", member.chain, "--netuid", str(member.netuid),
            "--wallet", f"{member.wallet}/default", "--store", member.place, *more,
        ]  # fmt: skip
        self.peer = OwnPeer.start(folder_of(member.address), words)
        return self.peer

    def close(self) -> None:
        """End one's own peer and leave the class's chain; the class goes on."""
        self.peer.stop()
        super().close()

    def __repr__(self) -> str:
        if self.closed:
            return super().__repr__()
        return f"{plain(self._member.name)} in the class at {plain(self._member.address)}, block {self.block}"

    def _repr_html_(self) -> str:
        return html.block(html.badge("play money", real=False), html.paragraph(repr(self)))
