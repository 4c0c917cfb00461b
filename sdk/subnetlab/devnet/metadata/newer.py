"""What the SDK reads of runtimes newer than the recorded one, added so that it can.

SDK 11.3 asks for `SubtensorModule.SubnetEpochConsensus` before it sets weights; the recorded runtime, the
newest that any package holds, came before that item. It is added with the newer runtime's type and default,
and nothing ever writes it: every subnet runs Yuma. Source: the SDK's generated storage descriptors.
"""

from subnetlab.devnet.metadata.document import Document
from subnetlab.errors import MetadataInvalid

PALLET, ITEM, MODEL = "SubtensorModule", "SubnetEpochConsensus", "Tempo"
"""The item added, and the one whose key it shares."""
_YUMA = b"\x00"


def with_newer(document: Document) -> Document:
    """The document with the items it lacks; one that has them comes back as it is.

    Raises:
        MetadataInvalid: it describes no Subtensor runtime.
    """
    pallets = document["pallets"]
    pallet = next((found for found in pallets if found["name"] == PALLET), None)
    if pallet is None:
        raise MetadataInvalid(f"The runtime has no pallet {PALLET}.")
    entries = {entry["name"]: entry for entry in pallet["storage"]["entries"]}
    if ITEM in entries:
        return document
    number = max(t["id"] for t in document["types"]) + 1
    model = entries[MODEL]
    entry = {
        **model,
        "name": ITEM,
        "type": ("map", {**model["type"][1], "value": number}),
        "default": _YUMA,
    }
    storage = {**pallet["storage"], "entries": [*pallet["storage"]["entries"], entry]}
    grown = [{**found, "storage": storage} if found is pallet else found for found in pallets]
    return {**document, "types": [*document["types"], _consensus_type(number)], "pallets": grown}


def _consensus_type(number: int) -> Document:
    variants = [
        {"name": name, "fields": [], "index": index, "docs": []}
        for index, name in enumerate(("Yuma", "Null"))
    ]
    return {
        "id": number,
        "path": ["pallet_subtensor", "EpochConsensus"],
        "parameters": [],
        "definition": ("variant", {"variants": variants}),
        "docs": [],
    }
