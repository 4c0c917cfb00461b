"""A connected network as a notebook holds it: `net`.

`connect()` starts the embedded node, or takes any other network by name or endpoint; the verbs are the same
everywhere. Money verbs use the SDK's own keywords and go through budget and confirmation. Time and state can
be held only on development chains.
"""

import contextlib
import threading
import weakref
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from subnetlab.errors import ArgumentInvalid, DevnetOnly, FleetError, NetworkError
from subnetlab.fleet.spec import read_spec
from subnetlab.lab import arguments, embedded
from subnetlab.lab.creation import checked_name, create
from subnetlab.lab.embedded import EmbeddedNode
from subnetlab.lab.money import MoneyVerbs
from subnetlab.lab.opened import Opened, close_dropped
from subnetlab.lab.preset import Changes
from subnetlab.lab.run import Run
from subnetlab.lab.sealing import Sealing
from subnetlab.lab.subnet import Subnet
from subnetlab.network import endpoints
from subnetlab.network.budget import Budget
from subnetlab.network.client import NetworkClient
from subnetlab.network.confirm import Confirm, checked
from subnetlab.network.wallets import Wallet
from subnetlab.record.events import Spent
from subnetlab.report import html
from subnetlab.signatures import known_arguments
from subnetlab.text import NAME, plain
from subnetlab.waiting import waiting

if TYPE_CHECKING:
    from subnetlab.lab.explorer import Explorer

BLOCK_TIME_S = 0.25
IDLE_LIMIT_S = 600.0

_NETS: "weakref.WeakSet[Net]" = weakref.WeakSet()
_REJOINING = threading.Lock()
"""However many take hold of runs of one chain at once, they share one connection."""


@known_arguments("sl.connect")
def connect(
    network: str = endpoints.DEVNET,
    *,
    sealing: Literal["instant", "manual"] | float = BLOCK_TIME_S,
    confirm: Confirm | None = None,
    idle_limit_s: float = IDLE_LIMIT_S,
    code: str = "",
    name: str = "",
) -> "Net":
    """Connect to a network; without a name, start a chain of one's own on this machine.

    Args:
        network: `devnet` (embedded), `local`, `test`, `finney`, an endpoint `ws://host:port`, or the address
            of a class, `https://host/path`.
        sealing: the embedded chain's blocks: per extrinsic, only when asked, or every so many seconds.
        confirm: who is asked before money is spent; a person on real networks unless given.
        idle_limit_s: an embedded node ends by itself after so many seconds without a client.
        code: opens a class, once: afterwards its address alone is enough in this home.
        name: what a student is called on the class's board.

    Raises:
        ClassError: the class does not take this student in; the sentence says why.
        UnknownNetwork: no such name.
        NodeStartFailed: the embedded node did not come up.
        NodeUnreachable: no node answers at the endpoint.
        ArgumentInvalid: an argument has a wrong type or value; nothing was started.

    Example:
        >>> net = connect()  # doctest: +SKIP
    """
    close_dropped()
    if isinstance(network, str) and network.startswith(("http://", "https://")):  # pyright: ignore[reportUnnecessaryIsInstance]  # notebooks are untyped
        from subnetlab.lab.class_net import join  # noqa: PLC0415  (is a Net itself)

        with waiting("the class to let you in"):
            return join(network, code, name, confirm=checked(confirm))
    if code or name:
        raise ArgumentInvalid("code and name join a class, at its address.", hint=_class_hint(network))
    found = endpoints.resolve(arguments.a_word("network", network, '"test" or "ws://host:9944"'))
    chosen = arguments.a_sealing(sealing)
    idle_limit_s = arguments.seconds("idle_limit_s", idle_limit_s)
    checked(confirm)
    if found.endpoint is not None:
        with waiting(f"an answer of {found.name}"):
            return _joined(NetworkClient(found.endpoint, name=found.name, confirm=confirm), None)
    mode = [f"--{chosen}"] if isinstance(chosen, str) else ["--block-time", str(chosen)]
    node = EmbeddedNode(*mode, "--exit-when-idle", str(idle_limit_s))
    return _joined(NetworkClient(node.endpoint, name=endpoints.DEVNET, confirm=confirm), node)


