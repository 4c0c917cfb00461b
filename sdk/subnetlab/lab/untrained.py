"""Where a run began: the held-out loss of the model nobody has trained yet.

Not recorded, because it follows from the manifest: same seed, same weights, same held-out sequences.
"""

from pathlib import Path

from subnetlab.fleet.worker.header import load_manifest
from subnetlab.lab.plan import open_corpus
from subnetlab.train import models
from subnetlab.train.manifest import Manifest
from subnetlab.train.scoring.losses import validation_loss
from subnetlab.train.theta import FlatModel


def untrained_loss(run_folder: Path) -> float:
    """Build the model of a run as it was before the first step, and measure it, in the task's unit.

    Raises:
        FleetStartFailed: the folder holds no manifest.
        ModelNotBuildable: the model's own code is not at hand.
        DatasetEmpty: the data is not at hand.
    """
    manifest: Manifest = load_manifest(run_folder)
    corpus = open_corpus(run_folder, manifest)
    model = FlatModel(models.build(manifest.model, manifest.seed), manifest.task, manifest.optimizer)
    return float(validation_loss(model, manifest, corpus))
