"""Verify a run of strangers from endpoint, subnet and store: its owner's announcement leads to the rest.

No supervisor kept its record, so what peers report of themselves, signed in the store, takes that place:
their verdicts and losses are compared with what is computed again. Who took part is read from the chain at
each round's open block, or, where a node has forgotten that, from who committed.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from subnetlab.errors import ManifestInvalid, StoreError, SubnetLabError
from subnetlab.lab.lineage import check_lineage
from subnetlab.network.commit_history import ChainHistory, read_history
from subnetlab.public.found_run import FoundRun, check_trust, find_run
from subnetlab.public.hotkey import is_development
from subnetlab.public.own_place import reading_place
from subnetlab.public.peer import corpus_of, read
from subnetlab.public.reports import read_reports
from subnetlab.public.subnet_reads import SubnetReads
from subnetlab.store.places import OwnPlace, place_of
from subnetlab.train.anchors import Anchor
from subnetlab.train.data.corpus import Corpus
from subnetlab.train.manifest import Manifest
from subnetlab.train.roster import RosterRole, Seat
from subnetlab.train.verify import Report, Sources, verify
from subnetlab.train.verify.identity import check_data
from subnetlab.train.verify.log import Log


@dataclass(frozen=True, slots=True)
class KnownRoster:
    """The seats of each round, by the height at which it opens."""

    seats: dict[int, list[Seat]]

    def at(self, height: int) -> Sequence[Seat]:
        """The seats at the open block of a round; none at other heights."""
        return self.seats.get(height, [])


def verify_public(
    netuid: int, *, endpoint: str, store: str = "", trust: Sequence[str] = (), replay: float = 0.1,
    lineage: Path | None = None,
) -> Report:  # fmt: skip
    """Verify the run that a subnet's owner announced.

    Args:
        netuid: the subnet.
        endpoint: of a node.
        store: where its objects are looked for instead of at the announced place.
        trust: ss58 addresses of owners whose code may run here.
        replay: share of the miners' rounds that are trained again, and of the rounds that are judged again.
        lineage: a file that tells how the run's model came to be, which is checked against the run.

    Raises:
        UnknownRun: the subnet's owner announced no run, or the store does not hold it.
        ManifestInvalid: it holds code of an owner who is not trusted, or needs another processor.
        NetworkError: the node does not answer, or there is no such subnet.
        StoreUnreachable: the store does not answer.
    """
    with closing(SubnetReads(endpoint, netuid)) as reads:
        try:
            found = find_run(reads, store=store, trust=trust)
        except ManifestInvalid as error:
            report = Report(run=f"subnet {netuid}")
            report.tampered("manifest", "manifest", str(error))
            return report
        check_trust(found)
        manifest, report = read(found), Report(run=found.run_id)
        report.count("manifest")
        report.node = endpoint
        place = reading_place(found, allow_local=is_development(reads))
        history = read_history(reads.client, netuid, manifest.first_block, found.closes + 1)
        roster = public_roster(reads, manifest, history)
    report.count("seats", len({seat.uid for seats in roster.seats.values() for seat in seats}))
    missing: dict[str, str] = {}
    corpus = _corpus(found, manifest, report, missing)
    sources = Sources(
        name=found.run_id, manifest=manifest, manifest_hash=found.hash, roster=roster, store=place,
        history=history, corpus=corpus, missing=missing, public=True,
        log=reported(found, place, manifest, roster, history),
    )  # fmt: skip
    verify(sources, report, replay=replay)
    if lineage is not None:
        check_lineage(lineage, report, run=found.manifest, owner=found.owner)
    return report


def public_roster(reads: SubnetReads, manifest: Manifest, history: ChainHistory) -> KnownRoster:
    """Who took part in every round so far."""
    roster, known = reads.roster(), dict[int, list[Seat]]()
    for round_ in range(manifest.rounds):
        height = manifest.heights(round_).open
        if height > history.last:
            break
        try:
            known[height] = list(roster.at(height))
        except SubnetLabError:  # the node keeps no state that old
            known[height] = list(_committing(round_, history))
    return KnownRoster(known)


def _committing(round_: int, history: ChainHistory) -> Iterable[Seat]:
    """The seats of a round by who committed as what in it; validators in the order of their stake by now."""
    said: dict[str, RosterRole] = {
        each.hotkey: anchor.who
        for each in history.commitments
        if (anchor := Anchor.from_bytes(each.data)) is not None and anchor.round == round_
    }
    neurons = history.seats.neurons if history.seats else ()
    for neuron in sorted(neurons, key=lambda neuron: (-int(neuron.stake_alpha_rao), neuron.uid)):
        yield Seat(uid=neuron.uid, hotkey=neuron.hotkey, role=said.get(neuron.hotkey, "other"))


def reported(
    found: FoundRun, place: OwnPlace, manifest: Manifest, roster: KnownRoster, history: ChainHistory
) -> Log:
    """What the peers report of their rounds, signed, as far as the chain has come."""
    log = Log(interrupted=True, of_peers=True)
    anchors = ((each.hotkey, Anchor.from_bytes(each.data)) for each in history.commitments)
    locators = {hotkey: anchor.locator for hotkey, anchor in anchors if anchor is not None}
    for round_ in range(found.rounds):
        heights = manifest.heights(round_)
        if heights.close > history.last:
            break
        for seat in roster.at(heights.open):
            if seat.role in ("miner", "validator"):
                theirs = place_of(place, seat.uid, locators.get(seat.hotkey, ""))
                for event in read_reports(theirs, found.hash, round_, seat.uid, seat.hotkey):
                    log.add(event)
    return log


def _corpus(found: FoundRun, manifest: Manifest, report: Report, missing: dict[str, str]) -> Corpus | None:
    try:
        corpus = corpus_of(found, manifest)
    except (SubnetLabError, OSError) as error:
        missing["corpus"] = f"The data of the run is not at hand: {error}"
        return None
    with report.timed("data"):
        try:
            return corpus if check_data(corpus, None, found.store, report) else None
        except StoreError as error:
            missing["store"] = str(error)
            return None
