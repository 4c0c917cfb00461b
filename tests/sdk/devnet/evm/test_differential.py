"""Generated transactions on the chain and on py-evm's own untouched Prague chain: same gas, logs and storage.

Values are whole rao and accounts are rich, so that what the chain does otherwise by design stays out. What
happens around the first frame (intrinsic gas, floors, refunds, access lists, delegations) is the node's own
work, and is what this compares.
"""

from typing import Any

from eth import constants
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth_account import Account
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sdk.devnet.conftest import StillClock, recorded_codec
from tests.sdk.devnet.evm.conftest import GWEI, Wallet, code_of, receipts

from subnetlab.devnet.evm.accounts import AccountDatabase
from subnetlab.devnet.evm.addresses import created, mirror
from subnetlab.devnet.evm.block import Receipt
from subnetlab.devnet.evm.gas import least as least_gas
from subnetlab.devnet.node.node import Node
from subnetlab.devnet.pallets import balances

KEY, OTHER = Account.from_key("0x" + "11" * 32), Account.from_key("0x" + "33" * 32)
ADDRESS, AUTHORITY = bytes.fromhex(KEY.address[2:]), bytes.fromhex(OTHER.address[2:])
RICH = 10**24
"""Wei."""
SLOTS = 4
# Instructions that read no block, balance or account outside: those differ by design.
_PLAIN = [
    "01", "02", "03", "04", "06", "0a", "10", "14", "15", "16", "17", "19", "1a", "1b", "20", "30",
    "33", "34", "35", "36", "37", "38", "3d", "50", "51", "52", "53", "54", "55", "58", "59", "5a",
    "5b", "5c", "5d", "5e", "5f", "80", "81", "82", "90", "91", "a0", "a1", "a2", "00", "f3", "fd",
]  # fmt: skip
pushes = st.binary(min_size=1, max_size=2).map(lambda data: bytes([0x5F + len(data)]) + data)
small = st.integers(0, 3).map(lambda value: bytes([0x60, value]))
stores = st.tuples(small, small).map(lambda pair: b"".join(pair) + b"\x55")
# A call of a small contract or of the contract itself: gas, target, value 0, no data.
calls = st.sampled_from(["30", "73" + AUTHORITY.hex()]).map(
    lambda target: bytes.fromhex("60006000600060006000" + target + "61ffff" + "f1")
)
logs = st.tuples(small, small, small).map(lambda three: b"".join(three) + b"\xa1")
creates = st.just(bytes.fromhex("600060006000f0"))
instructions = st.one_of(
    pushes, small, stores, logs, calls, creates, st.sampled_from(_PLAIN).map(bytes.fromhex)
)
codes = st.lists(instructions, max_size=40).map(b"".join)


@st.composite
def transactions(draw: st.DrawFn) -> dict[str, Any]:
    """What one transaction says, apart from its target, nonce and fees."""
    parts: dict[str, Any] = {
        "data": draw(st.one_of(st.binary(max_size=64), codes)),
        "gas": draw(st.integers(0, 400_000)),
        "value": draw(st.sampled_from([0, 10**12, 10**18])),
        "target": draw(st.sampled_from(["contract", "create", "authority", "plain"])),
    }
    if draw(st.booleans()):
        keys = draw(st.lists(st.integers(0, SLOTS), max_size=3, unique=True))
        listed = [
            {
                "address": "0x" + "55" * 20,
                "storageKeys": ["0x" + key.to_bytes(32, "big").hex() for key in keys],
            }
        ]
        parts["accessList"] = listed
    if parts["target"] != "create" and draw(st.booleans()):
        parts["authorize"] = draw(st.sampled_from(["contract", "nothing"]))
    else:
        parts["priced"] = draw(st.sampled_from(["by fees", "once", "once, for any chain"]))
    return parts