def _class_hint(network: object) -> str:
    """How a class is joined, with the address that was given where it only lacks its scheme."""
    text = network.partition("ws://")[2] or network if isinstance(network, str) else ""
    return f'sl.connect("{endpoints.with_scheme(text) or "http://…"}", code="…", name="…")'


def rejoin(run: Run) -> "Net | None":
    """The network of a run's chain, connected to where it is not yet; None where the chain is gone."""
    try:
        spec = read_spec(run.folder)
        if spec.node and embedded.node_at(spec.endpoint) != spec.node:
            return None  # another chain may answer at its port by now
        with _REJOINING:
            for net in list(_NETS):
                if net.endpoint == spec.endpoint and not net.closed:
                    return net
            return _joined(NetworkClient(spec.endpoint, name=spec.network), None)
    except (FleetError, NetworkError):
        return None


def _joined(client: NetworkClient, node: EmbeddedNode | None) -> "Net":
    try:
        return Net(client, node)
    except BaseException:
        client.close()
        if node is not None:
            node.close()
        raise


class Net(MoneyVerbs):
    """A network: wallets, money, subnets, and on a devnet also time. Made by `connect`; a context manager.

    `client` is the bittensor SDK's client, `preset` lists the rules that were changed for the lesson, `spent`
    what was paid, staked, taken back or moved by an intent through this object (`ledger()` has all, the price
    of a subnet and of its seats too), `sealing` says who may seal a development chain's blocks.
    """

    def __init__(self, client: NetworkClient, node: EmbeddedNode | None = None) -> None:
        self._client, self._node = client, node
        self.name, self.endpoint = client.network.name, client.endpoint
        self.play_money = client.development
        self.sealing = Sealing(client.dev)
        self.preset = Changes()
        self.spent: list[Spent] = []
        self.runs: list[Run] = []
        self.detached: list[Run] = []
        """Runs that outlive this object, and with them the embedded node."""
        self._start = client.dev.snapshot() if node is not None else None
        self.opened_at = monotonic()
        """Tells the newer of two networks in a notebook's variables."""
        self._opened = Opened(client, node)
        weakref.finalize(self, self._opened.drop).atexit = False
        _NETS.add(self)

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
        """The web3 object of this network (`web3.Web3` over HTTP), connected on first use.

        `net.evm_wallet("alice").signer()` signs for it. Our node answers WebSockets at `net.endpoint` too.

        Raises:
            NotYetSupported: the node answers nothing of the EVM.
            WrongChain: what answers there is another chain.
        """
        return self._client.w3

    @property
    def budget(self) -> Budget:
        """What may be spent here; `net.budget.set(tao=…)` changes it."""
        return self._client.budget

    def __repr__(self) -> str:
        if self.closed:
            return f"{plain(self.name, NAME)}: closed."
        money = "play money" if self.play_money else "REAL TAO"
        return f"{plain(self.name, NAME)} at {plain(self.endpoint)}, block {self.block}, {money}"

    def _repr_html_(self) -> str:
        money = "play money" if self.play_money else "REAL TAO"
        return html.block(html.badge(money, real=not self.play_money), html.paragraph(repr(self)))

    def explorer(self) -> "Explorer":
        """Blocks, extrinsics and events of this network, live as the last line of a cell; it only reads.

        Example:
            >>> net.explorer().find("0x…")  # doctest: +SKIP
        """
        from subnetlab.lab.explorer import Explorer  # noqa: PLC0415  (decoders are loaded by who looks)

        return Explorer(self)

    # -- subnets -----------------------------------------------------------------------------------

    @known_arguments("net.create_subnet")
    def create_subnet(self, name: str, *, wallet: str | Wallet = "alice") -> Subnet:
        """Create a subnet, start it and publish its name; the wallet owns it and pays the price of the day.

        On a development chain the lesson's rules are set as well, each as a visible Sudo extrinsic. A subnet
        of this wallet and name that was paid for and never started is finished instead of paid for again.

        Raises:
            InvalidSubnetName: the chain cannot keep this name; nothing was spent.
            MoneyError: nothing was spent; the message says why.
            ChainPaced: a run seals this chain's blocks; nothing was spent.
            ChainRejected: the chain refused.
            SubnetIncomplete: the subnet is paid for, and a later step failed; the message says how to go on.
        """
        checked, owner = checked_name(name), self.wallet(wallet)
        with self._quick("net.create_subnet"):
            netuid = create(self._client, checked, owner, self.preset)
        return Subnet(self, netuid, name=checked, owner=owner)

    def subnet(self, netuid: int, *, wallet: str | Wallet = "alice") -> Subnet:
        """A subnet that exists; `wallet` is whom its fleets will belong to.

        Raises:
            ChainRejected: there is none of this number.
        """
        netuid = arguments.count("netuid", netuid, least=0, most=arguments.MOST_NETUID)
        found = self._client.metagraph(netuid)
        name = found.name or f"subnet {netuid}"
        return Subnet(self, netuid, name=name, owner=wallet)

    # -- time and state, on a devnet ---------------------------------------------------------------

    def _quick(self, verb: str) -> contextlib.AbstractContextManager[None]:
        """Seal a block per extrinsic inside, as before afterwards; does nothing on other chains."""
        return self.sealing.per_extrinsic(verb) if self.play_money else contextlib.nullcontext()

    def seal(self, blocks: int = 1) -> int:
        """Seal blocks now; the new height.

        Raises:
            DevnetOnly: blocks come by themselves there.
            ChainPaced: a run seals this chain's blocks; none was sealed.
        """
        self._dev("seal")
        blocks = arguments.count("blocks", blocks, least=1, most=arguments.MOST_BLOCKS)
        with self.sealing.held("net.seal"), waiting(f"{blocks} blocks"):
            return self._client.dev.seal(blocks).number

    def snapshot(self) -> Any:
        """Hold the chain as it is; `revert` takes what this returns.

        Raises:
            DevnetOnly: that chain cannot be held.
            ChainPaced: a run seals this chain's blocks.
        """
        self._dev("snapshot")
        with self.sealing.held("net.snapshot"):
            return self._client.dev.snapshot()

    def revert(self, snapshot: Any) -> int:
        """Put the chain back to a snapshot; the height it is at then.

        Raises:
            DevnetOnly: that chain cannot be turned back.
            ChainRejected: there is no such snapshot.
            ChainPaced: a run seals this chain's blocks; it was not turned back.
        """
        self._dev("revert")
        with self.sealing.held("net.revert"):
            self._client.turn_back(snapshot)
        return self.block

    def reset(self) -> int:
        """Put the embedded chain back to where it was when it was started; errors as `revert`."""
        if self._start is None:
            raise DevnetOnly(f"{self.name} was not started here.", hint="net = sl.connect() starts a chain.")
        height = self.revert(self._start)
        self.preset.clear()
        return height

    def _dev(self, verb: str) -> None:
        if not self.play_money:
            raise DevnetOnly(f"net.{verb} needs a development chain; {self.name} is none.")

    # -- ending ------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether this network was left."""
        return self._opened.closed

    def own(self, run: Run, *, detach: bool) -> None:
        """List a run that was started here; unless it is detached, it ends with this network."""
        run.net = self
        (self.detached if detach else self.runs).append(run)
        self._opened.own(run.folder, detach=detach)

    @waiting("the runs of this network to end")
    def close(self) -> None:
        """Leave the network; stop the runs started here that were not detached, and the embedded node.

        A node on which a detached run goes on is left to it, and ends by itself when no client is connected.
        """
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether the embedded node still runs; True for a network that was not started here."""
        return self._node is None or self._node.alive
