"""What can go wrong with stores, records, training, fleets, runs, hosts, classes and lessons."""

from subnetlab.errors.base import SubnetLabError
from subnetlab.errors.chain import NetworkError


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

    hint = "Ask the run's owner: its manifest and what lies in its store have to be of one run and version."


class ManifestOfAnotherVersion(ManifestInvalid):
    """The manifest has fields or values that this version of SubnetLab does not know."""

    hint = "The manifest is of another version: install that one, or start the run anew."


class ModelNotBuildable(TrainError):
    """The model cannot be built in a miner process."""


class ModelFailed(TrainError):
    """The model's own code failed in the middle of a run."""

    hint = "Call the model on such a batch in a cell to see where; the traceback is in the run's log."


class DeviceMissing(TrainError):
    """A peer was to compute on a device, or with a compiler, that its machine does not have."""

    hint = 'Give device="cpu", or leave it out: "auto" takes what is there. `subnetlab doctor` names it.'


class ScoreFailed(TrainError):
    """A score of one's own failed in the middle of a run, or returned what is no score."""

    hint = "Let it return a finite number from 0 up for every payload; the traceback is in the run's log."

    def __init__(self, message: str, *, hint: str | None = None, below_0: bool = False) -> None:
        """Keep beside the words whether it returned a number, one below 0."""
        super().__init__(message, hint=hint)
        self.below_0 = below_0


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

    hint = "`subnetlab doctor` says what this machine lacks; sl.runs() lists what goes on."


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

    hint = "Check the address, and ask your teacher whether the class (`subnetlab class`) still goes on."


class NotInClass(ClassError, NetworkError):
    """The class does not know this student any more, so its chain and store answer nothing."""

    hint = "Your teacher gives a code with which you may join again."


class LessonError(SubnetLabError):
    """An exercise of the course could not be taken as solved."""


class AnswerWrong(LessonError):
    """The answer to an exercise is wrong or missing."""
