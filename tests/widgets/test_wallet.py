"""Money signed in a page, on a real node: the purse as ever; wallets that refuse, lie or alter the order."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import bittensor
import pytest
from bittensor_core import Keypair
from eth_account import Account
from web3.exceptions import Web3RPCError

from subnetlab.errors import (
    DevnetOnly,
    NodeUnreachable,
    WalletAltered,
    WalletError,
    WalletLied,
    WalletRefused,
    WalletSilent,
)
from subnetlab.lab.session import Net, connect
from subnetlab.units import rao
from subnetlab_widgets.wallet import BrowserWallet, browser_wallet
from tests.widgets.wallet_page import WalletPage

PAGE_KEY = Keypair.create_from_uri("//a key of the page")
EVM_KEY = bytes(range(1, 33))
TAO = 10**9


@pytest.fixture(scope="module")
def shared_net() -> Iterator[Net]:
    with connect(sealing="instant") as net:
        net.budget.set(tao=None)
        net.pay(amount_tao=100, to=PAGE_KEY.ss58_address, wallet="alice")
        net.fund_evm(amount_tao=100, to=Account.from_key(EVM_KEY).address, wallet="alice")
        yield net


@pytest.fixture
def net(shared_net: Net) -> Net:
    shared_net.budget.set(tao=50)
    return shared_net


@pytest.fixture
def wallet(net: Net) -> Iterator[BrowserWallet]:
    opened = browser_wallet(net)
    yield opened
    opened.close()


@pytest.fixture
def page(wallet: BrowserWallet) -> WalletPage:
    page = WalletPage(wallet, coldkey=PAGE_KEY, evm=EVM_KEY)
    page.connect()
    page.connect_evm()
    return page


def test_a_signer_is_what_the_sdk_takes_for_one(wallet: BrowserWallet, page: WalletPage) -> None:
    signer = wallet.signer(within_s=0)
    assert isinstance(signer, bittensor.Signer)
    assert signer.ss58_address == PAGE_KEY.ss58_address
    assert (signer.public_key, signer.crypto_type, signer.ss58_format) == (PAGE_KEY.public_key, 1, 42)
    assert PAGE_KEY.verify(b"<Bytes>hello</Bytes>", asyncio.run(signer.sign(b"hello")))
    assert page.name in str(page.sent[-1])


def test_every_verb_of_money_takes_a_key_of_the_page(
    net: Net, wallet: BrowserWallet, page: WalletPage
) -> None:
    net.budget.set(tao=None)
    subnet, signer = net.create_subnet("tiny-lm", wallet="alice"), wallet.signer()
    net.budget.set(tao=50)
    left = net.budget.left_rao
    assert left is not None
    before = net.balance("bob")
    paid = net.pay(amount_tao=1, to="bob", wallet=signer)
    assert net.balance("bob").rao - before.rao == TAO
    staked = net.stake(
        amount_tao=2, hotkey_ss58=subnet.hotkey(0), netuid=subnet.netuid, wallet=signer, rate_tolerance=None
    )
    asked = [message for message in page.heard if message["k"] == "ask"]
    assert [entry["method"] for entry in asked] == ["extrinsic.sign"] * 2
    assert asked[0]["params"]["says"]["summary"].startswith("transfer")
    assert asked[0]["params"]["says"]["amount_rao"] == str(TAO)
    now = net.budget.left_rao
    assert now is not None
    assert left - now >= 3 * TAO + paid.fee_rao + staked.fee_rao
    last = net.ledger().tail(1).to_dicts()[0]
    assert (last["wallet"], last["what"]) == (PAGE_KEY.ss58_address, "stake")
    assert page.wallet.state["asking"] == ""


def test_a_no_in_the_wallet_spends_nothing(net: Net, wallet: BrowserWallet, page: WalletPage) -> None:
    left, page.refuses = net.budget.left_rao, True
    with pytest.raises(WalletRefused, match="Refused in the page: Cancelled"):
        net.pay(amount_tao=1, to="bob", wallet=wallet.signer())
    with pytest.raises(WalletRefused):
        net.pay(amount_tao=1, to="bob", wallet=wallet.evm_wallet())
    assert net.budget.left_rao == left
    page.refuses = False
    assert net.pay(amount_tao=1, to="bob", wallet=wallet.signer()).block


def test_a_wallet_that_signs_with_another_key_is_found_before_anything_is_sent(
    net: Net, wallet: BrowserWallet, page: WalletPage
) -> None:
    left, page.signs_with = net.budget.left_rao, Keypair.create_from_uri("//another")
    with pytest.raises(WalletLied, match="signed with another key"):
        net.pay(amount_tao=1, to="bob", wallet=wallet.signer())
    with pytest.raises(WalletLied, match="signed with another key"):
        asyncio.run(wallet.signer().sign(b"hello"))
    assert net.budget.left_rao == left


def test_an_evm_wallet_pays_both_halves_and_the_purse_counts_it(
    net: Net, wallet: BrowserWallet, page: WalletPage
) -> None:
    key, left, before = wallet.evm_wallet(), net.budget.left_rao, net.balance("bob")
    assert left is not None
    assert page.evm is not None
    assert (key.address, key.elsewhere) == (page.evm.address, True)
    paid = net.pay(amount_tao=2, to="bob", wallet=key)
    assert net.balance("bob").rao - before.rao == 2 * TAO
    assert net.budget.left_rao == left - 2 * TAO - paid.fee_rao
    assert net.pay(amount_tao=1, to=net.evm_wallet("bob"), wallet=key).block
    with pytest.raises(WalletError, match="is in Test, in the page"):
        key.signer()


def test_an_evm_wallet_that_lies_about_its_address_is_not_connected(net: Net, wallet: BrowserWallet) -> None:
    page = WalletPage(wallet, coldkey=PAGE_KEY, evm=EVM_KEY)
    sentence = wallet.state["sentence"]
    page.connect_evm(net.evm_wallet("alice").address)
    assert "its signature is not of that address" in wallet.state["note"]
    with pytest.raises(WalletSilent, match="No page has connected"):
        wallet.evm_wallet(within_s=0)
    assert wallet.state["sentence"] != sentence
    page.connect_evm()
    old = page.sent[-1]
    assert wallet.evm_wallet(within_s=0).address == old["address"]
    page.say(old)  # a page that repeats an old signature
    assert "its signature is not of that address" in wallet.state["note"]


def test_an_evm_wallet_that_sends_something_else_is_told_of_and_counted(
    net: Net, wallet: BrowserWallet, page: WalletPage
) -> None:
    left, page.alters = net.budget.left_rao, True
    assert left is not None
    with pytest.raises(WalletAltered, match="sent something else"):
        net.pay(amount_tao=1, to=net.evm_wallet("bob"), wallet=wallet.evm_wallet())
    now = net.budget.left_rao
    assert now is not None
    assert now < left - TAO


def test_web3_works_with_the_account_of_the_page_inside_a_cell(
    net: Net, wallet: BrowserWallet, page: WalletPage
) -> None:
    w3, bob = wallet.w3, net.evm_wallet("bob").address
    assert page.evm is not None
    assert w3.eth.accounts == [page.evm.address]
    sent = w3.eth.send_transaction(_fields(w3, page.evm.address, bob))
    assert w3.eth.wait_for_transaction_receipt(sent)["status"] == 1
    with pytest.raises(Web3RPCError, match="does not do eth_sign"):
        w3.eth.sign(page.evm.address, text="blind")  # pyright: ignore[reportArgumentType]

    async def cell() -> Any:
        theirs = wallet.async_w3
        try:
            assert await theirs.eth.accounts == [page.evm.address]  # pyright: ignore[reportOptionalMemberAccess]
            return await theirs.eth.send_transaction(_fields(w3, page.evm.address, bob))  # pyright: ignore[reportOptionalMemberAccess]
        finally:
            await theirs.provider.disconnect()

    assert len(asyncio.run(cell())) == 32


def _fields(w3: Any, sender: str, to: str) -> Any:
    return {
        "from": sender, "to": to, "value": 10**18, "gas": 21000, "maxFeePerGas": 2 * w3.eth.gas_price,
        "maxPriorityFeePerGas": 0, "nonce": w3.eth.get_transaction_count(sender), "chainId": w3.eth.chain_id,
    }  # fmt: skip


def test_two_pages_that_sign_at_once_for_two_cells_pay_twice_and_no_more(
    net: Net, wallet: BrowserWallet, page: WalletPage
) -> None:
    """Both pages sign whatever they hear, and both send what they signed."""
    second = WalletPage(wallet, coldkey=PAGE_KEY, evm=EVM_KEY, name="second")

    def every_page(content: dict[str, Any], _buffers: Any = None) -> None:
        for heard in (page, second):
            heard.hear(content)

    wallet.send = every_page  # pyright: ignore[reportAttributeAccessIssue]
    before, earlier = net.balance("bob").rao, net.ledger().height
    payers = [wallet.signer(), wallet.signer()]
    cells = [
        threading.Thread(target=lambda payer=payer: net.pay(amount_tao=1, to="bob", wallet=payer))
        for payer in payers
    ]
    for cell in cells:
        cell.start()
    for cell in cells:
        cell.join(300)
    assert net.balance("bob").rao - before == 2 * TAO
    assert net.ledger()["outcome"].to_list()[earlier:] == ["done", "done"]
    answers = [told for told in (*page.sent, *second.sent) if told["k"] == "answer"]
    assert len({told["id"] for told in answers}) >= 2  # and another where one took the other's nonce
    for told in answers:  # and once more, late
        page.say(told)
    assert net.balance("bob").rao - before == 2 * TAO


def test_a_cell_waits_until_a_wallet_is_connected(wallet: BrowserWallet) -> None:
    found: list[str] = []
    cell = threading.Thread(target=lambda: found.append(wallet.signer(within_s=30).ss58_address))
    cell.start()
    WalletPage(wallet, coldkey=PAGE_KEY).connect()
    cell.join(300)
    assert found == [PAGE_KEY.ss58_address]
    with pytest.raises(WalletSilent):
        wallet.signer("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", within_s=0)


@pytest.mark.parametrize(
    "accounts",
    [None, [], [{"address": "5xx", "source": "x"}], [{"address": 3, "source": []}], ["5GrwvaE"]],
)
def test_what_a_page_says_is_an_account_or_nothing(wallet: BrowserWallet, accounts: Any) -> None:
    page = WalletPage(wallet, coldkey=PAGE_KEY)
    page.say({"k": "accounts", "page": "p", "accounts": accounts})
    page.say({"k": "evm", "page": "p", "address": accounts})
    page.connect(type="ethereum")
    assert (wallet.state["accounts"], wallet.state["evm"]["address"]) == ([], "")
    assert wallet.state["note"]


def test_a_disposable_key_is_for_play_money_and_pays_like_any(
    net: Net, wallet: BrowserWallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    WalletPage(wallet, coldkey=PAGE_KEY).say({"k": "disposable", "page": "p"})
    key = wallet.evm_wallet(within_s=0)
    assert wallet.state["evm"] == {"address": key.address, "name": "disposable key", "own": True}
    net.fund_evm(amount_tao=2, to=key, wallet="alice")
    assert net.pay(amount_tao=1, to="bob", wallet=key).block
    secret = bytes(key.signer().key).hex()
    assert secret not in str(wallet.get_state())
    monkeypatch.setitem(vars(wallet._client), "development", 0)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(DevnetOnly):
        wallet.disposable_key()


def test_a_page_that_is_gone_leaves_a_sentence(net: Net, wallet: BrowserWallet) -> None:
    page = WalletPage(wallet, coldkey=PAGE_KEY, evm=EVM_KEY)
    page.connect_evm()
    wallet.send = page.heard.append  # pyright: ignore[reportAttributeAccessIssue] - the page hears, and only claims
    key, ended = wallet.evm_wallet(), []

    def cell() -> None:
        try:
            net.pay(amount_tao=1, to="bob", wallet=key)
        except NodeUnreachable as error:
            ended.append(str(error))

    thread = threading.Thread(target=cell)
    claimed = threading.Event()

    def look(change: dict[str, Any]) -> None:
        if change["new"]["asking"]:
            claimed.set()

    wallet.observe(look, "state")
    thread.start()
    assert claimed.wait(300)
    asked = next(message for message in reversed(page.heard) if message["k"] == "ask")
    page.say({"k": "claim", "id": asked["id"], "page": "p"})
    page.say({"k": "bye", "page": "p"})
    thread.join(300)
    assert "whether it did is not known" in ended[0]
    assert net.ledger().tail(1)["outcome"].item() == "unknown"


def test_the_state_holds_addresses_codes_and_what_was_spent_and_no_rao_as_a_number(
    wallet: BrowserWallet, page: WalletPage
) -> None:
    assert page.evm is not None
    assert set(wallet.state["qr"]) == {PAGE_KEY.ss58_address, page.evm.address}
    side, path = wallet.state["qr"][page.evm.address]
    assert path.startswith("M2 2h1v1h-1z")
    assert side == path_side(path)
    assert wallet.state["spent"][0]["outcome"] in ("done", "unknown", "refused")
    assert all(isinstance(row["amount"], str) for row in wallet.state["spent"])
    assert "play money" in repr(wallet._said())  # pyright: ignore[reportPrivateUsage]
    assert rao(1) == TAO


def path_side(path: str) -> int:
    return max(int(part.split("h")[0].split(" ")[0]) for part in path[1:].split("M")) + 3
