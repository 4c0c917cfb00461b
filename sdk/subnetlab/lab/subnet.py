"""A subnet as a notebook holds it: its seats, and training on it.

`train` describes a run completely before anything is started or spent: the model is built once and the data
read once here, so a mistake in either costs nothing but a sentence.
"""

import contextlib
import secrets
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from subnetlab.errors import NotYetSupported, UnknownUid
from subnetlab.fleet.launch import start_supervisor
from subnetlab.fleet.local import LocalFleet
from subnetlab.fleet.spec import FleetSpec, PeerSeat, write_spec
from subnetlab.lab.embedded import node_at
from subnetlab.lab.enrol import enrol
from subnetlab.lab.run import Run
from subnetlab.lab.words import amount_alpha, percent, short
from subnetlab.network.wallets import Wallet
from subnetlab.record.line import FILE_NAME
from subnetlab.settings import runs_folder

if TYPE_CHECKING:
    from subnetlab.lab.plan import Plan
    from subnetlab.lab.session import Net
    from subnetlab.network.client import NetworkClient
    from subnetlab.network.metagraph import MetagraphSnapshot
    from subnetlab.train.data import DataSpec
    from subnetlab.train.manifest import Manifest
    from subnetlab.train.models.spec import ModelSpec
    from subnetlab.train.strategies import Strategy

_MARGIN_BLOCKS = 4
"""Between the last block of setting up and the first round: peers come up meanwhile."""


class Subnet:
    """One subnet of a network, by its number."""

    def __init__(self, net: "Net", netuid: int, *, name: str, owner: str | Wallet) -> None:
        self.net, self.netuid, self.name, self._owner = net, netuid, name, owner

    def metagraph(self) -> "MetagraphSnapshot":
        """Every seat of the subnet at the newest block."""
        return network_client(self.net).metagraph(self.netuid)

    def hotkey(self, uid: int) -> str:
        """The hotkey (ss58) in a seat.

        Raises:
            UnknownUid: nobody sits there.
        """
        neurons = self.metagraph().neurons
        if not 0 <= uid < len(neurons):
            raise UnknownUid(f"Nobody holds uid {uid} on {self.name}.", hint=f"It has {len(neurons)} seats.")
        return neurons[uid].hotkey

    def rows(self) -> list[tuple[str, ...]]:
        """The seats as a table: a header, then one row per uid."""
        header = ("uid", "hotkey", "permit", "stake", "incentive", "last pay")
        found = self.metagraph()
        total = sum(neuron.incentive for neuron in found.neurons) or 1
        rows: list[tuple[str, ...]] = [
            (
                str(n.uid),
                short(n.hotkey),
                "yes" if n.validator_permit else "",
                amount_alpha(n.stake_alpha_rao),
                percent(n.incentive / total),
                amount_alpha(n.emission_alpha_rao),
            )
            for n in found.neurons
        ]
        return [header, *rows]

    def __repr__(self) -> str:
        return f"subnet {self.netuid} ({self.name}) on {self.net.name}"

    # -- training ----------------------------------------------------------------------------------

    def train(
        self,
        *,
        model: "ModelSpec | None" = None,
        data: "DataSpec | None" = None,
        rounds: int = 30,
        strategy: "Strategy | None" = None,
        fleet: LocalFleet | None = None,
        batch: int = 4,
        seed: int = 0,
        prompt: str = "def ",
        detach: bool = False,
    ) -> Run:
        """Start training and return at once; the run goes on in processes of its own.

        Args:
            model: what is trained; a small byte-level transformer unless given.
            data: what it is trained on; the source of Python's standard library unless given.
            rounds: how many rounds; each ends with one payload per miner.
            strategy: how peers train and what they send; SparseLoCo unless given.
            fleet: the miners and validators to start; eight and two on this machine unless given.
            batch: sequences per inner step and miner.
            seed: fixes initial weights and sampling.
            prompt: what the model continues after each round, for people to read.
            detach: let the run outlive this kernel.

        Raises:
            ModelNotBuildable: the model cannot be built in a miner; nothing was started.
            DatasetEmpty: there is too little data; nothing was started.
            ManifestInvalid: the options contradict each other; nothing was started.
            NotYetSupported: not a development chain.
            ChainRejected: the chain refused a seat.
            FleetStartFailed: the supervisor did not come up.
        """
        if not self.net.play_money:
            raise NotYetSupported(
                f"Training on {self.net.name}, with the miners registered there, has not landed yet.",
                hint="Train on net = sl.connect().",
            )
        # torch is loaded when somebody trains, and not before
        from subnetlab.lab.plan import plan  # noqa: PLC0415

        made = plan(model, data, strategy, rounds=rounds, batch=batch, seed=seed, prompt=prompt)
        run = Run(self._launch(made, fleet or LocalFleet()))
        run.net = self.net
        (self.net.detached if detach else self.net.runs).append(run)
        return run

    def _launch(self, made: "Plan", fleet: LocalFleet) -> Path:
        """Seat the peers, write the run's folder, and hand the chain's time to its supervisor."""
        run_id = f"{_slug(self.name)}-{secrets.token_hex(2)}"
        owner, client = self.net.wallet(self._owner), network_client(self.net)
        with self.net.held_still() as sealing_before:
            seats = enrol(
                client,
                netuid=self.netuid,
                run_id=run_id,
                roles=fleet.roles(),
                wallet=owner,
                alone=fleet.alone,
            )
            client.dev.set_sealing("manual")
            manifest = made.manifest(run_id, self.netuid, self.net.block + _MARGIN_BLOCKS)
            folder = runs_folder() / run_id
            with _gone_unless_begun(folder):
                self._write(folder, made, manifest, fleet=fleet, seats=seats, sealing_after=sealing_before)
                start_supervisor(folder)
        return folder

    def _write(
        self, folder: Path, made: "Plan", manifest: "Manifest", *, fleet: LocalFleet,
        seats: tuple[PeerSeat, ...], sealing_after: str | float,
    ) -> None:  # fmt: skip
        from subnetlab.lab.plan import write_run  # noqa: PLC0415

        folder.mkdir(parents=True)
        taken = {seat.uid for seat in seats}
        others = tuple(
            PeerSeat(uid=neuron.uid, hotkey=neuron.hotkey, role="owner")
            for neuron in self.metagraph().neurons
            if neuron.uid not in taken
        )
        spec = FleetSpec(
            endpoint=self.net.endpoint, network=self.net.name, is_devnet=self.net.play_money,
            netuid=self.netuid, store=str(folder / "store"), seats=seats, others=others,
            phase_limit_s=fleet.phase_limit_s, sealing_after=sealing_after, python_path=(str(Path.cwd()),),
            node=node_at(self.net.endpoint),
        )  # fmt: skip
        write_run(folder, made, manifest)
        write_spec(folder, spec)


@contextlib.contextmanager
def _gone_unless_begun(folder: Path) -> Generator[None]:
    """Leave no folder behind of a run that was cancelled or refused before its record began."""
    try:
        yield
    except BaseException:
        if not (folder / FILE_NAME).exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _slug(name: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-")
    return kept or "run"


def network_client(net: "Net") -> "NetworkClient":
    """SubnetLab's own client of a network, for its own modules; a person has the SDK's as `net.client`."""
    return net._client  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
