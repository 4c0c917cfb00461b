"""What of the runtime this node implements: every call, runtime API method and precompile's function, named.

Unimplemented calls answer `System.CallFiltered`, also where a precompile makes them; unimplemented API
methods answer their type's zero value.
"""

from collections.abc import Iterable

from subnetlab.devnet.chain.codec import Codec
from subnetlab.devnet.chain.registry import APIS, CALLS, RAW_APIS

Names = set[tuple[str, str]]


def calls_of(codec: Codec) -> Names:
    """Every call of the runtime, as (pallet, call)."""
    pallets = codec.runtime.metadata_ir()["pallets"]
    return {(pallet["name"], call["name"]) for pallet in pallets for call in pallet["calls"]}


def methods_of(codec: Codec) -> Names:
    """Every runtime API method, as (api, method)."""
    return {(api, method) for api, methods in codec.apis.items() for method in methods}


def functions() -> tuple[Names, Names]:
    """Every function of the precompiles, as (precompile, signature), and those that are implemented."""
    from subnetlab.devnet.evm.precompiles.engine import CONTRACTS  # noqa: PLC0415 - it loads the engine

    known = {(one.interface.name, each.signature) for one in CONTRACTS for each in one.interface.functions}
    return known, {(one.interface.name, signature) for one in CONTRACTS for signature in one.answered()}


def report(codec: Codec) -> str:
    """The lists as a person reads them."""
    calls, methods = calls_of(codec), methods_of(codec)
    answered = set(APIS) | set(RAW_APIS)
    known, implemented = functions()
    return "\n".join(
        [
            *_section("Calls", calls, set(CALLS)),
            "",
            *_section("Runtime API methods", methods, answered),
            "",
            *_section("Functions of precompiles", known, implemented),
        ]
    )


def _section(title: str, all_names: Names, known: Names) -> Iterable[str]:
    yield f"{title}: {len(all_names & known)} of {len(all_names)} implemented"
    for group in sorted({group for group, _ in all_names}):
        names = {name for owner, name in all_names if owner == group}
        done = {name for owner, name in known if owner == group} & names
        yield f"  {group}: {len(done)} of {len(names)}"
        yield from _wrapped("    implemented:   ", sorted(done))
        yield from _wrapped("    unimplemented: ", sorted(names - done))


def _wrapped(label: str, names: list[str], width: int = 110) -> Iterable[str]:
    line = label
    for name in names:
        if len(line) + len(name) > width:
            yield line.rstrip()
            line = " " * len(label)
        line += f"{name} "
    if names:
        yield line.rstrip()
