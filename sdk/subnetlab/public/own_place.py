"""Where a peer of a public run puts its objects, and where it reads those of others.

Each peer writes to a place of its own and says on chain where it is read; below the run's own store where
that can be written, else in a bucket that its operator names. No peer sees another's credentials.
"""

from pathlib import Path

from subnetlab.errors import StoreAddressInvalid
from subnetlab.membership import membership_for
from subnetlab.public.found_run import FoundRun
from subnetlab.store import address
from subnetlab.store.places import LocatedPlaces, OwnPlace, open_places, own_locator
from subnetlab.train.announcement import Announcement


def own_place(
    found: FoundRun, hotkey: str, where: str = "", *, profile: str = "", locator: str = "",
    allow_local: bool = False,
) -> OwnPlace:  # fmt: skip
    """The store of one peer.

    Args:
        found: the run.
        hotkey: of the peer (ss58).
        where: of its own place; unless given below the run's store, where this operator named that or on a
            development chain.
        profile: whose credentials write there.
        locator: where others read it, if that is another address.
        allow_local: whether places on this machine and its network are followed, as on a development chain.

    Raises:
        StoreAddressInvalid: the run's store is only read and no place was given, or others could not read it.
        StoreUnreachable: the place cannot be opened.
    """
    common = address.parse(found.where)
    writable = (found.given or allow_local) and common.scheme not in ("http", "https")
    if not where and not writable:
        raise StoreAddressInvalid(
            f"The store of run {found.run_id}, {found.where}, is its owner's and can be read only.",
            hint="Give a place of your own: --store s3://bucket/prefix.",
        )
    if where:
        check_writable(where)
    return open_places(
        where or str(common.below(f"peers/{hotkey}")), profile=profile, locator=locator,
        allow_local=allow_local, common=found.store,
    )  # fmt: skip


def check_writable(where: str) -> None:
    """Refuse an address that can only be read, before anything is trained for it.

    Raises:
        StoreAddressInvalid: it names no store, holds credentials, or is one that others write.
    """
    if address.parse(where).scheme in ("http", "https") and membership_for(where) is None:
        raise StoreAddressInvalid(
            f"{where} can be read only.",
            hint="Give a bucket or a folder of your own: s3://bucket/prefix?region=….",
        )


def announceable(store: str, *, allow_local: bool) -> str:
    """The address of a run's store as it is announced: a path becomes whole.

    Args:
        store: as its owner says it.
        allow_local: whether folders, plain http and addresses of this machine and its network may be
            announced, as on a development chain.

    Raises:
        StoreAddressInvalid: it cannot be written, or strangers could not read it without a key.
        ArgumentInvalid: it is too long for a commitment.
    """
    where = store if "://" in store else str(Path(store).expanduser().resolve())
    check_writable(where)
    own_locator(address.parse(where).locator, allow_local=allow_local)
    Announcement(manifest=bytes(32), rounds=1, store=where).to_bytes()
    return where


def reading_place(found: FoundRun, *, allow_local: bool) -> OwnPlace:
    """The store of a run as somebody sees it who only reads."""
    return OwnPlace(mine=found.store, find=LocatedPlaces(allow_local=allow_local))
