"""What can go wrong with a chain, a wallet or money, and inside the node's own process."""

from subnetlab.errors.base import SubnetLabError


class NetworkError(SubnetLabError):
    """The chain at the other end of the wire did not do what was asked."""


class UnknownNetwork(NetworkError):
    """No network has this name."""

    hint = 'Use "devnet", "local", "test", "finney", or an endpoint such as "ws://host:9944".'


class NodeUnreachable(NetworkError):
    """Nothing answers at the endpoint."""

    hint = "Start one with `subnetlab devnet`, or check the endpoint."


class NotOnChain(NetworkError):
    """The chain holds no such block, extrinsic, transaction or account."""

    hint = "net.explorer() shows the newest blocks; give a number, a hash or an address of this network."


class NodeStartFailed(NetworkError):
    """The embedded node did not open its port."""

    hint = "`subnetlab doctor` says what this machine lacks."


class ChainRejected(NetworkError):
    """The chain refused an extrinsic; nothing changed but perhaps the fee."""

    def __init__(self, message: str, *, pallet: str = "", code: str = "", hint: str | None = None) -> None:
        """Keep the chain's own pallet and error name beside the sentence."""
        super().__init__(message, hint=hint)
        self.pallet, self.code = pallet, code
        self.fee_rao: int | None = None
        """What it cost where it failed in a block; None where that is not known."""


class WrongChain(NetworkError):
    """What answers is another chain than the one that is meant; nothing was sent."""

    hint = "Check the endpoint: a transaction signed for one chain may be worth something on another."


class DevnetOnly(NetworkError):
    """Only a development chain can do this."""

    hint = "Use it with net = sl.connect(), the embedded devnet."


class DevnetNotYours(DevnetOnly):
    """A development node lets only the user who started it move its time and money."""

    hint = (
        "Use it as that user and with the same SUBNETLAB_HOME, or start one of your own: net = sl.connect()."
    )


class ChainPaced(NetworkError):
    """A run seals this chain's blocks, so nothing else may; nothing was registered, sealed or spent."""

    hint = "Wait for its end with run.wait(), or end it with run.stop(); sl.runs() lists the runs."


class InvalidSubnetName(NetworkError):
    """The chain cannot keep this name, or a page cannot show it; nothing was spent."""

    hint = "Use a short name of letters, digits and spaces."


class SubnetIncomplete(NetworkError):
    """A subnet was paid for, but a later step of its creation failed."""

    def __init__(self, message: str, *, netuid: int, hint: str | None = None) -> None:
        """Keep the subnet's number beside the sentence."""
        super().__init__(message, hint=hint)
        self.netuid = netuid


class NotYetSupported(NetworkError):
    """A face of the network that has not landed yet."""


class WalletError(SubnetLabError):
    """A wallet could not be used."""


class UnknownWallet(WalletError):
    """No wallet has this name."""

    hint = (
        "On a devnet use alice, bob, charlie, dave, eve or ferdie; "
        "elsewhere create one with `btcli wallet create`."
    )


class SecretRefused(WalletError):
    """Something that looks like a secret was given where no secret belongs."""

    hint = "Never paste a mnemonic, seed or private key into a notebook; use a wallet by name."


class KeyLocked(WalletError):
    """A key is encrypted on disk and was not opened; nothing was signed."""

    hint = "Run it again to be asked again; `btcli wallet list` shows which keys there are."


class PasswordWrong(WalletError):
    """A password does not open a key."""

    hint = "Type the password that this key was encrypted with; case and spaces count."


class WalletRefused(WalletError):
    """A wallet in the page, or the person at it, said no."""


class WalletSilent(WalletError):
    """No page with the wallet answered in time; nothing was signed."""

    hint = "Keep one tab of the notebook open that shows the wallet, and look for its window."


class WalletLied(WalletError):
    """What a wallet in the page returned is not of the account it showed; nothing left that account."""

    hint = "Do not use this extension for money; reload the page, and check which account it has chosen."


class WalletAltered(SubnetLabError):
    """A wallet in the page sent something else than it was asked for; the amount counts as spent."""

    hint = "Look at the balance and at the wallet's own list before going on."


class MoneyError(SubnetLabError):
    """A spend was refused before anything was spent."""


class InvalidAmount(MoneyError):
    """The amount is not a positive number of tokens the chain can carry."""


class InsufficientBalance(MoneyError):
    """The wallet does not hold enough."""


class OverBudget(MoneyError):
    """The spend would pass the budget of this network."""

    hint = "Raise it deliberately with net.budget.set(tao=…)."


class NotConfirmed(MoneyError):
    """The person asked did not confirm."""


class HeadlessSpendRefused(MoneyError):
    """Real money is never spent without a person to confirm it."""


class DevnetError(SubnetLabError):
    """The node could not start or keep its state."""


class GenesisInvalid(DevnetError):
    """The genesis configuration contradicts itself."""


class StateFileInvalid(DevnetError):
    """The saved state does not belong to this node."""


class TokenFileInvalid(DevnetError):
    """The file that guards the node's development methods cannot be trusted."""

    hint = "Give a file that only you can read (chmod 600), or a path where none is yet."


class PortTaken(DevnetError):
    """Another process holds the port."""

    hint = "Use --port 0 to let the system pick a free one."


class MetadataInvalid(DevnetError):
    """The recorded runtime metadata cannot be read."""

    hint = "Record a runtime anew: python -m subnetlab.devnet.metadata.record SOURCE FILE."
