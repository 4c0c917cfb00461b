"""What must hold before a hotkey takes part in a public run, and what the chain will make it wait for.

Everything here is known without torch and before anything is sent. Costs and waits are said in TAO and hours.
"""

import os
from collections.abc import Iterator
from typing import Any, Literal

from subnetlab.errors import ArgumentInvalid, ManifestInvalid, NotRegistered
from subnetlab.network.chain import Chain
from subnetlab.network.metagraph import NeuronSnapshot
from subnetlab.public.found_run import FoundRun
from subnetlab.public.log import PeerLog
from subnetlab.public.subnet_reads import Rules, SubnetReads
from subnetlab.record.described import is_of_answers
from subnetlab.text import with_article
from subnetlab.train.attackers import ATTACKERS, refused
from subnetlab.units import format_tao

PublicRole = Literal["miner", "validator"]
_CAPABILITY = "ATEN_CPU_CAPABILITY"
_ORDER = ("DEFAULT", "AVX2", "AVX512")


def seat_of_hotkey(found: FoundRun, hotkey: str, rules: Rules, wallet: str) -> NeuronSnapshot:
    """The seat that a hotkey holds on the run's subnet.

    Raises:
        ArgumentInvalid: it is the owner's, whose commitment announces the run.
        NotRegistered: it holds none.
    """
    netuid = found.seats.netuid
    if hotkey == found.owner:
        raise ArgumentInvalid(
            f"The hotkey {hotkey} is the owner's: its one commitment on subnet {netuid} announces the run.",
            hint="Take part with another hotkey, --wallet NAME/HOTKEY.",
        )
    neuron = found.seats.by_hotkey(hotkey)
    if neuron is None:
        raise NotRegistered(
            f"The hotkey {hotkey} is not registered on subnet {netuid}; registering costs "
            f"{format_tao(rules.registration_rao)} and a fee.",
            hint=f"Register it: net.subnet({netuid}).register({wallet!r}) in a notebook, "
            f"or `btcli subnets register --netuid {netuid}`.",
        )
    return neuron


def await_permit(reads: SubnetReads, chain: Chain, seat: NeuronSnapshot, rules: Rules, log: PeerLog) -> None:
    """Wait for the epoch that gives a validator its permit.

    Raises:
        NotRegistered: no stake is behind it, so that no epoch will.
        NodeUnreachable: the chain seals no more blocks.
    """
    while True:
        graph = reads.metagraph()
        found = graph.by_hotkey(seat.hotkey)
        if found is not None and found.validator_permit:
            return
        if found is None or not found.stake_alpha_rao:
            said, hint = _no_stake(seat.hotkey, graph.netuid)
            raise NotRegistered(said, hint=hint)
        due = graph.last_step + rules.tempo + 1
        due = due if due > graph.block else graph.block + 1
        log.note(
            f"The permit to vote comes with an epoch, the next at block {due}, "
            f"{duration((due - graph.block) * rules.block_s)} from now."
        )
        chain.wait_for(due, patience_s(due - graph.block, rules.block_s))


def _no_stake(hotkey: str, netuid: int) -> tuple[str, str]:
    """What a validator without stake lacks, and what to do."""
    said = (
        f"No stake is behind the hotkey {hotkey} on subnet {netuid}, and without stake there is no "
        "validator permit."
    )
    then = f"net.stake(amount_tao=…, hotkey_ss58={hotkey!r}, netuid={netuid}, wallet=…)"
    return said, f"Stake behind it: {then}; the next epoch gives the permit."


def missing_stake(seat: NeuronSnapshot, netuid: int, role: PublicRole) -> Iterator[str]:
    """What `await_permit` will refuse, as a sentence, before anything is loaded; nothing for most."""
    if role == "validator" and not (seat.stake_alpha_rao or seat.validator_permit):
        yield " ".join(_no_stake(seat.hotkey, netuid))


