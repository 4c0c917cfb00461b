"""A connected network as a notebook holds it: `net`.

`connect()` starts the embedded node, or takes any other network by name or endpoint; the verbs are the same
everywhere. Money verbs use the SDK's own keywords and go through budget and confirmation. Time and state can
be held only on development chains.
"""

import contextlib
import threading
from collections.abc import Generator
from types import TracebackType
from typing import Any, Literal, Self

from bittensor import SetSubnetIdentity

from subnetlab.errors import DevnetOnly, NodeUnreachable, NotYetSupported, SubnetLabError
from subnetlab.fleet.launch import is_running, report_spent
from subnetlab.lab import embedded, preset
from subnetlab.lab.embedded import EmbeddedNode
from subnetlab.lab.holdings import Holdings, holdings
from subnetlab.lab.preset import Changes
from subnetlab.lab.revive import needed_nodes
from subnetlab.lab.run import Run, runs
from subnetlab.lab.subnet import Subnet
from subnetlab.network import names
from subnetlab.network.balance import Balance
from subnetlab.network.budget import Budget
from subnetlab.network.client import NetworkClient
from subnetlab.network.confirm import Confirm, checked
from subnetlab.network.pay import destination
from subnetlab.network.receipt import Receipt
from subnetlab.network.wallets import Wallet, is_address
from subnetlab.record.events import Spent
from subnetlab.units import Amount, rao

BLOCK_TIME_S = 0.25
IDLE_LIMIT_S = 600.0

_STOP_LIMIT_S = 4.0
"""How long a run may take to end in order when its network is closed; Jupyter kills a kernel after five."""

_OPEN: "set[Net]" = set()
"""Held until closed: a name given to another network must not lose a node that still runs."""


def connect(
    network: str = names.DEVNET,
    *,
    sealing: Literal["instant", "manual"] | float = BLOCK_TIME_S,
    confirm: Confirm | None = None,
    idle_limit_s: float = IDLE_LIMIT_S,
) -> "Net":
    """Connect to a network; without a name, start a chain of one's own on this machine.

    Args:
        network: `devnet` (embedded), `local`, `test`, `finney`, or an endpoint `ws://host:port`.
        sealing: the embedded chain's blocks: per extrinsic, only when asked, or every so many seconds.
        confirm: who is asked before money is spent; a person on real networks unless given.
        idle_limit_s: an embedded node to which nobody is connected for so many seconds ends by itself.

    Raises:
        UnknownNetwork: no such name.
        NodeStartFailed: the embedded node did not come up.
        NodeUnreachable: nobody answers at the endpoint.

    Example:
        >>> net = connect()  # doctest: +SKIP
    """
    found = names.resolve(network)
    checked(confirm)
    if found.endpoint is not None:
        return _joined(NetworkClient(found.endpoint, name=found.name, confirm=confirm), None)
    options = {"instant": ["--instant"], "manual": ["--manual"]}
    chosen = options[sealing] if isinstance(sealing, str) else ["--block-time", str(float(sealing))]
    node = EmbeddedNode(*chosen, "--exit-when-idle", str(idle_limit_s))
    return _joined(NetworkClient(node.endpoint, name=names.DEVNET, confirm=confirm), node)


def rejoin(run: Run) -> "Net | None":
    """Connect to the chain of a run that is still there, such as after a restart; None if it is gone."""
    for net in list(_OPEN):
        if net.endpoint == run.endpoint and not net.closed:
            return None
    try:
        return connect(run.endpoint)
    except NodeUnreachable:
        return None


def _joined(client: NetworkClient, node: EmbeddedNode | None) -> "Net":
    try:
        return Net(client, node)
    except BaseException:
        client.close()
        if node is not None:
            node.close()
        raise


