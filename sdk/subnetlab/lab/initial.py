"""Weights to start from, as a person names them: a state dict, what a run saved, an earlier run, a file.

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
        RunFileInvalid: it is a zip that no run was saved as.
    """
    if isinstance(init, Mapping):
        return _state(cast("Mapping[object, object]", init))
    if isinstance(init, Run):
        return _read(result_folder(init.folder) / MODEL_FILE)
    if isinstance(init, str | Path):
        path = Path(init).expanduser()
        if path.suffix.lower() == ".zip" and path.is_file():
            return _of_file(path)
        return _read(path / MODEL_FILE if path.is_dir() else path)
    raise ModelNotBuildable(
        f"A run cannot start from {kind_of(init)}.",
        hint="Give init a state dict, what run.save made, a run, or the path of a safetensors file.",
    )


def _of_file(path: Path) -> dict[str, Tensor]:
    """The weights in a run's file, whose record is proved first.

    Raises:
        RunFileInvalid: it is no file that a run was saved as.
        ModelNotBuildable: it holds no weights.
    """
    from subnetlab.lab.replay import open as open_file  # noqa: PLC0415  (polars, where a file is opened)

    weights = result_folder(open_file(path).folder) / MODEL_FILE
    if not weights.is_file():
        raise ModelNotBuildable(
            f"{path.name} was saved without the model's weights.",
            hint='Save the run with them, run.save("run.zip"), or give the run itself as init.',
        )
    return _read(weights)


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
            hint="Give the path of a safetensors file, of a folder with model.safetensors in it, or of "
            "the zip that run.save made.",
        ) from error
