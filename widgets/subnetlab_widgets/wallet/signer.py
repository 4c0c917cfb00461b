"""A coldkey whose key stays in a wallet of the browser: what the SDK calls a `Signer`.

Takes the place of a wallet wherever money is spent: `net.stake(…, wallet=signer)`. The page asks its
extension; every signature is checked against the account's public key before anything is sent, so a wallet
that shows one address and signs with another is found out here and not by the chain.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from bittensor_core import Keypair

from subnetlab.errors import WalletError, WalletLied
from subnetlab.network.destination import ss58_account
from subnetlab.network.stages import current_spend
from subnetlab.text import NAME, REASON, plain
from subnetlab_widgets.wallet.exchange import ANSWER_WITHIN_S, Exchange

CRYPTO_TYPES = {"ed25519": 0, "sr25519": 1}
"""How wallets name the schemes that sign for a coldkey; `ethereum` and `ecdsa` accounts do not."""
_PREFIXED = 65
"""Bytes of a signature with its scheme in front, as extensions return it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of a wallet in the page: public parts only."""

    address: str
    """ss58, in the form of this chain."""
    name: str
    source: str
    """The extension, as it calls itself: `polkadot-js`, `talisman`, `subwallet-js` …"""
    type: str
    shown: str
    """The address as the extension knows it; it may use another prefix."""


def account_of(told: Any) -> Account | None:
    """What a page says of an account, or None where it cannot sign for a coldkey here."""
    if not isinstance(told, dict):
        return None
    address, source = told.get("address"), told.get("source")
    kind = told.get("type") or "sr25519"
    if not isinstance(address, str) or not isinstance(source, str) or kind not in CRYPTO_TYPES:
        return None
    try:
        public = bytes(Keypair(ss58_address=address, crypto_type=CRYPTO_TYPES[kind]).public_key)
        ours = ss58_account(Keypair(public_key=public, crypto_type=CRYPTO_TYPES[kind]).ss58_address)
    except (ValueError, WalletError):
        return None
    name = plain(str(told.get("name") or source), NAME)
    return Account(address=ours, name=name, source=plain(source, NAME), type=kind, shown=address)


class PageSigner:
    """A `bittensor.Signer` that asks a wallet in the page. Made by `BrowserWallet.signer`."""

    uses_extension_signing = True

    def __init__(
        self, account: Account, exchange: Callable[[], Exchange], *, within_s: float = ANSWER_WITHIN_S
    ) -> None:
        self.account, self._exchange, self._within_s = account, exchange, within_s
        self._public = Keypair(ss58_address=account.address, crypto_type=CRYPTO_TYPES[account.type])

    @property
    def ss58_address(self) -> str:
        """The address, in the form of this chain."""
        return self.account.address

    @property
    def public_key(self) -> bytes:
        """32 bytes."""
        return bytes(self._public.public_key)

    @property
    def crypto_type(self) -> int:
        """0 is ed25519, 1 is sr25519."""
        return CRYPTO_TYPES[self.account.type]

    @property
    def ss58_format(self) -> int:
        """The prefix of the address."""
        return self._public.ss58_format

    async def sign_unsigned_extrinsic(self, unsigned: Any) -> bytes:
        """Have an extrinsic signed in the page; the SDK calls this.

        Raises:
            WalletRefused: the person or the wallet said no.
            WalletSilent: no page with this wallet answered in time.
            WalletLied: the signature is not of this account.
        """
        payload = {**unsigned.payload_json, "address": self.account.shown}
        signature = await self._asked("extrinsic.sign", {"payload": payload, "says": says()})
        self._check(unsigned.payload, signature)
        return signature

    def sign(self, payload: bytes) -> Any:
        """Have a message signed; await it for the 64 bytes. Errors as above.

        A wallet puts `<Bytes>` around what is no extrinsic.
        """
        return self._signed_message(payload)

    async def _signed_message(self, payload: bytes) -> bytes:
        signature = await self._asked("bytes.sign", {"data": f"0x{payload.hex()}"})
        try:
            self._check(b"<Bytes>" + payload + b"</Bytes>", signature)
        except WalletLied:
            self._check(payload, signature)
        return signature[-64:]

    async def _asked(self, method: str, params: dict[str, Any]) -> bytes:
        exchange = self._exchange()
        told = {**params, "source": self.account.source, "address": self.account.shown}
        question = exchange.put(method, told)
        try:
            answer = await asyncio.wait_for(asyncio.wrap_future(question.answer), self._within_s)
        except TimeoutError:
            raise exchange.given_up(question) from None
        except BaseException:
            exchange.forget(question)
            raise
        found = answer.get("signature") if isinstance(answer, dict) else None
        try:
            return bytes.fromhex(str(found).removeprefix("0x"))
        except ValueError:
            raise WalletLied(f"{self.account.source} returned something that is no signature.") from None

    def _check(self, payload: bytes, signature: bytes) -> None:
        scheme_fits = len(signature) != _PREFIXED or signature[0] == self.crypto_type
        if not scheme_fits or len(signature) not in (64, _PREFIXED):
            raise WalletLied(f"{self.account.source} returned something that is no signature.")
        if not self._public.verify(payload, signature[-64:]):
            raise WalletLied(
                f"{self.account.source} signed with another key than that of {self.account.address}, "
                "or signed something else."
            )

    def __repr__(self) -> str:
        return f"PageSigner({self.account.name!r} in {self.account.source}, {self.ss58_address})"


def says() -> dict[str, Any]:
    """What the notebook says of the spend that is being signed; the page shows it beside its own reading."""
    spend = current_spend()
    if spend is None:
        return {}
    told = asdict(spend)
    kept = {name: plain(told[name], REASON) for name in ("summary", "network", "to")}
    # A script's numbers cannot hold every rao, so amounts travel as text.
    return kept | {"fee_rao": str(spend.fee_rao), "amount_rao": str(spend.amount_rao)}
