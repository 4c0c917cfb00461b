"""Where a peer of a public run puts its objects, and where it reads those of others.

Each peer writes to a place of its own and says on chain where it is read; below the run's own store where
that can be written, else in a bucket that its operator names. No peer sees another's credentials.
"""

from subnetlab.errors import StoreAddressInvalid
from subnetlab.public.found_run import FoundRun
from subnetlab.store import address
from subnetlab.store.places import OwnPlace, open_places, read_place


def own_place(
    found: FoundRun, hotkey: str, where: str = "", *, profile: str = "", locator: str = "",
    allow_local: bool = False,
) -> OwnPlace:  # fmt: skip
    """The store of one peer.

    Args:
        found: the run.
        hotkey: of the peer (ss58).
        where: of its own place; below the run's store unless given.
        profile: whose credentials write there.
        locator: where others read it, if that is another address.
        allow_local: whether places on this machine and its network are followed, as on a development chain.

    Raises:
        StoreAddressInvalid: the run's store is read-only and no place was given, or others could not read it.
        StoreUnreachable: the place cannot be opened.
    """
    common = address.parse(found.where)
    if not where and common.scheme in ("http", "https"):
        raise StoreAddressInvalid(
            f"The store of run {found.run_id}, {found.where}, can be read only.",
            hint="Give a place of your own: --store s3://bucket/prefix.",
        )
    return open_places(
        where or str(common.below(f"peers/{hotkey}")), profile=profile, locator=locator,
        allow_local=allow_local, common=found.store,
    )  # fmt: skip


def reading_place(found: FoundRun, *, allow_local: bool) -> OwnPlace:
    """The store of a run as somebody sees it who only reads."""
    return OwnPlace(mine=found.store, find=lambda _uid, locator: read_place(locator, allow_local=allow_local))
