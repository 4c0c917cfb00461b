"""The model a run made, from the files of its folder: built from its configuration, filled by its tensors.

The supervisor wrote the files by replaying what was published, so they are the model anyone can prove. No
pickle is read.
"""

import json
import shutil
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from subnetlab.errors import RunError, RunNotFinished
from subnetlab.fleet.result import CARD_FILE, CONFIG_FILE, MODEL_FILE, RESULT_FOLDER
from subnetlab.lab.verdict import Verdict
from subnetlab.train import models


def load_result(run_folder: Path) -> nn.Module:
    """Build the model of a run and load its weights; ready to evaluate.

    Raises:
        RunNotFinished: the run left no model.
        ModelNotBuildable: the model's own code is not at hand.
        RunError: the files are not what the run wrote.
    """
    folder = _result(run_folder)
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        model = models.from_json(config["model"], trusted=True).build()
        model.load_state_dict(load_file(folder / MODEL_FILE))
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise RunError(f"The result in {folder} cannot be read: {error}.") from error
    return model.eval()


def save_result(run_folder: Path, target: Path, verdict: Verdict) -> Path:
    """Copy model, configuration and card into a folder, the verdict added to the card.

    Raises:
        RunNotFinished: the run left no model.
        RunError: the folder holds something already.
    """
    folder = _result(run_folder)
    if target.exists() and any(target.iterdir()):
        raise RunError(f"{target} is not empty; nothing was written.", hint="Name a new folder.")
    shutil.copytree(folder, target, dirs_exist_ok=True)
    card = target / CARD_FILE
    said = "\n".join(f"    {line}".rstrip() for line in str(verdict).splitlines())
    card.write_text(f"{card.read_text(encoding='utf-8')}\n{said}\n", encoding="utf-8")
    return target


def _result(run_folder: Path) -> Path:
    folder = run_folder / RESULT_FOLDER
    if not (folder / CONFIG_FILE).is_file():
        raise RunNotFinished(f"Run {run_folder.name} left no model.", hint="It ended before a round closed.")
    return folder
