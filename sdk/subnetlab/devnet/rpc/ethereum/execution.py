"""`eth_call` and `eth_estimateGas`: what a transaction would do, on a copy that nobody else sees.

Contracts and what prepares them run in turns, one at a time however many calls there are, and between two
turns other requests are answered. They end at a limit of gas and of time; their lists are no longer than a
block's gas allows.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm import fees
from subnetlab.devnet.evm.addresses import mirror
from subnetlab.devnet.evm.engine import BLOCK_GAS_LIMIT, Message, Outcome, Pause, engine
from subnetlab.devnet.node.turns import Turns
from subnetlab.devnet.pallets import balances, system
from subnetlab.devnet.pallets.base_fee import base_fee
from subnetlab.devnet.rpc.connection import Connection
from subnetlab.devnet.rpc.ethereum.answers import hexed
from subnetlab.devnet.rpc.ethereum.overrides import override, read_overrides
from subnetlab.devnet.rpc.ethereum.parameters import Request, gas_of_lists, height, internal, request
from subnetlab.devnet.rpc.method import Parameters, RpcError, method
from subnetlab.devnet.rpc.service import Service

T = TypeVar("T")
GAS_MULTIPLIER = 10
MOST_GAS = GAS_MULTIPLIER * BLOCK_GAS_LIMIT
MOST_SECONDS = 10.0
"""How long one request's contracts may run."""
TURN_S = 0.01
_LEAST_GAS = 21_000
_LENGTH, _TEXT = 36, 68
"""Where the length and the text of a revert's reason begin."""


class TimeLimit(Exception):
    """The request's contracts have run as long as they may."""


def failure(outcome: Outcome) -> RpcError | None:
    """What the client is told of an outcome, None of success."""
    if outcome.succeeded:
        return None
    if outcome.reverted:
        return internal(
            f"VM Exception while processing transaction: revert{_reason(outcome)}", outcome.output
        )
    error = outcome.reason["Error"]
    if error == "OutOfGas":
        return internal("out of gas")
    described = f'Other("{error["Other"]}")' if isinstance(error, dict) else error
    return internal(f"evm error: {described}", b"")


def _reason(outcome: Outcome) -> str:
    data = outcome.output
    if len(data) <= _TEXT:
        return ""
    end = _TEXT + int.from_bytes(data[_LENGTH:_TEXT], "big")
    with suppress(UnicodeDecodeError):
        return f" {data[_TEXT:end].decode()}" if len(data) >= end else ""
    return ""