def waits(found: FoundRun, rules: Rules, head: int, role: PublicRole) -> Iterator[str]:
    """What a peer waits for in this run, as sentences."""
    blocks, (commit, _, close) = found.manifest["blocks_per_round"], found.manifest["offsets"]
    n = found.rounds
    yield (
        f"Run {found.run_id} on subnet {found.seats.netuid}: {n} rounds of {blocks} blocks, "
        f"{duration(blocks * rules.block_s)} each at {rules.block_s:.3g} s a block."
    )
    following = min(found.following(head), n - 1)
    if (left := found.opens(following) - head) > 0:
        soon = duration(left * rules.block_s)
        yield f"Round {following + 1} opens at block {found.opens(following)}, {soon} from now."
    else:
        deadline = found.opens(following) + commit
        yield f"Round {following + 1} is open and takes commitments up to block {deadline}."
    last = found.opens(n - 1) + close
    yield f"The last round closes at block {last}, {duration((last - head) * rules.block_s)} from now."
    yield f"Pay comes every {rules.tempo} blocks ({duration(rules.tempo * rules.block_s)})."
    if role == "validator":
        if rules.weights_every > blocks:
            yield (
                f"The chain takes a vote every {rules.weights_every} blocks "
                f"({duration(rules.weights_every * rules.block_s)}), so not every round votes."
            )
        if rules.sealed_weights:
            yield "Votes are sealed when they are made; the chain opens them in a later epoch."


def use_instructions(manifest: dict[str, Any]) -> None:
    """Have torch, which is loaded later, use the instruction set that the run's results are made with."""
    wanted = manifest["versions"].get("cpu")
    if isinstance(wanted, str) and wanted in _ORDER:
        os.environ[_CAPABILITY] = wanted.lower()


def check_attack(role: PublicRole, attack: str, *, development: bool) -> None:
    """Refuse an attacker that is none, of the other role, or anywhere but among play money.

    Raises:
        ArgumentInvalid: it is.
    """
    if not attack:
        return
    if attack not in ATTACKERS or ATTACKERS[attack].role != role:
        raise ArgumentInvalid(refused(attack), hint=f"Give one that is {with_article(role)}.")
    if not development:
        raise ArgumentInvalid("Attackers are for development chains.", hint="Take part without --attack.")


def check_answers(found: FoundRun, role: PublicRole, answers: str) -> str:
    """The import path of the function with which a miner answers, once it fits the run.

    Raises:
        ArgumentInvalid: the run asks for one and none is given, or the other way round.
    """
    asked = role == "miner" and is_of_answers(found.manifest)
    if not asked and answers:
        raise ArgumentInvalid(
            f"Run {found.run_id} trains a model, and its miners answer nothing.", hint="Leave out --answers."
        )
    module, colon, name = answers.partition(":")
    if asked and not (module and colon and name):
        raise ArgumentInvalid(
            f"Run {found.run_id} asks its miners for answers, and no function answers them.",
            hint="Name one: --answers MODULE:FUNCTION, a file in this folder or an installed package.",
        )
    return answers


def check_instructions(found: FoundRun, capability: str) -> None:
    """Refuse a processor that cannot reach the run's model bit by bit.

    Args:
        found: the run.
        capability: what torch uses here, as `torch.backends.cpu.get_cpu_capability` says it.

    Raises:
        ManifestInvalid: it is another one.
    """
    wanted = found.manifest["versions"].get("cpu")
    if wanted and wanted != capability:
        raise ManifestInvalid(
            f"Run {found.run_id} is trained with the instruction set {wanted}; torch here uses {capability}.",
            hint="Join from a machine whose processor has it.",
        )


def patience_s(blocks: int, block_s: float) -> float:
    """How long a chain may take for so many blocks before it counts as gone, in seconds."""
    return max(600.0, 4 * blocks * block_s)


def duration(seconds: float) -> str:
    """A wait in the unit a person plans by: hours from half an hour on."""
    if seconds >= 1800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 120 else f"{max(seconds, 0):.0f} s"