class Reference:
    """py-evm's own chain, with the same accounts."""

    def __init__(self, code: bytes, contract: bytes) -> None:
        chain_class = MiningChain.configure(
            "Reference", vm_configuration=((constants.GENESIS_BLOCK_NUMBER, PragueVM),), chain_id=42
        )
        account = {"balance": RICH, "nonce": 0, "code": b"", "storage": {}}
        state = {ADDRESS: account, AUTHORITY: account, contract: {**account, "nonce": 1, "code": code}}
        genesis = {
            "gas_limit": 75_000_000, "difficulty": 0, "timestamp": 1, "coinbase": bytes(20),
            "base_fee_per_gas": 10 * GWEI, "nonce": bytes(8), "extra_data": b"",
            "excess_blob_gas": 0, "blob_gas_used": 0,
        }  # fmt: skip
        self.chain = chain_class.from_genesis(AtomicDB(), genesis, state)

    def apply(self, raw: bytes) -> Any:
        vm = self.chain.get_vm()
        builder = vm.get_transaction_builder()
        transaction = builder.decode(raw)
        header = vm.get_header()
        receipt, _ = vm.apply_transaction(header, transaction)
        return vm, receipt

    def storage(self, vm: Any, address: bytes) -> list[int]:
        return [vm.state.get_storage(address, slot) for slot in range(SLOTS)]


def rich_node(code: bytes, contract: bytes) -> tuple[Node, Wallet]:
    node = Node(recorded_codec(), StillClock())
    node.seal()
    for who in (ADDRESS, AUTHORITY, contract):
        node.endow(mirror(who), RICH // GWEI)
    accounts = AccountDatabase(node.ledger)
    accounts.set_code(contract, code)
    accounts.increment_nonce(contract)
    node.ledger.put("BaseFee", "BaseFeePerGas", value=[10 * GWEI, 0, 0, 0])
    node.seal()
    return node, Wallet(node, KEY)


def seen(receipt: Receipt) -> tuple[bool, int, list[Any]]:
    return (
        receipt.succeeded,
        receipt.cumulative_gas,
        [(one.address, one.topics, one.data) for one in receipt.logs],
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(codes, transactions())
def test_the_chain_and_the_reference_agree(code: bytes, parts: dict[str, Any]) -> None:
    contract = bytes.fromhex("55" * 20)
    node, wallet = rich_node(code, contract)
    fields = fields_of(parts, contract)
    spare = fields.pop("gas")
    least = least_gas(wallet.sign(**fields, gas=10**7))
    transaction = wallet.sign(**fields, gas=least + spare)
    reference = Reference(code, contract)
    vm, wanted = reference.apply(transaction.encoded)
    wallet.submit_signed(transaction)
    node.seal()
    got = receipts(node)[-1]
    succeeded, gas, logs = seen(got)
    assert (succeeded, gas) == (wanted.state_root == b"\x01", wanted.gas_used)
    assert logs == [
        (one.address, tuple(topic.to_bytes(32, "big") for topic in one.topics), one.data)
        for one in wanted.logs
    ]
    for address in (contract, AUTHORITY, created(ADDRESS, 0)):
        stored = dict(node.ledger.items("EVM", "AccountStorages", "0x" + address.hex()))
        words = [int(stored.get("0x" + slot.to_bytes(32, "big").hex(), "0x0"), 16) for slot in range(SLOTS)]
        assert words == reference.storage(vm, address)
        assert code_of(node, address) == vm.state.get_code(address)
        assert node.ledger.get("System", "Account", mirror(address))["nonce"] == vm.state.get_nonce(address)
    free = balances.free(node.ledger, mirror(contract)) * GWEI
    assert free == vm.state.get_balance(contract)
    held = sum(int(account["data"]["free"]) for _, account in node.ledger.items("System", "Account"))
    assert held == balances.issuance(node.ledger)


def fields_of(parts: dict[str, Any], contract: bytes) -> dict[str, Any]:
    """What a wallet signs: a legacy or 2930 transaction where it is priced once, else a 1559 or 7702 one."""
    fields = {name: value for name, value in parts.items() if name not in ("target", "authorize", "priced")}
    target = {"contract": contract, "create": None, "authority": AUTHORITY, "plain": bytes.fromhex("77" * 20)}
    to = target[parts["target"]]
    fields["to"] = "" if to is None else to
    if parts.get("priced", "by fees") != "by fees":
        fields["gasPrice"] = 40 * GWEI
        if "accessList" in fields:
            fields["type"] = 1
        elif parts["priced"] == "once, for any chain":
            fields["chainId"] = None
    if "authorize" in parts:
        what = "0x" + contract.hex() if parts["authorize"] == "contract" else "0x" + "00" * 20
        fields["type"] = 4
        fields["authorizationList"] = [OTHER.sign_authorization({"chainId": 42, "address": what, "nonce": 0})]
    return fields
