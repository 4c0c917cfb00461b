"""0x809, 0x80a, 0x80b, 0x80f and 0x810: crowdloans, leases, proxies, the scheduler and drand.

The devnet has none of these pallets' calls: they are dispatched and fail as filtered, as on a chain that
filters them. Reads answer their storage, which stays empty. Source: `crowdloan.rs`, `leasing.rs`, `proxy.rs`,
`scheduler.rs`, `drand.rs`.
"""

from collections.abc import Sequence
from typing import Any

from subnetlab.devnet.evm.precompiles.frame import Failed, Frame
from subnetlab.devnet.evm.precompiles.words import (
    Arguments,
    Body,
    Call,
    Maybe,
    Precompile,
    Several,
    Stored,
    Through,
    always,
    mirrored,
    optional,
)

U32_MAX = 2**32 - 1
_LEASE = ("beneficiary", "coldkey", "hotkey", "emissions_share")
_CROWDLOAN = ("creator", "deposit", "min_contribution", "end", "cap", "funds_account", "raised")
_LEASED_NETWORK = Call("SubtensorModule.register_leased_network")
_CREATE = Call("Crowdloan.create")
_PROXIED = Call("Proxy.proxy", force_proxy_type="kind")
_PROXY_TYPES = (
    "Any", "Owner", "NonCritical", "NonTransfer", "Senate", "NonFungible", "Triumvirate", "Governance",
    "Staking", "Registration", "Transfer", "SmallTransfer", "RootWeights", "ChildKeys",
    "SudoUncheckedSetCode", "SwapHotkey", "SubnetLeaseBeneficiary", "RootClaim",
    "BasketTrading",
)  # fmt: skip
"""By the number that contracts name them with."""


def _found(item: str, reason: str, *keys: str) -> Any:
    """The value of an item that must exist."""
    stored = Stored(item, *keys)

    def read(frame: Frame, arguments: Arguments) -> Any:
        frame.charge_reads(1)
        value = stored.value(frame.ledger, arguments)
        if value is None:
            raise Failed(reason)
        return value

    return read


def _scalar(read: Any) -> Body:
    return lambda frame, arguments: [read(frame, arguments)]


