"""A subnet as a notebook holds it: its seats, and training on it.

`train` describes a run completely before anything is started or spent: the model is built once and the data
read once here, so a mistake in either costs nothing but a sentence.
"""

import contextlib
import secrets
import shutil
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from subnetlab.errors import NotYetSupported, SubnetLabError, UnknownUid
from subnetlab.fleet import limits
from subnetlab.fleet.devices import device_note
from subnetlab.fleet.launch import is_running, report_spent, start_supervisor
from subnetlab.fleet.local import LocalFleet
from subnetlab.fleet.spec import FleetSpec, PeerSeat, read_spec, write_spec
from subnetlab.lab import arguments
from subnetlab.lab.answering import Answering, Planned
from subnetlab.lab.embedded import node_at
from subnetlab.lab.funding import check, fund
from subnetlab.lab.job import keep
from subnetlab.lab.payments import network_client, refunded_unless_started
from subnetlab.lab.peer_registration import register_peers
from subnetlab.lab.planning import described, plan_here, planned
from subnetlab.lab.public_run import find_and_watch, publish_run
from subnetlab.lab.run import Run
from subnetlab.lab.seats import Seats
from subnetlab.network.wallets import Wallet
from subnetlab.public.open_fleet import OpenFleet
from subnetlab.public.own_place import announceable
from subnetlab.record.files import make_private
from subnetlab.report import html
from subnetlab.report.format import amount_alpha, percent, short
from subnetlab.settings import runs_folder
from subnetlab.signatures import known_arguments
from subnetlab.text import NAME, plain
from subnetlab.units import rao
from subnetlab.waiting import waiting

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from subnetlab.lab.answers_plan import AnswersPlan
    from subnetlab.lab.plan import Plan
    from subnetlab.lab.session import Net
    from subnetlab.network.metagraph import MetagraphSnapshot
    from subnetlab.train.data import DataSpec
    from subnetlab.train.models.spec import ModelSpec
    from subnetlab.train.optimizer import OptimizerConfig
    from subnetlab.train.strategies import Strategy
    from subnetlab.train.tasks import Task
    from subnetlab.units import Amount

_MOST_SEATS = 64
"""Rows of a plain table: a saved notebook stays small."""
_MARGIN_BLOCKS = 4
"""Between the last block of setting up and the first round: peers come up meanwhile."""
_SLUG_BYTES = 60


