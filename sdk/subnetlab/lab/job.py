"""Fund the miners of a run: an escrow, and in it a job for each miner, out of the owner's wallet.

Each miner gets an equal part of the budget, a round at a time; `payments` approves, pays and refunds. Keys
derive from the seats, as on development chains only. The run's folder keeps what was opened.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, Final

from subnetlab.errors import ArgumentInvalid, InsufficientBalance, OverBudget, RunError
from subnetlab.network.evm.escrow import Escrow
from subnetlab.network.evm.wallet import seat_wallet
from subnetlab.network.wallets import address
from subnetlab.record.files import write_private
from subnetlab.units import Rao, format_tao, tao

if TYPE_CHECKING:
    from collections.abc import Sequence

    from subnetlab.fleet.spec import PeerSeat
    from subnetlab.network.client import NetworkClient
    from subnetlab.network.wallets import Wallet

FILE: Final = "job.json"
_DEADLINE_S: Final = 7 * 24 * 3600
"""After this long anybody may close what is open, so that nothing stays locked for ever."""
APPROVALS: Final = 10
"""At most so many approvals a miner: they are cumulative, and each costs gas."""
GAS: Final = {"deploy": 1_000_000, "open": 260_000, "approve": 120_000, "close": 110_000, "withdraw": 60_000}
"""A little more than what the calls use; what is left of it goes back to the owner in the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run's miners are paid by; `job.json` in the run's folder."""

    escrow: str
    opened_in: int
    """The block of the escrow, where reading its events begins."""
    owner: str
    """The owner's coldkey (ss58), which gets the rest back."""
    payer_uri: str
    arbiter_uri: str
    rounds: int
    per_round_rao: int
    """For each miner whose payload was taken."""
    miners: dict[str, list[Any]]
    """By uid: the number of the miner's job, and the URI of its key."""


def share(budget_rao: int, *, miners: int, rounds: int) -> Rao:
    """What a taken payload pays, in rao: an equal part for every miner and round, the rest left out.

    Raises:
        ArgumentInvalid: less than a rao each, or no miner.
    """
    each = budget_rao // (miners * rounds) if miners else 0
    if each == 0:
        raise ArgumentInvalid(
            f"budget_tao={format_tao(budget_rao, '').strip()} is less than a rao for each of {miners} miners "
            f"and {rounds} rounds.",
            hint="Give a larger amount, such as budget_tao=5.",
        )
    return Rao(each)


def fund(
    client: "NetworkClient", seats: "Sequence[PeerSeat]", owner: "Wallet", *, budget_rao: int, rounds: int
) -> Job:
    """Deploy an escrow and open a job for every miner, out of the owner's wallet.

    Raises:
        ArgumentInvalid: the budget is too small to divide; nothing was spent.
        MoneyError: the owner cannot pay it, or not all of it; the message says what was funded.
        ChainRejected: the chain refused.
    """
    mining = [seat for seat in seats if seat.role in ("miner", "free_rider")]
    arbiter = next(seat for seat in seats if seat.role == "validator")
    each = share(budget_rao, miners=len(mining), rounds=rounds)
    account, evm = address(owner), client.evm
    payer, judge = seat_wallet(f"{account}//payer"), seat_wallet(arbiter.hotkey_uri)
    gas = GAS["deploy"] + len(mining) * (GAS["open"] + GAS["withdraw"]) + 3 * GAS["withdraw"]
    total = each * len(mining) * rounds + evm.gas_cost(gas)
    judging = evm.gas_cost(len(mining) * (2 * APPROVALS * GAS["approve"] + GAS["close"]))
    _check_money(client, owner, counted=each * len(mining) * rounds, needed=total + judging)
    evm.fund(amount_tao=tao(total), to=payer, wallet=owner)
    evm.fund(amount_tao=tao(judging), to=judge, wallet=owner)
    escrow = Escrow.deploy(evm, payer)
    opened_in, jobs = client.head().number, dict[str, list[Any]]()
    for seat in mining:
        miner = seat_wallet(seat.hotkey_uri)
        number, _ = escrow.open(
            amount_tao=tao(each * rounds), payee=miner.address, arbiter=judge.address, rounds=rounds,
            deadline=int(time()) + _DEADLINE_S, wallet=payer,
        )  # fmt: skip
        jobs[str(seat.uid)] = [number, seat.hotkey_uri]
    return Job(
        escrow=escrow.address, opened_in=opened_in, owner=account, payer_uri=f"{account}//payer",
        arbiter_uri=arbiter.hotkey_uri, rounds=rounds, per_round_rao=each, miners=jobs,
    )  # fmt: skip


def _check_money(client: "NetworkClient", owner: "Wallet", *, counted: int, needed: int) -> None:
    """Refuse a job that its owner cannot pay before anything of it is paid.

    Raises:
        InsufficientBalance: the owner's wallet holds less.
        OverBudget: the network's budget allows less.
    """
    free, left = client.balance(owner), client.budget.left_rao
    if free < needed + client.existential_deposit:
        raise InsufficientBalance(
            f"The job costs {format_tao(needed)} with its gas; {address(owner)} holds {format_tao(free)}.",
            hint="Give a smaller budget_tao, or fund the wallet first. Nothing was spent on the job.",
        )
    if left is not None and left < counted:
        raise OverBudget(
            f"The job costs {format_tao(counted)}, and {format_tao(left)} of the budget is left."
        )


def keep(folder: Path, job: Job | None) -> None:
    """Keep a job in its run's folder, where the run has one."""
    if job is not None:
        write_private(folder / FILE, json.dumps(asdict(job)) + "\n")


def read(folder: Path) -> Job | None:
    """The job of a run; None where its miners are paid by emission alone."""
    try:
        return Job(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise RunError(f"The job in {folder / FILE} cannot be read: {error}.") from error