def _crowdloan(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    found = _found("Crowdloan.Crowdloans", "Crowdloan not found")(frame, arguments)
    target = found["target_address"]
    parts = [found[name] for name in _CROWDLOAN]
    return [[*parts, target is not None, target, found["finalized"], found["contributors_count"]]]


def _lease(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    found = _found("SubtensorModule.SubnetLeases", "Lease not found")(frame, arguments)
    end = found["end_block"]
    return [[*(found[name] for name in _LEASE), end is not None, end or 0, found["netuid"], found["cost"]]]


def _share(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """The whole part and the fraction of a contributor's share, as bits."""
    frame.charge_reads(1)
    stored = Stored("SubtensorModule.SubnetLeaseShares").value(frame.ledger, arguments)
    bits = int(stored["bits"])
    return [bits >> 64 << 64, bits % 2**64]


def _lease_crowdloan(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    """A crowdloan whose money, once raised, leases a subnet."""
    codec = frame.ledger.codec
    end = arguments["leasing_end_block"] if arguments["has_leasing_end_block"] else None
    lease = {"emissions_share": arguments["leasing_emissions_share"], "end_block": end}
    terms = {name: arguments[f"crowdloan_{name}"] for name in ("deposit", "min_contribution", "cap", "end")}
    return _CREATE(frame, {**terms, "call": _LEASED_NETWORK.encoded(codec, lease), "target_address": None})


def _proxy_type(arguments: Arguments) -> str:
    try:
        return _PROXY_TYPES[arguments["proxy_type"]]
    except IndexError:
        raise Failed("Invalid proxy type") from None


def _proxy_call(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    kinds = [_proxy_type({"proxy_type": kind}) for kind in arguments["force_proxy_type"][:1]]
    inner = bytes(arguments["call"])
    try:
        frame.ledger.codec.runtime.decode_call(inner)
    except (ValueError, TypeError, OverflowError):
        raise Failed("The raw call data not correctly encoded") from None
    return _PROXIED(frame, {"real": arguments["real"], "kind": kinds[0] if kinds else None, "call": inner})


def _proxies(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    frame.charge_reads(1)
    listed, _ = Stored("Proxy.Proxies").value(frame.ledger, arguments)
    return [[(one["delegate"], _PROXY_TYPES.index(one["proxy_type"]), one["delay"]) for one in listed]]


def _proxy_deposit(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    frame.charge_reads(1)
    return [Stored("Proxy.Proxies").value(frame.ledger, arguments)[1]]


def _announcements(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    frame.charge_reads(1)
    listed, deposit = Stored("Proxy.Announcements").value(frame.ledger, arguments)
    return [[(one["real"], one["call_hash"], one["height"]) for one in listed], deposit]


def _last_result(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    frame.charge_reads(1)
    result = Stored("Proxy.LastCallResult").value(frame.ledger, arguments)
    return [False] if result is None else [True, "Ok" in result]


def _pays_fee(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    frame.charge_reads(1)
    return [Stored("Proxy.RealPaysFeeConsentV1").exists(frame.ledger, arguments)]


def _agenda_length(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    frame.charge_reads(1)
    return [len(frame.ledger.get("Scheduler", "Agenda", _block(arguments)))]


def _nothing_scheduled(frame: Frame, arguments: Arguments) -> Sequence[Any]:
    frame.charge_reads(1)
    _block(arguments)
    return ()


def _block(arguments: Arguments) -> int:
    if arguments["when"] > U32_MAX:
        raise Failed("scheduler block number")
    return arguments["when"]


def _empty(*keys: str) -> Body:
    """A read of a map that nothing here ever fills: one read, and the named arguments behind a `false`."""

    def body(frame: Frame, arguments: Arguments) -> Sequence[Any]:
        frame.charge_reads(1)
        return [False, *(arguments[key] for key in keys)]

    return body


def _beacon(frame: Frame, _arguments: Arguments) -> Sequence[Any]:
    frame.charge_reads(1)
    found = frame.ledger.get("Drand", "BeaconConfig")
    names = ("public_key", "period", "genesis_time", "hash", "group_hash", "scheme_id")
    return [*(found[name] for name in names), found["metadata"]["beacon_id"]]


CROWDLOAN = Precompile(
    name="crowdloan",
    switch="Crowdloan",
    bodies={
        "create": Call("Crowdloan.create", call=always(None), target_address=mirrored("target_address")),
        "contribute": Call("Crowdloan.contribute"),
        "withdraw": Call("Crowdloan.withdraw"),
        "finalize": Call("Crowdloan.finalize"),
        "refund": Call("Crowdloan.refund"),
        "dissolve": Call("Crowdloan.dissolve"),
        "updateMinContribution": Call("Crowdloan.update_min_contribution"),
        "updateEnd": Call("Crowdloan.update_end"),
        "updateCap": Call("Crowdloan.update_cap"),
        "setMaxContribution": Call(
            "Crowdloan.set_max_contribution",
            new_max_contribution=optional("has_max_contribution", "max_contribution"),
        ),
        "getCrowdloan": _crowdloan,
        "getContribution": _scalar(_found("Crowdloan.Contributions", "Crowdloan or contribution not found")),
    },
)

LEASING = Precompile(
    name="leasing",
    switch="Leasing",
    bodies={
        "createLeaseCrowdloan": Through(_CREATE, _lease_crowdloan),
        "terminateLease": Call("SubtensorModule.terminate_lease"),
        "startCall": Call("SubtensorModule.start_call"),
        "getLease": _lease,
        "getContributorShare": _share,
        "getLeaseIdForSubnet": _scalar(
            _found("SubtensorModule.SubnetUidToLeaseId", "Lease not found for netuid")
        ),
        "getAccumulatedLeaseDividends": Stored("SubtensorModule.AccumulatedLeaseDividends"),
        "getNextLeaseId": Stored("SubtensorModule.NextSubnetLeaseId"),
    },
)

PROXY = Precompile(
    name="proxy",
    switch="Proxy",
    bodies={
        "createPureProxy": Call("Proxy.create_pure", proxy_type=_proxy_type),
        "killPureProxy": Call("Proxy.kill_pure", proxy_type=_proxy_type),
        "proxyCall": Through(_PROXIED, _proxy_call),
        "addProxy": Call("Proxy.add_proxy", proxy_type=_proxy_type),
        "removeProxy": Call("Proxy.remove_proxy", proxy_type=_proxy_type),
        "removeProxies": Call("Proxy.remove_proxies"),
        "pokeDeposit": Call("Proxy.poke_deposit"),
        "announce": Call("Proxy.announce"),
        "rejectAnnouncement": Call("Proxy.reject_announcement"),
        "removeAnnouncement": Call("Proxy.remove_announcement"),
        "setRealPaysFee": Call("Proxy.set_real_pays_fee"),
        "getProxies": _proxies,
        "getProxyDeposit": _proxy_deposit,
        "getAnnouncements": _announcements,
        "getLastCallResult": _last_result,
        "isRealPaysFee": _pays_fee,
    },
)

SCHEDULER = Precompile(
    name="scheduler",
    switch="Scheduler",
    bodies={
        "getIncompleteSince": Maybe(Stored("Scheduler.IncompleteSince")),
        "getScheduledCallCount": _agenda_length,
        "getScheduledCall": _nothing_scheduled,
        "getRetry": _empty(),
        "getTaskAddress": _empty(),
    },
    borrowed=True,
)

DRAND = Precompile(
    name="drand",
    switch="Drand",
    bodies={
        "getBeaconConfig": _beacon,
        "getPulse": _empty("round"),
        "getStoredRoundRange": Several(Stored("Drand.OldestStoredRound"), Stored("Drand.LastStoredRound")),
        "getNextUnsignedAt": Stored("Drand.NextUnsignedAt"),
        "hasMigrationRun": _empty(),
    },
    borrowed=True,
)
