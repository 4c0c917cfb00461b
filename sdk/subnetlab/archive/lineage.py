"""How a model came to be, as one signed file in a standard form.

An in-toto Statement v1 with SLSA provenance v1 as its predicate, in a DSSE envelope: the weights are its
subject, the data's shards its resolved dependencies, the manifest its external parameters, the aggregates of
its rounds its byproducts. The owner's hotkey signs it (sr25519, the key id is its ss58 address). Any reader
of in-toto shows it; whether the run took place like that, `train.verify` tells. Loads no torch.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from subnetlab.errors import RunFileInvalid
from subnetlab.record.files import open_plain, read_plain

LINEAGE_FILE: Final = "lineage.intoto.json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
BUILD_TYPE: Final = "urn:subnetlab:training-run:1"
MOST_BYTES: Final = 64 << 20
_MIB: Final = 1 << 20

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard of a run's data."""

    name: str
    sha256: str
    leaf: str
    """Its hash in the tree whose root the manifest fixes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """A lineage whose signature holds."""

    signer: str
    """The ss58 address that signed it."""
    statement: dict[str, Any]

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest of the run."""
        return self._built("externalParameters")["manifest"]

    @property
    def files(self) -> dict[str, str]:
        """The sha256 of every file that it is about, by name."""
        return {str(each["name"]): str(each["digest"]["sha256"]) for each in self.statement["subject"]}

    @property
    def theta(self) -> str:
        """The hash of the model."""
        return str(self._built("internalParameters")["theta"])

    @property
    def shards(self) -> list[Shard]:
        """The data that it was trained on."""
        found = self._built("resolvedDependencies")
        return [Shard(str(s["name"]), s["digest"]["sha256"], s["digest"]["subnetlabLeaf"]) for s in found]

    def _built(self, name: str) -> Any:
        return self.statement["predicate"]["buildDefinition"][name]


def statement(
    *, manifest: Mapping[str, Any], theta: str, owner: str, network: str, files: Mapping[str, str],
    shards: Iterable[Shard], made: Iterable[tuple[int, str]],
) -> dict[str, Any]:  # fmt: skip
    """The statement of a run.

    Args:
        manifest: as JSON.
        theta: hash of the model.
        owner: hotkey (ss58) of the subnet's owner.
        network: what the chain is called.
        files: sha256 of the files that the model lies in, by name.
        shards: of the data.
        made: each round that closed, counted from 1, with the hash of its aggregate.
    """
    subject = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(files.items())]
    dependencies = [
        {"name": each.name, "digest": {"sha256": each.sha256, "subnetlabLeaf": each.leaf}} for each in shards
    ]
    byproducts = [{"name": f"aggregate of round {n}", "digest": {"subnetlabAggregate": h}} for n, h in made]
    return {
        "_type": STATEMENT_TYPE,
        "subject": subject,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"manifest": dict(manifest)},
                "internalParameters": {"theta": theta, "network": network},
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {"id": f"urn:subnetlab:owner:{owner}"},
                "metadata": {"invocationId": str(manifest["run_id"])},
                "byproducts": byproducts,
            },
        },
    }


def signed(said: Mapping[str, Any], signer: str, sign: Sign) -> bytes:
    """The statement in a DSSE envelope, signed once."""
    payload = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    signature = base64.b64encode(sign(_pre_authentication(payload))).decode()
    envelope = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": signer, "sig": signature}],
    }
    return json.dumps(envelope, indent=1).encode() + b"\n"


def read_lineage(path: Path) -> Lineage:
    """Read a lineage and prove its signature.

    Raises:
        RunFileInvalid: it cannot be read, is none, or is not signed by the key that it names.
    """
    from bittensor_core import Keypair  # noqa: PLC0415  (loaded when a signature is proven)

    try:
        if path.stat().st_size > MOST_BYTES:
            raise RunFileInvalid(f"{path.name} is too large for a lineage.")
        envelope = cast("dict[str, Any]", json.loads(read_plain(path, MOST_BYTES)))
        payload = base64.b64decode(envelope["payload"], validate=True)
        [signature] = envelope["signatures"]
        signer, sig = str(signature["keyid"]), base64.b64decode(signature["sig"], validate=True)
        holds = envelope["payloadType"] == PAYLOAD_TYPE and Keypair(ss58_address=signer).verify(
            _pre_authentication(payload), sig
        )
        said = json.loads(payload)
        found = Lineage(signer=signer, statement=said)
        known = (
            said["_type"],
            said["predicateType"],
            found.statement["predicate"]["buildDefinition"]["buildType"],
        )
        _ = found.files, found.shards, found.theta, found.manifest["run_id"]
    except (
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RecursionError,
        binascii.Error,
    ) as error:
        raise RunFileInvalid(f"{path.name} is no lineage of a run: {error!r}.") from error
    if not holds:
        raise RunFileInvalid(f"{path.name} is not signed by {signer}, or was changed since.")
    if known != (STATEMENT_TYPE, PREDICATE_TYPE, BUILD_TYPE):
        raise RunFileInvalid(f"{path.name} is a statement about something else.")
    return found


def sha256_of(path: Path) -> str:
    """The sha256 of a file, 64 hex digits.

    Raises:
        OSError: it cannot be read.
    """
    found = hashlib.sha256()
    with open_plain(path) as stream:
        while chunk := stream.read(_MIB):
            found.update(chunk)
    return found.hexdigest()


def _pre_authentication(payload: bytes) -> bytes:
    """What a DSSE envelope signs."""
    kind = PAYLOAD_TYPE.encode()
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])