class Net:
    """A network: wallets, money, subnets, and on a devnet also time. Made by `connect`; a context manager.

    `client` is the bittensor SDK's client, `preset` lists the rules that were changed for the lesson, `spent`
    what was staked and paid through this object.
    """

    def __init__(self, client: NetworkClient, node: EmbeddedNode | None = None) -> None:
        self._client, self._node = client, node
        self.name, self.endpoint = client.network.name, client.endpoint
        self.play_money = client.development
        self.preset = Changes()
        self.spent: list[Spent] = []
        self.runs: list[Run] = []
        self.detached: list[Run] = []
        """Runs that outlive this object, and with them the embedded node."""
        self.closed = False
        self._closing = threading.Lock()
        self._start = client.dev.snapshot() if node is not None else None
        _OPEN.add(self)

    # -- looking -----------------------------------------------------------------------------------

    @property
    def block(self) -> int:
        """Height of the newest block."""
        return self._client.head().number

    @property
    def client(self) -> Any:
        """The bittensor SDK's own client, connected to this network."""
        return self._client.client

    @property
    def w3(self) -> Any:
        """The web3 object of this network.

        Raises:
            NotYetSupported: the EVM face has not landed yet.
        """
        raise NotYetSupported(
            "The EVM face of the network has not landed yet.", hint="Use net.client for now."
        )

    @property
    def budget(self) -> Budget:
        """What may be spent here; `net.budget.set(tao=…)` changes it."""
        return self._client.budget

    def __repr__(self) -> str:
        if self.closed:
            return f"{self.name}: closed."
        money = "play money" if self.play_money else "REAL TAO"
        return f"{self.name} at {self.endpoint}, block {self.block}, {money}"

    # -- wallets and money -------------------------------------------------------------------------

    def wallet(self, name: str | Wallet = "alice") -> Wallet:
        """A wallet by name: a development key on a devnet, a `bittensor.Wallet` elsewhere.

        Raises:
            UnknownWallet: no wallet has this name.
            SecretRefused: that was no name but a secret.
        """
        return self._client.wallet(name)

    def address(self, account: str | Wallet) -> str:
        """The ss58 address of a wallet's coldkey, given by name or as it is; errors as `wallet`."""
        return destination(self._account(account), development=self.play_money)

    def _account(self, account: str | Wallet) -> str | Wallet:
        return account if is_address(account) else self.wallet(account)

    def balance(self, account: str | Wallet = "alice") -> Balance:
        """What an address, a wallet, or the wallet of a name holds, free to spend: a `bittensor.Balance`."""
        return Balance(self._client.balance(self._account(account)))

    def holdings(self, account: str | Wallet = "alice") -> Holdings:
        """What a wallet or an address holds: free TAO, stake by subnet and hotkey, the budget left.

        Errors as `wallet`. Example: `net.holdings("alice").total_rao`.
        """
        return holdings(self._client, self._account(account))

    def pay(
        self, *, amount_tao: Amount, to: str | Wallet, wallet: str | Wallet, confirm: Confirm | None = None
    ) -> Receipt:
        """Pay TAO to an address or a wallet; `confirm` is asked instead of whoever else would be.

        Raises:
            MoneyError: nothing was spent; the message says why.
            NotYetSupported: a `0x…` address.
        """
        client = self._client if confirm is None else self._client.asking(confirm)
        receipt = client.pay(amount_tao=amount_tao, to=to, wallet=wallet)
        paid = destination(to, development=self.play_money)
        self._note(Spent(what="pay", tx=receipt.tx, amount_rao=rao(amount_tao), to=paid))
        return receipt

    def stake(
        self, *, amount_tao: Amount, hotkey_ss58: str, netuid: int, wallet: str | Wallet,
        confirm: Confirm | None = None, **options: Any,
    ) -> Receipt:  # fmt: skip
        """Stake TAO behind a hotkey on a subnet; `rate_tolerance` bounds how far the price may move.

        Raises:
            MoneyError: nothing was spent; the message says why.
        """
        client = self._client if confirm is None else self._client.asking(confirm)
        receipt = client.stake(
            amount_tao=amount_tao, hotkey_ss58=hotkey_ss58, netuid=netuid, wallet=wallet, **options
        )
        staked = Spent(what="stake", tx=receipt.tx, amount_rao=rao(amount_tao), to=hotkey_ss58)
        self._note(staked, netuid=netuid)
        return receipt

    def unstake(
        self,
        *,
        amount_alpha: Amount | Literal["all"],
        hotkey_ss58: str,
        netuid: int,
        wallet: str | Wallet,
        **options: Any,
    ) -> Receipt:
        """Take stake back from a hotkey, or `"all"` of it."""
        return self._client.unstake(
            amount_alpha=amount_alpha, hotkey_ss58=hotkey_ss58, netuid=netuid, wallet=wallet, **options
        )

    def execute(self, intent: Any, *, wallet: str | Wallet) -> Receipt:
        """Carry out any intent of the bittensor SDK, through the same budget and confirmation."""
        return self._client.execute(intent, wallet=wallet)

    def _note(self, spent: Spent, netuid: int | None = None) -> None:
        """Keep a spend, and put it on the record of the runs that go on here: on one subnet, or on all."""
        self.spent.append(spent)
        for run in runs(all=True):
            # What is spent is spent: a run that cannot be told of it changes nothing about that.
            with contextlib.suppress(SubnetLabError):
                here = is_running(run.folder) and run.endpoint == self.endpoint
                if here and netuid in (None, run.netuid):
                    report_spent(run.folder, spent)

    # -- subnets -----------------------------------------------------------------------------------

    def create_subnet(self, name: str, *, wallet: str | Wallet = "alice") -> Subnet:
        """Create a subnet, start it and publish its name; the wallet owns it and pays the price of the day.

        On a development chain the lesson's rules are set as well, each as a visible Sudo extrinsic.

        Raises:
            MoneyError: nothing was spent; the message says why.
            ChainRejected: the chain refused.
        """
        owner = self.wallet(wallet)
        with self.quick():
            if self.play_money and not self.preset:
                self.preset.extend(preset.network_rules(self._client))
            netuid, _ = self._client.register_subnet(owner)
            if self.play_money:
                self.preset.extend(preset.subnet_rules(self._client, netuid))
            self._client.start_call(netuid, owner)
            self._client.execute(SetSubnetIdentity(netuid=netuid, subnet_name=name), wallet=owner)
        return Subnet(self, netuid, name=name, owner=owner)

    def subnet(self, netuid: int, *, wallet: str | Wallet = "alice") -> Subnet:
        """A subnet that exists; `wallet` is whom its fleets will belong to.

        Raises:
            ChainRejected: there is none of this number.
        """
        found = self._client.metagraph(netuid)
        name = found.name or f"subnet {netuid}"
        return Subnet(self, netuid, name=name, owner=wallet)

    # -- time and state, on a devnet ---------------------------------------------------------------

    @contextlib.contextmanager
    def quick(self) -> Generator[None]:
        """Seal a block per extrinsic inside, as before afterwards; does nothing on other chains."""
        if not self.play_money:
            yield
            return
        before = self._sealing()
        self._client.dev.set_sealing("instant")
        try:
            yield
        finally:
            self._client.dev.set_sealing(before)

    @contextlib.contextmanager
    def held_still(self) -> Generator[Literal["instant", "manual"] | float]:
        """Seal per extrinsic inside the block and leave time stopped for whoever paces it from then on.

        Yields how blocks were sealed before; an error inside brings that back.
        """
        before = self._sealing()
        self._client.dev.set_sealing("instant")
        try:
            yield before
        except BaseException:
            self._client.dev.set_sealing(before)
            raise

    def _sealing(self) -> Literal["instant", "manual"] | float:
        found = self._client.dev.info()["sealing"]
        return float(found["interval"]) if isinstance(found, dict) else found

    def mine(self, blocks: int = 1) -> int:
        """Seal blocks now; the new height.

        Raises:
            DevnetOnly: blocks come by themselves there.
        """
        self._dev("mine")
        return self._client.dev.seal(blocks).number

    def snapshot(self) -> Any:
        """Hold the chain as it is; `revert` takes what this returns.

        Raises:
            DevnetOnly: nobody can hold that chain.
        """
        self._dev("snapshot")
        return self._client.dev.snapshot()

    def revert(self, snapshot: Any) -> int:
        """Put the chain back to a snapshot; the height it stands at.

        Raises:
            DevnetOnly: nobody can turn that chain back.
            ChainRejected: there is no such snapshot.
        """
        self._dev("revert")
        self._client.turn_back(snapshot)
        return self.block

    def reset(self) -> int:
        """Put the embedded chain back to where it was when it was started."""
        if self._start is None:
            raise DevnetOnly(f"{self.name} was not started here.", hint="net = sl.connect() starts a chain.")
        self.preset.clear()
        return self.revert(self._start)

    def _dev(self, verb: str) -> None:
        if not self.play_money:
            raise DevnetOnly(f"net.{verb} needs a development chain; {self.name} is none.")

    # -- ending ------------------------------------------------------------------------------------

    def close(self) -> None:
        """Leave the network; stop the runs started here that were not detached, and the embedded node.

        A node on which a detached run goes on is left to it, and ends by itself when nobody is connected.
        """
        with self._closing:
            if self.closed:
                return
            self.closed = True
            _OPEN.discard(self)
        for run in self.runs:
            with contextlib.suppress(SubnetLabError):
                run.stop(timeout=_STOP_LIMIT_S)
        self._client.close()
        if self._node is None:
            return
        if not all(run.ended for run in self.detached):
            self._node.leave()
            return
        self._node.close()
        embedded.sweep(needed_nodes())
        if not self._node.folder.exists():
            self._client.forget_budget()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def alive(self) -> bool:
        """Whether the embedded node still runs; True for a network that was not started here."""
        return self._node is None or self._node.alive


def close_all() -> None:
    """Close every network that is still open; what a kernel does before it ends."""
    for net in list(_OPEN):
        with contextlib.suppress(SubnetLabError):
            net.close()