@method("eth_call")
async def call(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """What a call would return."""
    if gas_of_lists(parameters, 0) > BLOCK_GAS_LIMIT:
        raise internal("out of gas")
    asked, number = request(parameters, 0), _number(service, parameters)
    gas, accounts = _limit(asked), read_overrides(parameters.get(2), 2)

    def run(pause: Pause) -> tuple[Outcome, bytes]:
        overlay = _overlay(service, number)
        override(overlay, accounts, 2, pause)
        _validate(overlay, asked, gas)
        outcome = engine().run(overlay, _message(asked, gas), pause)
        return outcome, outcome.output if outcome.contract is None else _code(overlay, outcome.contract)

    outcome, output = await _in_turns(service, run)
    refused = failure(outcome)
    if refused is not None:
        raise refused
    return hexed(output)


@method("eth_estimateGas")
async def estimate_gas(service: Service, parameters: Parameters, _connection: Connection) -> str:
    """A limit of gas with which a transaction would succeed, at most a tenth too high."""
    if gas_of_lists(parameters, 0) > BLOCK_GAS_LIMIT:
        raise internal(f"gas required exceeds allowance {BLOCK_GAS_LIMIT}")
    asked, number = request(parameters, 0), _number(service, parameters)
    accounts = read_overrides(parameters.get(2), 2)
    overlay = _overlay(service, number)
    if asked.to is not None and not asked.data and not _code(overlay, asked.to):
        return hex(_LEAST_GAS)
    highest = _affordable(overlay, asked, _limit(asked))
    _validate(overlay, asked, highest)

    def trial(gas: int, pause: Pause) -> Outcome:
        ledger = _overlay(service, number)
        override(ledger, accounts, 2, pause)
        return engine().run(ledger, _message(asked, gas), pause)

    def search(pause: Pause) -> int:
        return _search(lambda gas: trial(gas, pause), asked, highest)

    return hex(await _in_turns(service, search))


def _search(trial: Callable[[int], Outcome], asked: Request, highest: int) -> int:
    outcome = trial(highest)
    if outcome.reason == {"Error": "OutOfGas"}:
        raise internal(f"gas required exceeds allowance {highest}")
    if outcome.reverted and asked.gas is not None and trial(MOST_GAS).succeeded:
        raise internal(f"gas required exceeds allowance {highest}")
    refused = failure(outcome)
    if refused is not None:
        raise refused
    lowest = _LEAST_GAS
    middle, before = min(outcome.gas_used * 3, (highest + lowest) // 2), highest
    while highest - lowest > 1:
        outcome = trial(middle)
        if outcome.succeeded:
            highest = middle
            if (before - highest) * 10 // before < 1:
                return highest
            before = highest
        else:
            lowest = middle
        middle = (highest + lowest) // 2
    return highest


def _number(service: Service, parameters: Parameters) -> int:
    number = height(service.history, parameters.get(1), 1)
    if number is None:
        raise RpcError(-32000, "header not found")
    if service.history.ledger(number) is None:
        raise internal(f"State already discarded for block {number}")
    return number


def _overlay(service: Service, number: int) -> Ledger:
    """The chain at a height, to be written without a trace."""
    view = service.node.ledger.at(number)
    ledger = Ledger(view.codec, service.node.state.overlay(number))
    ledger.block_number, ledger.now_ms, ledger.author = number, view.now_ms, service.node.ledger.author
    return ledger


def _limit(asked: Request) -> int:
    if asked.gas is None:
        return MOST_GAS
    if asked.gas > MOST_GAS:
        raise internal(f"provided gas limit is too high (can be up to {GAS_MULTIPLIER}x the block gas limit)")
    return asked.gas


def _affordable(ledger: Ledger, asked: Request, highest: int) -> int:
    """The gas limit that the sender can pay at the price named."""
    if not asked.price:
        return highest
    available = _reducible(ledger, asked.sender) - asked.value
    if available < 0:
        raise internal("insufficient funds for transfer")
    return min(highest, available // asked.price)


def _reducible(ledger: Ledger, sender: bytes) -> int:
    free = balances.free(ledger, mirror(sender)) - balances.EXISTENTIAL_DEPOSIT
    return max(free, 0) * fees.WEI_PER_RAO


def _validate(ledger: Ledger, asked: Request, gas: int) -> None:
    """What the runtime checks of a call before it runs."""
    name = None
    if asked.nonce is not None and asked.nonce != system.nonce(ledger, mirror(asked.sender)):
        name = "InvalidNonce"
    elif asked.price and asked.price < base_fee(ledger):
        name = "GasPriceTooLow"
    elif asked.price and _reducible(ledger, asked.sender) < asked.price * gas + asked.value:
        name = "BalanceLow"
    if name is not None:
        pallet, error = ledger.codec.pallet_index["EVM"], ledger.codec.errors["EVM"][name]
        module = f"ModuleError {{ index: {pallet}, error: [{error}, 0, 0, 0], message: None }}"
        raise internal(f"execution fatal: Module({module})")


def _message(asked: Request, gas: int) -> Message:
    return Message(
        sender=asked.sender, to=asked.to, data=asked.data, value=asked.value, gas_limit=gas,
        access_list=asked.access_list, authorizations=asked.authorizations,
    )  # fmt: skip


def _code(ledger: Ledger, address: bytes) -> bytes:
    from subnetlab.devnet.evm.accounts import AccountDatabase  # noqa: PLC0415 - it loads the engine

    return AccountDatabase(ledger).get_code(address)


async def _in_turns(service: Service, work: Callable[[Pause], T]) -> T:
    """Run contracts in turns with everything else, and not longer than they may.

    What ends within a turn needs no thread. What does not is begun again in turns, for nothing of it remains.
    """
    begun, unfinished = 0.0, False

    def stop_after_a_turn() -> None:
        nonlocal unfinished
        if time.monotonic() - begun > TURN_S:
            unfinished = True
            raise TimeLimit

    async with service.simulations.turn():
        begun = time.monotonic()
        try:
            found = work(stop_after_a_turn)
        except Exception:
            if not unfinished:
                raise
        else:
            if not unfinished:
                return found
    return await _by_thread(service, work)


async def _by_thread(service: Service, work: Callable[[Pause], T]) -> T:
    """The same from the beginning, on a thread that works while this task waits for it."""
    ends, ended = time.monotonic() + MOST_SECONDS, False

    def pause() -> None:
        if ended or time.monotonic() > ends:
            raise TimeLimit
        turns.pause()

    turns, over = Turns(lambda: work(pause), TURN_S), False
    async with service.simulations.long:
        try:
            while not over:
                async with service.simulations.long_turn():
                    over = turns.step()
        finally:  # where the client has gone, the thread ends at its next pause
            ended = True
            with suppress(Exception):
                turns.result()
    try:
        return turns.result()
    except TimeLimit:
        raise internal(f"execution aborted (timeout = {MOST_SECONDS:.0f}s)") from None
