"""What became of rounds that no peer reported: found out from the chain and the store, as any stranger could.

A round whose lead was killed after it had anchored did close, and everybody's model moved; a round without an
anchor that was in time left the model as it was. The supervisor calls this by its dotted path, like every
entry point of a worker: a file each.
"""

from pathlib import Path

from subnetlab.answers.manifest import AnswersManifest
from subnetlab.fleet.launcher import Answer
from subnetlab.fleet.spec import READER_URI, read_spec
from subnetlab.fleet.worker.answers import ends_of
from subnetlab.fleet.worker.manifest_file import read_manifest
from subnetlab.fleet.worker.result import open_replica
from subnetlab.fleet.worker.role import open_data, roster_of
from subnetlab.fleet.worker.run_store import seen_by
from subnetlab.network.peer_chain import PeerChain
from subnetlab.record.events import Event, RoundLost, to_json
from subnetlab.train.peer import checked_corpus
from subnetlab.train.replica import round_closed


def reconcile_rounds(run_folder: str, rounds: list[int]) -> Answer:
    """Replay what was published, and say of each round how it ended; as JSON types.

    Raises:
        TrainError: what is published cannot be followed.
        NodeUnreachable: the node does not answer.
    """
    folder = Path(run_folder)
    manifest = read_manifest(folder)
    if isinstance(manifest, AnswersManifest):
        spec = read_spec(folder)
        chain = PeerChain(spec.endpoint, spec.netuid, READER_URI)
        ends = ends_of(manifest, rounds, roster_of(folder), chain, seen_by(spec))
        return {"events": [to_json(event) for event in ends]}
    replica = open_replica(manifest, folder)
    corpus = checked_corpus(manifest, open_data(folder))
    events: list[Event] = []
    for number in rounds:
        adopted = replica.adopt(number)
        if adopted is None:
            reason = "It was cut off before a validator's record of it was on chain; the model is unchanged."
            events.append(RoundLost(round=number, reason=reason))
        else:
            heights = manifest.heights(number)
            events.append(round_closed(replica, adopted, heights, corpus, aggregate_s=0.0))
    return {"events": [to_json(event) for event in events]}
