"""The one item that the SDK reads of a newer runtime is there, and adding it changes nothing else."""

import bittensor_core
import pytest

from subnetlab.devnet import metadata
from subnetlab.devnet.metadata import document, newer
from subnetlab.errors import MetadataInvalid


def test_every_subnet_runs_yuma() -> None:
    runtime = bittensor_core.Runtime(metadata.recorded(), 461, 1, 42)
    entry = runtime.storage_entry(newer.PALLET, newer.ITEM)
    assert runtime.decode(entry.value_type, bytes(entry.default_bytes)) == "Yuma"


def test_a_document_that_has_it_stays_as_it_is() -> None:
    recorded = document.read(metadata.recorded())
    assert newer.with_newer(recorded) is recorded


def test_adding_it_keeps_every_other_item() -> None:
    recorded = document.read(metadata.recorded())
    older = {**recorded, "types": recorded["types"][:-1], "pallets": []}
    for pallet in recorded["pallets"]:
        if pallet["name"] == newer.PALLET:
            entries = [e for e in pallet["storage"]["entries"] if e["name"] != newer.ITEM]
            pallet = {**pallet, "storage": {**pallet["storage"], "entries": entries}}  # noqa: PLW2901
        older["pallets"].append(pallet)
    assert document.write(newer.with_newer(older)) == metadata.recorded()


def test_metadata_of_another_chain_is_refused() -> None:
    with pytest.raises(MetadataInvalid):
        newer.with_newer({"types": [], "pallets": []})
