"""The runtime version as clients ask for it: in JSON and in SCALE.

Source: the recorded runtime; API ids are blake2b-64 of their names.
"""

from typing import Any

from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.chain.extrinsic import digest

SPEC_NAME = "node-subtensor"


API_VERSIONS = {
    "Core": 5,
    "Metadata": 2,
    "BlockBuilder": 6,
    "TaggedTransactionQueue": 3,
    "OffchainWorkerApi": 2,
    "GrandpaApi": 3,
    "TransactionPaymentApi": 4,
    "TransactionPaymentCallApi": 4,
}
"""Versions of Substrate's own runtime APIs where they are not 1; clients look them up before they call."""


def scale_value(codec: Codec) -> dict[str, Any]:
    """The version as `Core_version` encodes it."""
    return {
        "spec_name": SPEC_NAME,
        "impl_name": SPEC_NAME,
        "authoring_version": 1,
        "spec_version": codec.spec_version,
        "impl_version": 1,
        "apis": [["0x" + digest(name.encode(), 8).hex(), API_VERSIONS.get(name, 1)] for name in codec.apis],
        "transaction_version": codec.transaction_version,
        "system_version": 1,
    }


def json_value(codec: Codec) -> dict[str, Any]:
    """The version as `state_getRuntimeVersion` shows it."""
    value = scale_value(codec)
    return {
        "specName": value["spec_name"],
        "implName": value["impl_name"],
        "authoringVersion": value["authoring_version"],
        "specVersion": value["spec_version"],
        "implVersion": value["impl_version"],
        "apis": value["apis"],
        "transactionVersion": value["transaction_version"],
        "systemVersion": value["system_version"],
        "stateVersion": value["system_version"],
    }