class Subnet(Seats, Answering):
    """One subnet of a network, by its number."""

    def __init__(self, net: "Net", netuid: int, *, name: str, owner: str | Wallet) -> None:
        self.net, self.netuid, self.name, self._owner = net, netuid, name, owner
        self.opened_at = monotonic()

    def metagraph(self) -> "MetagraphSnapshot":
        """Every seat of the subnet at the newest block."""
        return network_client(self.net).metagraph(self.netuid)

    def hotkey(self, uid: int) -> str:
        """The hotkey (ss58) in a seat.

        Raises:
            UnknownUid: no neuron has this uid.
        """
        neurons = self.metagraph().neurons
        uid = arguments.count("uid", uid, least=0, most=arguments.MOST_UID)
        if not 0 <= uid < len(neurons):
            raise UnknownUid(
                f"No neuron holds uid {uid} on {self.name}.", hint=f"It has {len(neurons)} seats."
            )
        return neurons[uid].hotkey

    def _rows(self) -> list[tuple[str, ...]]:
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
        return f"subnet {self.netuid} ({plain(self.name, NAME)}) on {plain(self.net.name, NAME)}"

    def page(self) -> str:
        """The seats of the subnet as an HTML table, of very many the first."""
        header, *rows = self._rows()
        more = f"and {len(rows) - _MOST_SEATS} more: subnet.metagraph() has them all"
        return html.block(
            html.paragraph(repr(self), bold=True),
            html.table(header, rows[:_MOST_SEATS], words=3),
            html.paragraph(more, faint=True) if len(rows) > _MOST_SEATS else "",
        )

    def _repr_html_(self) -> str | None:
        # Without its chain a subnet is shown as text.
        return None if self.net.closed else self.page()

    # -- training ----------------------------------------------------------------------------------

    @known_arguments(
        "subnet.train", places="Data is one argument: subnet.train(model, (x, y)), or a frame and target=…."
    )
    def train(
        self,
        model: "ModelSpec | Callable[..., nn.Module] | nn.Module | object | None" = None,
        data: "DataSpec | object | None" = None,
        *,
        task: "Task | str | None" = None,
        loss: "Callable[..., Any] | None" = None,
        eval_data: object | None = None,
        metrics: "Mapping[str, Callable[..., Any]] | None" = None,
        features: str | Sequence[str] | None = None,
        target: str | Sequence[str] | None = None,
        rounds: int = 30,
        strategy: "Strategy | None" = None,
        optimizer: "str | OptimizerConfig | None" = None,
        lr: float | None = None,
        schedule: str | None = None,
        fleet: LocalFleet | OpenFleet | None = None,
        baselines: Sequence[str] | None = None,
        batch_size: int = 4,
        seed: int = 0,
        prompt: str | Sequence[int] | None = None,
        init: "Mapping[str, Tensor] | Run | str | Path | None" = None,
        score: "Callable[..., float] | None" = None,
        audits: float = 0.0,
        detach: bool = False,
        deterministic: bool = False,
        dtype: "str | torch.dtype" = "float32",
        budget_tao: "Amount | None" = None,
    ) -> Run:
        """Start training and return at once; the run goes on in processes of its own.

        Args:
            model: what is trained, as `sl.models.of` takes it: a module's class, a function that makes one, a
                module (its weights are `init`), a Hugging Face model or config; a small byte-level
                transformer unless given.
            data: what it is trained on, as `sl.data.of` takes it: a polars or pandas frame, arrays or tensors
                `(x, y)`, a dict of arrays, a torch or Hugging Face data set, an iterable, the path of a
                table or of text, text from `sl.data.text`, tokens. Keys of a dict that the model's forward
                names are inputs of their own, 1-D or not, their whole numbers whole for an embedding; other
                dicts of numbers, and frames, are one input. Python's standard library unless given.
            task: "next_token", "classification", "regression" or a task; found from model and data unless
                given.
            loss: a loss of your own, `loss(outputs, targets)` or `loss(model, batch)`; it returns one loss
                per item, or a mean, which is then measured item by item where items are compared.
            eval_data: what the model is judged on, of the same kind as `data`; a tenth of that unless given.
            metrics: functions of outputs and targets by name, measured each round beside accuracy and macro
                F1 of classes, R² and MAE of numbers; `run.frame("metrics")` has them.
            features: the columns to learn from; all but the target unless given.
            target: the column to foretell; that called target, label, labels, y or class unless given.
            rounds: how many rounds; each ends with one payload per miner.
            strategy: how peers train and what they send; MuLoCo for `TinyGPT("demo")`, DiLoCo for rows of a
                table up to a million parameters, SparseLoCo for the rest, unless given.
            optimizer: "adamw", "muon", "signum" or a configuration from `sl.optimizers`; the strategy's own
                unless given, and for rows of a table without a strategy AdamW at 2e-2.
            lr: the largest learning rate (of Muon: for the hidden matrices) in place of the optimizer's.
            schedule: "cosine", "wsd", "linear" or "constant" in place of the optimizer's.
            fleet: the miners and validators to start, eight and two on this machine unless given;
                `sl.RayFleet(…)` for some on a Ray cluster; or `sl.OpenFleet(store=…)` for those registered on
                the subnet, whom other people start.
            baselines: what the subnet is measured beside, each a run of the same code: `alone`, `alone_3x`
                (three times the steps; any number from 2 to 99), `ddp`. Unless given, `alone` if
                `fleet.baseline`.
            batch_size: items per inner step and miner: rows, or sequences of tokens.
            seed: fixes initial weights and sampling.
            prompt: what a language model continues after each round, for people to read: text, or tokens
                where the data has no text; "def " for bytes unless given, else how the held-out data begins.
            init: the weights to start from: a state dict, what `run.save` made, an earlier run, or the
                path of a safetensors file.
            score: what validators pay by, in place of the loss removed on held-out data: a function of one or
                more of held_out, assigned, noise, norm, own_work, standing and round that returns a number
                from 0 up, such as `lambda held_out, norm: held_out / norm`; below 0 counts as 0. What does
                harm stays shut out.
            audits: share of the miners' rounds, drawn once nobody can change them, that validators train
                again; who sent what its assigned work does not make is out for twenty rounds, and who
                trained from an old model is left out of the round.
            detach: let the run outlive this kernel.
            deterministic: the same seed gives the same losses, payloads and model again, on any new network
                too, with the same machine and versions. All work is then known before it is assigned, so
                this is for a fleet of your own; without one of its peers the run fails.
            dtype: "bfloat16" computes the model's products in it, in miners and validators alike; weights,
                gradients and what the optimizer remembers stay float32. On which devices, `fleet` says.
            budget_tao: what the miners are paid beside emission, in all: an escrow holds it, every round pays
                the miners whose work it took, and the rest comes back at the end (`run.receipts()`).

        Raises:
            ModelNotBuildable: the model cannot be built in a miner; nothing was started.
            DatasetEmpty: there is too little data; nothing was started.
            DataInvalid: the data cannot be trained on as it is; nothing was started.
            ArgumentInvalid: an argument has a wrong type or value; nothing was started.
            ManifestInvalid: the options contradict each other; nothing was started.
            NotYetSupported: a fleet of one's own on another chain than a development chain, or options that
                only such a fleet has.
            NotRegistered: only the owner's hotkey announces a run for other people's peers.
            ChainRejected: the chain refused a seat, or the announcement.
            ChainPaced: another run seals this chain's blocks; nothing was registered or spent.
            FleetStartFailed: the supervisor did not come up.
            StoreUnreachable: `fleet.store` does not answer; nothing was started.
        """
        fleet = self._checked(fleet)
        detach, deterministic = arguments.flags(detach=detach, deterministic=deterministic)
        beside = arguments.baseline_names(baselines, default=isinstance(fleet, LocalFleet) and fleet.baseline)
        told = described({
            "model": model, "data": data, "strategy": strategy, "rounds": rounds, "batch_size": batch_size,
            "seed": seed, "prompt": prompt, "init": init, "optimizer": optimizer, "lr": lr,
            "schedule": schedule, "task": task, "loss": loss, "score": score, "audits": audits,
            "eval_data": eval_data, "metrics": metrics, "features": features, "target": target,
            "dtype": dtype,
        })  # fmt: skip
        if isinstance(fleet, OpenFleet):
            arguments.for_own_fleet(baselines=beside, budget_tao=budget_tao, deterministic=deterministic)
            return self._publish(plan_here(told), fleet, detach=detach)
        with planned(told, deterministic=deterministic) as made:
            return self._start(made, fleet, beside, detach=detach, budget_tao=budget_tao)

    def _start(
        self, made: Planned, fleet: LocalFleet, baselines: Sequence[str] = (), *, detach: bool,
        budget_tao: "Amount | None",
    ) -> Run:  # fmt: skip
        """Start a run that was planned, and hold it."""
        run = Run(self._launch(made, fleet, baselines, budget_tao))
        devices = device_note(seat.device for seat in read_spec(run.folder).seats)
        scarce = limits.warning(fleet, limits.cores(), limits.free_memory())
        self._hold(run, scarce, devices, made.note, detach=detach)
        if budget_tao is not None:
            run.follow_payments()
        return run

    def _hold(self, run: Run, *notes: str, detach: bool) -> Run:
        """Give a run that was just started to the network, and say what is odd about it."""
        run.note = " ".join(filter(None, notes))
        self.net.own(run, detach=detach)
        return run

    def _checked(self, fleet: LocalFleet | OpenFleet | None) -> LocalFleet | OpenFleet:
        """The fleet, the usual one if none is given; one of one's own on development chains alone."""
        if isinstance(fleet, OpenFleet):
            announceable(fleet.store, allow_local=self.net.play_money)
            return fleet
        if not self.net.play_money:
            raise NotYetSupported(
                f"A fleet of one's own is registered and paid for on development chains only, not on "
                f"{self.net.name}.",
                hint='Train with those registered there: fleet=sl.OpenFleet(store="s3://…").',
            )
        return arguments.a_fleet(fleet)

    def _publish(self, made: "Plan | AnswersPlan", fleet: OpenFleet, *, detach: bool) -> Run:
        """Announce a run whose peers other people start, and watch it."""
        with waiting("the run to be announced"):
            said = publish_run(self, made, fleet, owner=self.net.wallet(self._owner), name=_slug(self.name))
        return self._hold(Run(said.folder), said.note, made.note, detach=detach)

    @known_arguments("subnet.attach")
    def attach(self, *, store: str = "", trust: str | Sequence[str] = (), detach: bool = False) -> Run:
        """Watch the run that the subnet's owner announced: dashboard, frames and model, as of any run.

        Args:
            store: where its objects are looked for instead of at the announced place.
            trust: the owner's ss58 address, where the run's model is code that may run here.
            detach: let the watching outlive this kernel.

        Raises:
            UnknownRun: the owner announced none, or the store does not hold it.
            ManifestInvalid: what the store holds is another manifest, or holds code that is not trusted.
            StoreUnreachable: the store does not answer.
            FleetStartFailed: the observer did not come up.
        """
        owners = (trust,) if isinstance(trust, str) else tuple(trust)
        with waiting("the announced run to be found and read"):
            run = Run(find_and_watch(self, store=store, trust=owners))
        return self._hold(run, detach=arguments.flag("detach", detach))

    def _launch(
        self, made: Planned, fleet: LocalFleet, baselines: Sequence[str], budget_tao: "Amount | None" = None
    ) -> Path:
        """Seat the peers, write the run's folder, and hand the chain's time to its supervisor."""
        fleet.check_store()
        fleet.check_place(self.net.endpoint, len(baselines))
        devices = fleet.devices(len(baselines), made.parameters)
        run_id = f"{_slug(self.name)}-{secrets.token_hex(2)}"
        owner, client = self.net.wallet(self._owner), network_client(self.net)
        budget, rounds = None if budget_tao is None else rao(budget_tao), made.rounds
        if budget is not None:
            check(client, owner, budget_rao=budget, miners=fleet.miners, rounds=rounds)
        folder = runs_folder() / run_id
        with (
            refunded_unless_started(self.net, folder) as funded,
            self.net.sealing.for_run(run_id) as (lock, sealing_before),
        ):
            seats = register_peers(
                client,
                netuid=self.netuid,
                fleet=fleet,
                wallet=owner,
                baselines=baselines,
            )
            seats = tuple(replace(seat, device=device) for seat, device in zip(seats, devices, strict=True))
            if budget is not None:
                fund(client, seats, owner, budget_rao=budget, rounds=rounds, run=run_id, funded=funded)
            client.dev.set_sealing("manual")
            opens = self.net.block + _MARGIN_BLOCKS
            with _gone_unless_started(folder):
                self._write(folder, made, fleet=fleet, seats=seats, sealing_after=sealing_before)
                made.write(folder, self.netuid, opens, miners=fleet.miners)
                keep(folder, funded.job)
                with waiting("the run's processes to start"):
                    start_supervisor(folder, lock=lock)
        self.net.spent.extend(funded.spent)
        for spent in funded.spent:
            with contextlib.suppress(SubnetLabError):  # it is in the ledger all the same
                report_spent(folder, spent)
        return folder

    def _write(
        self, folder: Path, made: Planned, *, fleet: LocalFleet, seats: tuple[PeerSeat, ...],
        sealing_after: str | float,
    ) -> None:  # fmt: skip
        make_private(folder)
        taken, found = {seat.uid for seat in seats}, self.metagraph()
        others = tuple(
            PeerSeat(uid=n.uid, hotkey=n.hotkey, role="owner" if n.hotkey == found.owner_hotkey else "other")
            for n in found.neurons
            if n.uid not in taken
        )
        spec = FleetSpec(
            endpoint=self.net.endpoint, network=self.net.name, is_devnet=self.net.play_money,
            netuid=self.netuid, store=str(fleet.store_of_run(folder)), places=True, seats=seats,
            others=others, phase_limit_s=fleet.phase_limit_s, sealing_after=sealing_after,
            python_path=_own_modules(),
            node=node_at(self.net.endpoint), start_limit_s=fleet.start_allowed_s,
            uplink_mbps=fleet.uplink_mbps, downlink_mbps=fleet.downlink_mbps, rtt_ms=fleet.rtt_ms,
            kills_per_hour=fleet.kills_per_hour, chaos_seed=fleet.chaos_seed,
            **fleet.placed(deterministic=made.deterministic),
        )  # fmt: skip
        write_spec(folder, spec)


def _own_modules() -> tuple[str, ...]:
    """Where modules of one's own are found: in the working folder, and beside the script that runs."""
    return tuple(dict.fromkeys((str(Path.cwd()), str(Path(sys.path[0]).resolve()))))


@contextlib.contextmanager
def _gone_unless_started(folder: Path) -> Generator[None]:
    """Leave no folder behind of a run whose start was cancelled or refused."""
    try:
        yield
    except BaseException:
        if not is_running(folder):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _slug(name: str) -> str:
    """A name as the beginning of a folder's, short enough in bytes for any file system."""
    kept = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
    kept = kept.encode(errors="ignore")[:_SLUG_BYTES].decode(errors="ignore").strip("-")
    return kept or "run"
