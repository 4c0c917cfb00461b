"""Fund the miners of a run: an escrow, and in it a job for each miner, out of the owner's wallet.

Each miner gets an equal part of the budget, a round at a time; `payments` approves, pays and refunds. Keys
derive from the seats, as on development chains only. The run's folder keeps what was opened.
"""

from dataclasses import dataclass, field
from time import time
from typing import TYPE_CHECKING, Final

from subnetlab.errors import ArgumentInvalid, InsufficientBalance, OverBudget
from subnetlab.lab.job import Job
from subnetlab.network.evm.escrow import Escrow
from subnetlab.network.evm.wallet import seat_wallet
from subnetlab.network.wallets import address
from subnetlab.record.events import Spent
from subnetlab.units import Rao, format_tao, tao

if TYPE_CHECKING:
    from collections.abc import Sequence

    from subnetlab.fleet.spec import PeerSeat
    from subnetlab.network.client import NetworkClient
    from subnetlab.network.wallets import Wallet

_DEADLINE_S: Final = 7 * 24 * 3600
"""After this long anybody may close what is open, so that nothing stays locked for ever."""
APPROVALS: Final = 10
"""At most so many approvals a miner: they are cumulative, and each costs gas."""
GAS: Final = {"deploy": 1_000_000, "open": 260_000, "approve": 120_000, "close": 110_000, "withdraw": 60_000}
"""A little more than what the calls use; what is left of it goes back to the owner in the end."""


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


def check(client: "NetworkClient", owner: "Wallet", *, budget_rao: int, miners: int, rounds: int) -> None:
    """Refuse a job that cannot be divided or paid, before anything of a run is paid.

    Raises:
        ArgumentInvalid: less than a rao for each miner and round.
        InsufficientBalance: the owner's wallet holds less.
        OverBudget: the network's budget allows less.
        NetworkError: the node answers nothing of the EVM, or does not answer.
    """
    counted = share(budget_rao, miners=miners, rounds=rounds) * miners * rounds
    needed = counted + sum(_gas(client, miners=miners))
    free, left = client.balance(owner), client.budget.left_rao
    if free < needed + client.existential_deposit:
        raise InsufficientBalance(
            f"The job costs {format_tao(needed)} with its gas; {address(owner)} holds {format_tao(free)}.",
            hint="Give a smaller budget_tao, or fund the wallet first. Nothing was spent.",
        )
    if left is not None and left < counted:
        raise OverBudget(f"The job costs {format_tao(counted)}; {format_tao(left)} of the budget is left.")


def _gas(client: "NetworkClient", *, miners: int) -> tuple[int, int]:
    """What the payer's and the arbiter's gas may cost, in rao."""
    paying = GAS["deploy"] + miners * (GAS["open"] + GAS["withdraw"]) + 3 * GAS["withdraw"]
    judging = miners * (2 * APPROVALS * GAS["approve"] + GAS["close"])
    return client.evm.gas_cost(paying), client.evm.gas_cost(judging)


@dataclass(slots=True)
class Funded:
    """What was paid of a job so far, also where the next step failed."""

    job: Job | None = None
    spent: list[Spent] = field(default_factory=list[Spent])


def fund(
    client: "NetworkClient", seats: "Sequence[PeerSeat]", owner: "Wallet", *,
    budget_rao: int, rounds: int, run: str, funded: Funded,
) -> Job:  # fmt: skip
    """Deploy an escrow and open a job for every miner, out of the owner's wallet.

    Payer and arbiter have keys of this run alone: what is left on them goes back to the owner when the run is
    settled, and must not be the gas of another run.

    Args:
        client: the network.
        seats: of the run's peers.
        owner: who pays.
        budget_rao: for all miners and rounds together.
        rounds: of the run.
        run: its id.
        funded: told of every step that was paid.

    Raises:
        ArgumentInvalid: the budget is too small to divide; nothing was spent.
        MoneyError: the owner cannot pay all of it; `funded` says what was paid.
        ChainRejected: the chain refused; likewise.
    """
    mining = [seat for seat in seats if seat.role in ("miner", "free_rider")]
    arbiter = next(seat for seat in seats if seat.role == "validator")
    each = share(budget_rao, miners=len(mining), rounds=rounds)
    account, evm = address(owner), client.evm
    payer_uri, arbiter_uri = f"{account}//payer//{run}", f"{arbiter.hotkey_uri}//arbiter//{run}"
    payer, judge = seat_wallet(payer_uri), seat_wallet(arbiter_uri)
    paying, judging = _gas(client, miners=len(mining))
    evm.fund(amount_tao=tao(each * len(mining) * rounds + paying), to=payer, wallet=owner)
    evm.fund(amount_tao=tao(judging), to=judge, wallet=owner)
    escrow = Escrow.deploy(evm, payer)
    funded.job = job = Job(
        escrow=escrow.address, opened_in=client.head().number, owner=account,
        payer_uri=payer_uri, arbiter_uri=arbiter_uri, rounds=rounds, per_round_rao=each,
        miners={},
    )  # fmt: skip
    for seat in mining:
        miner = seat_wallet(seat.hotkey_uri)
        number, receipt = escrow.open(
            amount_tao=tao(each * rounds), payee=miner.address, arbiter=judge.address, rounds=rounds,
            deadline=int(time()) + _DEADLINE_S, wallet=payer,
        )  # fmt: skip
        job.miners[str(seat.uid)] = [number, seat.hotkey_uri]
        funded.spent.append(
            Spent(
                what="escrow", tx=receipt.tx, amount_rao=each * rounds, to=miner.address,
                wallet=payer.address, fee_rao=receipt.fee_rao, block=receipt.block,
            )
        )  # fmt: skip
    return job
