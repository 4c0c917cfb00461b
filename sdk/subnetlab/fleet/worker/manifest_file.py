"""A run's manifest, and the few numbers of it that its supervisor needs, as JSON types.

The manifest and the table of phases belong to training, which needs torch. Reading them proves on the way
that the manifest can be read.
"""

import json
from pathlib import Path

from subnetlab.answers.manifest import AnswersManifest, is_answers
from subnetlab.errors import FleetStartFailed, ManifestInvalid
from subnetlab.fleet.launcher import Answer
from subnetlab.fleet.run_folder import MANIFEST_FILE
from subnetlab.train import phases
from subnetlab.train.manifest import Manifest


def run_header(run_folder: str) -> Answer:
    """The fields of `supervisor.run_header.RunHeader`.

    Raises:
        FleetStartFailed: the manifest is missing or no JSON.
        ManifestInvalid: it contradicts itself, or names a model that cannot be built.
    """
    manifest = read_manifest(Path(run_folder))
    heights = manifest.heights(0)
    length = manifest.blocks_per_round
    return {
        "run_id": manifest.run_id,
        "netuid": manifest.netuid,
        "manifest": manifest.to_json(),
        "manifest_hash": manifest.hash,
        "deterministic": isinstance(manifest, Manifest) and manifest.deterministic,
        "rounds": {
            "first_block": manifest.first_block,
            "rounds": manifest.rounds,
            "blocks_per_round": length,
        },
        "owed": {
            role: [(getattr(heights, height) - heights.open) % length for height in due.values()]
            for role, due in phases.EXPECTED.items()
        },
    }


def load_manifest(run_folder: Path) -> Manifest:
    """The manifest of a training run.

    Raises:
        FleetStartFailed: the file is missing or no JSON.
        ManifestInvalid: it contradicts itself, or the run trains no model.
    """
    manifest = read_manifest(run_folder)
    if not isinstance(manifest, Manifest):
        raise ManifestInvalid(
            "A run of answers trains no model.", hint="run.verdict() and run.frame() read it."
        )
    return manifest


def read_manifest(run_folder: Path) -> Manifest | AnswersManifest:
    """The manifest of a run of either kind.

    Raises:
        FleetStartFailed: the file is missing or no JSON.
        ManifestInvalid: it contradicts itself.
    """
    try:
        data = json.loads((run_folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FleetStartFailed(f"The run folder has no readable {MANIFEST_FILE}: {error}.") from error
    return AnswersManifest.from_json(data) if is_answers(data) else Manifest.from_json(data)
