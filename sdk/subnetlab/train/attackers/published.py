"""What every peer can read of a round that is over: the payloads that were revealed in it."""

from subnetlab.errors import ObjectMissing, ObjectTooLarge, PayloadRejected
from subnetlab.store.places import place_of
from subnetlab.train import object_paths
from subnetlab.train.payload import seal
from subnetlab.train.peer import Peer
from subnetlab.train.roster import Seat


def published(reader: Peer, seat: Seat, round_: int) -> bytes | None:
    """The payload that a miner revealed in an earlier round; None where there is none that opens.

    Raises:
        StoreUnreachable: the store did not answer.
    """
    if round_ < 0:
        return None
    store = place_of(reader.store, seat.uid)
    binding = seal.Binding(run=reader.replica.run, round=round_, hotkey=seat.hotkey)
    prefix = object_paths.reveals(
        round_, seat.uid, reader.chain.block_hash(reader.manifest.heights(round_).commit)
    )
    tokens = [name.rpartition("/")[2] for name in store.names(prefix)]
    for name in store.names(object_paths.all_sealed(round_, seat.uid)):
        try:
            data = store.get(name, reader.codec_at(round_).limit + seal.OVERHEAD)
            own = name.rpartition("/")[2]  # the reveal's name too, in a place of the miner's own
            token = next((token for token in tokens if token == own or seal.names_reveal(data, token)), "")
            found = store.get(f"{prefix}/{token}", seal.REVEAL_BYTES) if token else b""
            commitment = bytes.fromhex(own)
            return seal.unseal(data, seal.Reveal.from_bytes(found), commitment, binding)
        except (PayloadRejected, ObjectMissing, ObjectTooLarge, ValueError):
            continue
    return None
