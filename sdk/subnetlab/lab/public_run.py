"""A public run as a notebook holds it: a folder of its own, whose record an observer keeps.

Whether the run was published here or by a stranger makes no difference to the folder. Nothing in it is needed
by the peers: closing the notebook, or losing the folder, leaves the run as it is.
"""

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from subnetlab.errors import ArgumentInvalid
from subnetlab.fleet.launch import OBSERVER, start_supervisor
from subnetlab.fleet.run_folder import MANIFEST_FILE
from subnetlab.fleet.spec import FleetSpec, write_spec
from subnetlab.lab.resume import resume
from subnetlab.public.found_run import FoundRun, check_trust, find_run
from subnetlab.public.hotkey import hotkey_in
from subnetlab.public.open_fleet import OpenFleet
from subnetlab.public.subnet_reads import SubnetReads
from subnetlab.record.files import make_private, write_private
from subnetlab.record.line import FILE_NAME
from subnetlab.settings import runs_folder

if TYPE_CHECKING:
    from subnetlab.lab.answers_plan import AnswersPlan
    from subnetlab.lab.plan import Plan
    from subnetlab.lab.session import Net
    from subnetlab.lab.subnet import Subnet
    from subnetlab.network.wallets import Wallet


class Announced(NamedTuple):
    """A run that was published here: its folder, and what was announced as a sentence."""

    folder: Path
    note: str


def publish_run(
    subnet: "Subnet", made: "Plan | AnswersPlan", fleet: OpenFleet, *, owner: "Wallet", name: str
) -> Announced:
    """Publish a run with the owner's hotkey and watch it.

    Raises:
        SubnetLabError: as `publishing.publish`; or the observer did not come up, and the run goes on without.
    """
    from subnetlab.lab.publishing import publish  # noqa: PLC0415  (loads torch)

    net, netuid = subnet.net, subnet.netuid
    key = hotkey_in(owner, str(getattr(owner, "name", "owner")))
    said = publish(made, fleet, name=name, endpoint=net.endpoint, netuid=netuid, key=key)
    trust = (key.ss58_address,)
    with closing(SubnetReads(net.endpoint, netuid)) as reads:
        found = find_run(reads, trust=trust)
    return Announced(watch_run(net, found, trust=trust), str(said))


def find_and_watch(subnet: "Subnet", *, store: str, trust: tuple[str, ...]) -> Path:
    """Find the run that a subnet's owner announced, and watch it; its folder.

    Raises:
        SubnetLabError: as `find_run`; or it holds code of an owner who is not trusted here.
    """
    with closing(SubnetReads(subnet.net.endpoint, subnet.netuid)) as reads:
        found = find_run(reads, store=store, trust=trust)
    check_trust(found)
    return watch_run(subnet.net, found, trust=trust)


def watch_run(net: "Net", found: FoundRun, *, trust: tuple[str, ...]) -> Path:
    """The folder of a run that was found, with an observer that keeps its record.

    Raises:
        ArgumentInvalid: another run of this name is kept here.
        FleetStartFailed: the observer did not come up.
    """
    folder = runs_folder() / found.run_id
    text = json.dumps(found.manifest, indent=2) + "\n"
    manifest = folder / MANIFEST_FILE
    if manifest.exists() and manifest.read_text(encoding="utf-8") != text:
        raise ArgumentInvalid(
            f"Another run is called {found.run_id} on this machine.",
            hint=f"Remove it with sl.attach({found.run_id!r}).delete(), or use another SUBNETLAB_HOME.",
        )
    make_private(folder)
    spec = FleetSpec(
        endpoint=net.endpoint, network=net.name, is_devnet=net.play_money, netuid=found.seats.netuid,
        store=found.where if found.given else "", seats=(), public=True, trust=trust,
    )  # fmt: skip
    write_spec(folder, spec)
    write_private(manifest, text)
    if (folder / FILE_NAME).exists():
        resume(folder)
    else:
        start_supervisor(folder, program=OBSERVER)
    return folder
