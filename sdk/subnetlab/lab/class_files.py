"""Joining a class from a student's kernel: the token, the wallet that is made here, and where both are kept.

The class learns two addresses and a signature; keys and token stay in files of this user, and neither is ever
shown. What was begun and broken off is gone on with by the same line.
"""

import http.client
import json
import secrets
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final, cast

import bittensor

from subnetlab.errors import ArgumentInvalid, ClassError, ClassUnreachable
from subnetlab.membership import (
    FILE,
    Membership,
    folder_of,
    membership_at,
    membership_for,
    not_in_class,
    wallet_text,
)
from subnetlab.record.files import make_private, write_private
from subnetlab.store.class_place import ask
from subnetlab.text import plain_lines

_LIMIT_S: Final = 30.0


def membership_of(address: str, code: str, name: str) -> Membership:
    """Who one is in a class: as was kept, or as a code makes one now.

    Raises:
        ArgumentInvalid: neither was this class joined from here before, nor is there a code.
        ClassError: the class refuses; its sentence says why.
        ClassUnreachable: no class answers at the address.
    """
    address = address.rstrip("/")
    held = membership_at(address)
    if held is not None and (not code or _is_known(held)):
        return held
    if not code:
        raise ArgumentInvalid(
            f"The class at {address} was not joined from here yet.",
            hint=f'sl.connect("{address}", code="…", name="…") with the code that your teacher gives.',
        )
    told = asked("POST", f"{address}/join", {"code": code, "name": name})
    return _kept(address, told)


def asked(method: str, url: str, told: dict[str, Any] | None = None, *, token: str = "") -> dict[str, Any]:
    """Ask a class's server something in JSON.

    Raises:
        ClassError: it refuses; its sentence says why.
        NotInClass: it does not know this student any more.
        ClassUnreachable: no class answers at the address.
    """
    body = b"" if told is None else json.dumps(told).encode()
    try:
        answer = ask(method, url, body, seconds=_LIMIT_S, token=token)
    except (OSError, http.client.HTTPException) as error:
        raise ClassUnreachable(f"No class answers at {url} ({error}).") from None
    found: Any = None
    with suppress(ValueError, RecursionError):
        found = json.loads(answer.body)
    if not isinstance(found, dict):
        raise ClassUnreachable(f"What answers at {url} is no class.")
    if answer.status != http.HTTPStatus.OK:
        member = membership_for(url)
        if answer.status == http.HTTPStatus.UNAUTHORIZED and member is not None and not token:
            raise not_in_class(member)
        sentence = str(cast("dict[str, Any]", found).get("error", f"it answered {answer.status}"))
        raise ClassError(plain_lines(sentence), hint="")
    return cast("dict[str, Any]", found)


def introduce(member: Membership) -> None:
    """Make the wallet if it is not there yet, and tell the class its addresses, so that it is given money.

    Raises:
        ClassError: the class refuses; its sentence says why.
        ClassUnreachable: the class does not answer.
    """
    wallet = bittensor.Wallet(member.wallet)
    if not wallet.coldkey_file.exists_on_device():
        wallet.create_new_coldkey(use_password=False, suppress=True)
    if not wallet.hotkey_file.exists_on_device():
        wallet.create_new_hotkey(use_password=False, suppress=True)
    coldkey, hotkey = str(wallet.coldkeypub.ss58_address), str(wallet.hotkey.ss58_address)
    signature = bytes(wallet.hotkey.sign(wallet_text(member.student, coldkey, hotkey))).hex()
    told = {"coldkey": coldkey, "hotkey": hotkey, "signature": signature}
    asked("POST", f"{member.address}/me/wallet", told)


def _is_known(member: Membership) -> bool:
    """Whether the class still knows a student; False where it was reset or is another class by now."""
    try:
        asked("GET", f"{member.address}/me")
    except ClassUnreachable:
        raise
    except ClassError:
        return False
    return True


def _check_name(member: Membership) -> None:
    """See that a class which calls itself otherwise than it was asked is what answers there.

    Another class's files must not be replaced, and chain and store are reached by that name.

    Raises:
        ClassUnreachable: it is not.
    """
    try:
        found = asked("GET", f"{member.address}/me", token=member.token)
    except ClassError as error:
        raise ClassUnreachable(
            f"The class at {member.asked} calls itself {member.address}, which does not know you: {error}",
            hint="Ask your teacher to start it with --url and the address that students type.",
        ) from None
    if found.get("student") != member.student:
        raise ClassUnreachable(f"What answers at {member.address} is another class.")


def _kept(address: str, told: dict[str, Any]) -> Membership:
    """Keep what a class said on joining.

    Raises:
        ClassUnreachable: it said something else.
    """
    try:
        member = Membership(
            address=str(told["address"]).rstrip("/"), asked=address, student=str(told["student"]),
            name=str(told["name"]), token=str(told["token"]), netuid=int(told["netuid"]),
            seed=int(told["seed"]), wallet=f"class-{secrets.token_hex(4)}",
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise ClassUnreachable(f"What answers at {address} is no class.") from None
    if member.address != address:
        _check_name(member)
    folder = make_private(folder_of(member.address))
    write_private(folder / FILE, json.dumps(asdict(member)))
    return member
