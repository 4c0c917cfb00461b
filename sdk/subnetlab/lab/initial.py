"""Weights to start from, as a person names them: a state dict, a saved folder, an earlier run, a file.

Reads safetensors and nothing else; a pickled checkpoint is refused with a sentence. Whether the weights fit
the model, `train.models.tensors` says.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from subnetlab.archive.save import result_folder
from subnetlab.errors import ModelNotBuildable
from subnetlab.fleet.run_folder import MODEL_FILE
from subnetlab.lab.run import Run
from subnetlab.text import kind_of

_PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


def tensors(init: object) -> dict[str, Tensor]:
    """The named tensors that `init` names.

    Raises:
        ModelNotBuildable: it names none, or the file cannot be read.
        RunNotFinished: the run left no model.
    """
    if isinstance(init, Mapping):
        return _state(cast("Mapping[object, object]", init))
    if isinstance(init, Run):
        return _read(result_folder(init.folder) / MODEL_FILE)
    if isinstance(init, str | Path):
        path = Path(init).expanduser()
        return _read(path / MODEL_FILE if path.is_dir() else path)
    raise ModelNotBuildable(
        f"A run cannot start from {kind_of(init)}.",
        hint="Give init a state dict, a folder that run.save made, a run, or the path of a safetensors file.",
    )


def _state(init: Mapping[object, object]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, tensor in init.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise ModelNotBuildable(
                f"The state dict holds {kind_of(tensor)} as {name!r}.",
                hint="Give what model.state_dict() returns.",
            )
        found[name] = tensor.detach().cpu()
    if not found:
        raise ModelNotBuildable("The state dict is empty.", hint="Give what model.state_dict() returns.")
    return found


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix.lower() in _PICKLED:
        raise ModelNotBuildable(
            f"{path.name} is a pickle, which can run code while it is read.",
            hint="Load it yourself with torch.load(path, weights_only=True) and give the state dict as init.",
        )
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelNotBuildable(
            f"The weights in {path} cannot be read: {error}.",
            hint="Give the path of a safetensors file, or of a folder with model.safetensors in it.",
        ) from error
