"""Every error a user of SubnetLab can meet, in one tree: a base class a matter, below it what happens there.

Each leaf says what happened in the user's words and carries `.hint`, what to do next. Wrong arguments to
pure functions stay `ValueError`; `assert` states internal invariants only. `TrainError` means that nothing
was started, `MoneyError` that nothing was spent; `DevnetError` is raised inside the node's own process.
"""

from subnetlab.text import plain_lines


class SubnetLabError(Exception):
    """Anything SubnetLab refuses or fails to do; `str()` is the sentence plus the next step."""

    hint: str = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        """Keep the sentence, and the next step where it differs from the class's own."""
        super().__init__(message)
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return plain_lines(f"{message} {self.hint}" if self.hint else message)


class NetworkError(SubnetLabError):
    """The chain at the other end of the wire did not do what was asked."""


class UnknownNetwork(NetworkError):
    """No network has this name."""

    hint = 'Use "devnet", "local", "test", "finney", or an endpoint such as "ws://host:9944".'


class NodeUnreachable(NetworkError):
    """Nothing answers at the endpoint."""

    hint = "Start one with `subnetlab devnet`, or check the endpoint."


class NodeStartFailed(NetworkError):
    """The embedded node did not open its port."""


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


class StoreError(SubnetLabError):
    """Object storage did not do what was asked."""


class ObjectExists(StoreError):
    """An object of this name is already there; objects are created once and never overwritten."""


class ObjectMissing(StoreError):
    """No object has this name."""


class PlaceAway(ObjectMissing):
    """Another peer's place does not answer, or its locator is refused; for this peer nothing lies there."""


class ObjectTooLarge(StoreError):
    """The object is larger than the reader allows."""


class InvalidObjectName(StoreError):
    """The name could leave the store's own folder."""


class StoreUnreachable(StoreError):
    """The store cannot be reached or written."""


class StoreAddressInvalid(StoreUnreachable):
    """The text names no store, or holds what no address may hold, such as a key."""

    hint = (
        "Give a folder, s3://bucket/prefix?endpoint=…&region=…, gs://bucket/prefix, "
        "az://container/prefix?account=… or https://host/path (reading only)."
    )


class RecordError(SubnetLabError):
    """The record of a run could not be read or written."""


class RecordCorrupt(RecordError):
    """A line of the record does not follow from the one before it."""


class TrainError(SubnetLabError):
    """A training run could not be described or taken part in."""


class ManifestInvalid(TrainError):
    """The manifest contradicts itself or misses something."""


class ModelNotBuildable(TrainError):
    """The model cannot be built in a miner process."""


class ModelFailed(TrainError):
    """The model's own code failed in the middle of a run."""

    hint = "Call the model on such a batch in a cell to see where; the traceback is in the run's log."


class ScoreFailed(TrainError):
    """A score of one's own failed in the middle of a run, or returned what is no score."""

    hint = "Let it return a finite number from 0 up for every payload; the traceback is in the run's log."


class DatasetEmpty(TrainError):
    """There is too little data to train on."""


class DataInvalid(TrainError):
    """The data cannot be trained on as it is."""


class ArgumentInvalid(TrainError, ValueError):
    """An argument has the wrong type, or a value that no run can have; nothing was started or spent."""


class ModelDiverged(TrainError):
    """The loss of the model is no longer a finite number."""

    hint = "Lower the learning rate, clip harder, or start from smaller weights."


class NotRegistered(TrainError):
    """The hotkey holds no seat on the subnet in this round."""

    hint = "Register it, and start the peer again."


class PayloadRejected(TrainError):
    """A peer's payload failed a check; `.reason` is the short word the record keeps."""

    def __init__(self, message: str, *, reason: str, hint: str | None = None) -> None:
        """Keep the reason beside the sentence."""
        super().__init__(message, hint=hint)
        self.reason = reason


class FleetError(SubnetLabError):
    """The processes of a run could not be started or kept."""


class FleetStartFailed(FleetError):
    """The miners or validators did not come up."""


class ControlRefused(FleetError):
    """A run's supervisor refused what it was asked to do."""


class CellFailed(FleetError):
    """A cell of the owner's failed on a peer; the run goes on."""

    hint = "What each peer printed, and its traceback, is in the result's `.outputs`."


class RunError(SubnetLabError):
    """A run could not be found or read."""


class UnknownRun(RunError):
    """No run has this name."""


class RunNotFinished(RunError):
    """The run has not come to its end."""


class RunOver(RunError):
    """The run does not go on, so nothing can be done to it."""


class RunUnderWay(RunError):
    """The subnet trains another run already; nothing was announced."""

    hint = "End it with `subnetlab run stop`, or replace it with `--replace`."


class HotkeyInUse(RunError):
    """Another process takes part in the run with the same hotkey, whose one commitment a round both need."""

    hint = "End one of the two processes, or register a hotkey of its own for each."


class UnknownUid(RunError):
    """No peer of the run holds this uid."""


class RunFileInvalid(RunError):
    """The file is not a recorded run, or it was changed on its way."""

    hint = "Ask for the file that run.save('run.zip') wrote."


class HostError(SubnetLabError):
    """A host of kernels could not be started, or refuses what is asked of it."""


class RemoteUnreachable(HostError):
    """No host answers at the address, or it does not answer as one."""

    hint = "Check the address, and that `subnetlab host` runs there."


class RemoteFailed(HostError):
    """A cell failed in a remote kernel, with this kind of error and this traceback."""

    ename, traceback = "", ""


class ClassError(SubnetLabError):
    """A class could not be started or joined, or refuses what is asked of it."""


class ClassUnreachable(ClassError):
    """No class answers at the address."""

    hint = "Check the address, and that `subnetlab class` runs there."


class LessonError(SubnetLabError):
    """An exercise of the course could not be taken as solved."""


class AnswerWrong(LessonError):
    """The answer to an exercise is wrong or missing."""


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
