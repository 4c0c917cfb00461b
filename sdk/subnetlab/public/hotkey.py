"""The key that a public peer signs with, by its wallet's name, and the endpoint it signs for."""

import re
from collections.abc import Sequence
from typing import Final

from bittensor_core import KeyfileError, Keypair, ss58_decode

from subnetlab.errors import ArgumentInvalid, KeyLocked, UnknownNetwork, UnknownWallet, WalletError
from subnetlab.network.endpoints import play_money, resolve
from subnetlab.network.secrets import refuse_secret
from subnetlab.network.wallets import Wallet, open_wallet
from subnetlab.public.subnet_reads import SubnetReads

_HASH: Final = re.compile(r"[0-9a-f]{64}")


def endpoint_of(network: str) -> str:
    """The endpoint of a network by name.

    Raises:
        UnknownNetwork: there is none of this name, or it is a node of a notebook's own.
    """
    found = resolve(network)
    if found.endpoint is None:
        raise UnknownNetwork(
            "The embedded devnet has no endpoint of its own.",
            hint="Give the endpoint of a node that runs: --endpoint ws://host:port.",
        )
    return found.endpoint


def is_development(reads: SubnetReads) -> bool:
    """Whether a chain's money is play money, so that development keys may sign on it."""
    chain_type, genesis = reads.client.rpc("system_chainType"), reads.client.rpc("chain_getBlockHash", 0)
    return play_money(str(chain_type), str(genesis))


def check_trusted(trust: Sequence[str], *, hashes: bool = False) -> None:
    """Refuse what can be the name of no owner, so that a mistyped one is not taken for one who is trusted.

    Args:
        trust: ss58 addresses.
        hashes: whether the hash of a manifest is taken, too.

    Raises:
        ArgumentInvalid: one is neither.
        SecretRefused: one looks like a secret.
    """
    for word in trust:
        refuse_secret(word, "an owner's address")
        if hashes and _HASH.fullmatch(word):
            continue
        try:
            ss58_decode(word)
        except ValueError:
            raise ArgumentInvalid(
                f"{word[:60]!r} is no ss58 address.",
                hint="Trust the hotkey or coldkey of the run's owner: --trust 5….",
            ) from None


def hotkey_of(reads: SubnetReads, wallet: str) -> Keypair:
    """The hotkey of a wallet, unlocked.

    Raises:
        UnknownWallet: there is no such wallet, or it has no such hotkey.
        WalletError: the key is damaged, or its password is wrong.
        KeyLocked: it has a password that cannot be asked for.
        SecretRefused: the name looks like a secret.
        NodeUnreachable: the node does not answer.
    """
    refuse_secret(wallet, "a wallet's name")  # before the node is asked anything
    return hotkey_in(open_wallet(wallet, development=is_development(reads)), wallet)


def hotkey_in(opened: Wallet, name: str) -> Keypair:
    """The hotkey of an open wallet; errors as `hotkey_of`."""
    try:
        key = getattr(opened, "hotkey", None)
    except FileNotFoundError as error:
        raise UnknownWallet(
            f"The wallet {name!r} has no such hotkey.",
            hint="Name one with NAME/HOTKEY; `btcli wallet new-hotkey` makes one.",
        ) from error
    except KeyfileError as error:
        raise WalletError(
            f"The hotkey of {name!r} cannot be opened: {error}.",
            hint="Check the file and who may read it; btcli wallet list shows which keys there are.",
        ) from error
    except EOFError:
        raise KeyLocked(
            f"The hotkey of {name!r} has a password, and no terminal is there to ask for it.",
            hint="Start it in a terminal, or with a hotkey without a password, as `btcli wallet new-hotkey` "
            "makes them.",
        ) from None
    if not isinstance(key, Keypair):
        raise WalletError(
            f"The wallet {name!r} holds no hotkey that signs here.",
            hint="Give --wallet NAME/HOTKEY; btcli wallet list shows which there are.",
        )
    return key
