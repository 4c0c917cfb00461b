"""Which run it is: manifest and seats against the chain, data against the manifest."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from subnetlab.errors import ManifestInvalid, ObjectMissing, ObjectTooLarge, PayloadRejected, StoreError
from subnetlab.network.commit_history import ChainHistory
from subnetlab.network.metagraph import MetagraphSnapshot
from subnetlab.store.base import Store
from subnetlab.train import object_paths
from subnetlab.train.anchors import Anchor
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.data.shards import read_shard_hashes
from subnetlab.train.hashing import canonical_json, digest
from subnetlab.train.roster import Seat
from subnetlab.train.round_record import LIMIT, RoundRecord
from subnetlab.train.verify.findings import Report


def canonical_hash(manifest: Mapping[str, Any]) -> str:
    """The hash of a manifest's JSON as it was found, which names the run wherever it is signed."""
    return digest("manifest", canonical_json(manifest)).hex()


def proven_run(history: ChainHistory | None, store: Store | None) -> str:
    """The manifest's hash that the records name which are anchored on chain; empty where none can be read."""
    runs: Counter[str] = Counter()
    for each in history.commitments if history and store else ():
        anchor = Anchor.from_bytes(each.data)
        if anchor is None or anchor.who != "validator" or store is None:
            continue
        try:
            hash_ = anchor.current.hex()
            runs[RoundRecord.of_hash(hash_, store.get(object_paths.record(hash_), LIMIT)).run] += 1
        except (PayloadRejected, ObjectMissing, ObjectTooLarge):
            continue
    return runs.most_common(1)[0][0] if runs else ""


def choose_manifest(
    found: Mapping[str, Mapping[str, Any]], proven: str, report: Report
) -> Mapping[str, Any] | None:
    """The manifest that the chain proves, of those that were found; each other one is named.

    Args:
        found: manifests as JSON, by where each lies.
        proven: the hash that the chain names; empty where it names none.
        report: takes the findings.
    """
    report.count("manifest", len(found))
    hashes = {place: canonical_hash(manifest) for place, manifest in found.items()}
    if not proven:
        if len(set(hashes.values())) > 1:
            report.tampered("manifest", "manifest", f"{' and '.join(found)} hold different manifests.")
        return next(iter(found.values()), None)
    chosen = next((found[place] for place, hash_ in hashes.items() if hash_ == proven), None)
    for place, hash_ in hashes.items():
        if hash_ != proven:
            differing = _differing(found[place], chosen) if chosen is not None else ""
            said = (
                f"The manifest in {place} has hash {hash_[:12]}…, the chain names {proven[:12]}….{differing}"
            )
            report.tampered("manifest", "manifest", said)
    return chosen


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    names = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
    return f" They differ in {', '.join(names)}."


def check_data(corpus: Corpus, told: Mapping[str, Any] | None, store: Store | None, report: Report) -> bool:
    """Hash the run's data again and name each shard that is another; whether all of it is the run's.

    Args:
        corpus: the data at hand, laid out as the manifest says.
        told: what lies beside the data as its description; None where it is made again from its source.
        store: where the hashes of all shards lie, if they were published.
        report: takes the findings.
    """
    manifest = corpus.manifest
    if told is not None and told != json.loads(json.dumps(manifest.to_json())):
        report.tampered("data", "data", "The description beside the data is not that of the run's manifest.")
    leaves = corpus.shard_hashes()
    report.count("data", len(leaves))
    published = _published(manifest.root, store, report)
    if corpus.root() == manifest.root:
        return True
    if published is None or len(published) != len(leaves):
        report.tampered(
            "data", "data", "The data at hand is not that of the manifest; no list tells which shard."
        )
        return False
    for number in np.flatnonzero([one != other for one, other in zip(leaves, published, strict=True)]):
        report.tampered(
            "data", "shard", f"Shard {number} of the data is not the one that the manifest fixes."
        )
    return False


def _published(root: str, store: Store | None, report: Report) -> list[bytes] | None:
    """The hashes of all shards, proven by the manifest's root; None where none were published."""
    try:
        return read_shard_hashes(store, root) if store else None
    except ManifestInvalid as error:
        report.tampered("data", "data", error.args[0])
    except StoreError:
        return None
    return None


def check_seats(told: Iterable[tuple[int, Seat]], history: ChainHistory, report: Report) -> dict[int, str]:
    """Compare who is told to hold each uid with the chain; the right hotkeys of those told wrongly.

    Args:
        told: each seat with the first block that counts it.
        history: of the chain.
        report: takes the findings.
    """
    right: dict[int, str] = {}
    for since, seat in told:
        report.count("seats")
        holders = {
            neuron.hotkey: neuron.registered_at
            for snapshot in (history.seats, history.seats_last)
            for neuron in _neurons(snapshot)
            if neuron.uid == seat.uid
        }
        if seat.hotkey in holders:
            continue
        if any(registered <= max(since, history.first) for registered in holders.values()):
            hotkey, _ = min(holders.items(), key=lambda holder: holder[1])
            said = f"The run says that {seat.hotkey} holds this uid; on chain it is {hotkey}."
            report.tampered("seats", "seat", said, uid=seat.uid)
            right[seat.uid] = hotkey
        elif holders:
            report.unchecked(
                "seats", "seat", "The seat was sold since, and older states are gone.", uid=seat.uid
            )
        else:
            report.tampered(
                "seats", "seat", f"No neuron holds this uid on subnet {history.netuid}.", uid=seat.uid
            )
    return right


def _neurons(snapshot: MetagraphSnapshot | None) -> Iterable[Any]:
    return snapshot.neurons if snapshot else ()
