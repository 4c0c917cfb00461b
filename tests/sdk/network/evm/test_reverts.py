"""The reason of a refusal, as Frontier, geth and anvil put it, and as web3.py hands it on."""

import pytest
from eth_abi.abi import encode
from web3.exceptions import ContractLogicError, ContractPanicError, Web3RPCError

from subnetlab.network.evm.connection import rejected
from subnetlab.network.evm.reverts import revert_reason

ERROR = "0x08c379a0" + encode(["string"], ["too early"]).hex()
PANIC = "0x4e487b71" + (0x11).to_bytes(32, "big").hex()


def rpc(message: str, data: object = None, code: int = -32603) -> Web3RPCError:
    error = {"code": code, "message": message, "data": data}
    return Web3RPCError(repr(error), rpc_response={"jsonrpc": "2.0", "id": 1, "error": error})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (rpc("VM Exception while processing transaction: revert too early", ERROR), "too early"),
        (rpc("VM Exception while processing transaction: revert too early"), "too early"),
        (rpc("VM Exception while processing transaction: revert", PANIC), "a number left its range"),
        (rpc("VM Exception while processing transaction: revert", "0x"), "no reason given"),
        (rpc('evm error: Other("dispatch execution failed: NoMoney")'), "dispatch execution failed: NoMoney"),
        (rpc("evm error: OutOfGas"), "OutOfGas"),
        (rpc("execution reverted: too early", ERROR, code=3), "too early"),
        (ContractLogicError("execution reverted: too early", ERROR), "too early"),
        (ContractPanicError("Panic error 0x11: Arithmetic", PANIC), "a number left its range"),
        (rpc("insufficient funds for gas * price + value", code=-32000), None),
        (rpc("broken", "0x08c379a0ff"), None),
        (ValueError("something else"), None),
    ],
)  # fmt: skip
def test_the_reason_is_found_wherever_it_is(error: Exception, reason: str | None) -> None:
    assert revert_reason(error) == reason
    said = rejected(error)
    assert said.code == ("Rpc" if reason is None else "Reverted")
    assert reason is None or reason in str(said)


def test_what_is_no_refusal_of_a_contract_keeps_the_nodes_words() -> None:
    assert "insufficient funds" in str(rejected(rpc("insufficient funds", code=-32000)))
