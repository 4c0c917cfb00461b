"""What the SDK reports as failed, in SubnetLab's own errors: which pallet, which error, what to do next.

The SDK names the error and knows its remediation; the pallet it drops is found again in its catalogue of
errors. A pool rejection has no pallet: nothing of it reached a block.
"""

from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus

import bittensor
from bittensor._generated.errors import ERRORS
from bittensor._transport.errors import MaxRetriesExceeded, RpcPolicyRejection, SubstrateRequestException
from bittensor_core import KeyfileError

from subnetlab.errors import ChainRejected, NodeUnreachable, WalletError
from subnetlab.network.endpoints import unreachable

_BROKEN = ("Connection lost", "Connection dropped", "RPC session closed")
"""What the SDK's transport says when the connection goes while something is under way."""

_PALLETS: dict[str, list[str]] = {}
for _info in ERRORS.values():
    _PALLETS.setdefault(_info.name, []).append(_info.pallet)


def rejected(error: bittensor.ChainError | None, message: str) -> ChainRejected | NodeUnreachable:
    """The chain's refusal as our error, its hint the SDK's remediation.

    A connection that broke while waiting is no refusal: what was sent may have been carried out.

    Args:
        error: the SDK's error where there is one.
        message: what the SDK said besides.
    """
    if error is None:
        return ChainRejected(
            f"The chain refused it: {message or 'no reason was given'}.",
            code="Unknown",
            hint="Look at the balance and the newest block, then try again.",
        )
    if any(needle in error.message for needle in _BROKEN):
        return NodeUnreachable(
            "The connection broke before the block was known; it may have been carried out.",
            hint="Look at the balance before trying again.",
        )
    name = error.name or ""
    pallets = _PALLETS.get(name, [])
    # Several pallets share a few names; the one people meet is Subtensor's own.
    pallet = "SubtensorModule" if "SubtensorModule" in pallets else (pallets[0] if pallets else "")
    words = (error.message or name).strip().rstrip(".")
    where = f" ({pallet}.{name})" if pallet else f" ({name})" if name else ""
    help_text = error.remediation.strip().rstrip(".")
    return ChainRejected(
        f"The chain refused it: {words}{where}.",
        pallet=pallet,
        code=name or error.code.value,
        hint=f"{help_text[:1].upper()}{help_text[1:]}.",
    )


def refused_for_good(error: BaseException) -> bool:
    """Whether a connection was refused because of who asks, which another try does not change."""
    return _status(error) == HTTPStatus.UNAUTHORIZED


def _status(error: BaseException) -> int | None:
    return error.status_code if isinstance(error, bittensor.RpcPolicyError) else None


@contextmanager
def translated(endpoint: str) -> Generator[None]:
    """Turn whatever the SDK raises inside the block into SubnetLab's errors.

    Raises:
        ChainRejected: the chain, or the SDK on its behalf, refused; also an argument no call can carry.
        WalletError: the wallet's key could not be opened.
        NodeUnreachable: no node answers at `endpoint`, or the connection broke.
        NotInClass: it is the chain of a class that does not know this student any more.
    """
    try:
        yield
    except bittensor.ChainError as error:
        if isinstance(error.__cause__, WalletError):  # of a signer that asks a person; the SDK wraps it
            raise error.__cause__ from None
        raise rejected(error, error.message) from error
    except bittensor.PolicyError as error:
        raise ChainRejected(
            f"The SDK's policy refused it: {error}.",
            code="Policy",
            hint="The policy of the bittensor SDK is set in its own configuration.",
        ) from error
    except TimeoutError as error:
        raise NodeUnreachable(
            f"The node at {endpoint} did not answer in time.",
            hint="See whether it still runs, then ask again.",
        ) from error
    except (
        bittensor.RpcConnectionError,
        bittensor.ConnectionNotReady,
        MaxRetriesExceeded,
        OSError,
    ) as error:
        raise unreachable(endpoint, error, status=_status(error)) from error
    except SubstrateRequestException as error:
        if isinstance(error, RpcPolicyRejection):
            raise unreachable(endpoint, error, status=error.status_code) from error
        raise rejected(bittensor.ChainError(str(error)), str(error)) from error
    except KeyfileError as error:
        raise WalletError(
            f"The wallet could not be opened: {error}.",
            hint="btcli wallet list shows which keys there are; check the file and who may read it.",
        ) from error
    except (bittensor.BittensorError, ValueError, TypeError, OverflowError) as error:
        raise ChainRejected(
            f"It was not sent: {error}.",
            code="InvalidArgument",
            hint="Check the arguments: amounts in TAO, addresses as ss58, netuid as a number.",
        ) from error
