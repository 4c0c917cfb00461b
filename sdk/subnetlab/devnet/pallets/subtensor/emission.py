"""TAO of a block: minted, shared between subnets, put into their pools; and the prices that follow.

First half of the coinbase; `coinbase` does the alpha for people. What no subnet takes is not issued. Source:
`coinbase/{tao,alpha,run_coinbase}.rs` at spec 425, the emission gate as later runtimes have it.
"""

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import DispatchError
from subnetlab.devnet.pallets import balances, swap
from subnetlab.devnet.pallets.subtensor import money, trading
from subnetlab.devnet.pallets.subtensor.entries import add, number, read, take, write
from subnetlab.units import ROOT_NETUID
from subnetlab.yuma import emission as rules
from subnetlab.yuma import stake
from subnetlab.yuma.emission import Candidate, Gate
from subnetlab.yuma.fixed import I96F32, U64F64
from subnetlab.yuma.pool import MAX_PRICE_RAO

_GATE_INTERVAL = 360


def alpha_issuance(ledger: Ledger, netuid: int) -> int:
    """A subnet's alpha in its pool and outside of it, alpha-rao."""
    return number(ledger, "SubnetAlphaIn", netuid) + number(ledger, "SubnetAlphaOut", netuid)


def tao_weight(ledger: Ledger) -> int:
    """What a TAO staked on root weighs against an alpha, U96F32 bits."""
    return stake.tao_weight(number(ledger, "TaoWeight"))


def root_share(ledger: Ledger, netuid: int) -> int:
    """Part of a subnet's validator pay that belongs to root stakers, U96F32 bits."""
    root_tao = number(ledger, "SubnetTAO", ROOT_NETUID)
    return rules.root_share(root_tao, tao_weight(ledger), alpha_issuance(ledger, netuid))


def moving_price(ledger: Ledger, netuid: int) -> int:
    """A subnet's smoothed price, U64F64 bits; one on a stable subnet."""
    if not swap.is_dynamic(ledger, netuid):
        return U64F64.one
    return U64F64.convert(int(read(ledger, "SubnetMovingPrice", netuid)["bits"]), I96F32)


def emitting(ledger: Ledger, known: list[int]) -> list[int]:
    """Those of the known subnets that emissions reach: started, trading, and open to registrations."""
    return [
        netuid
        for netuid in known
        if netuid != ROOT_NETUID
        and read(ledger, "FirstEmissionBlockNumber", netuid) is not None
        and read(ledger, "SubtokenEnabled", netuid)
        and read(ledger, "NetworkRegistrationAllowed", netuid)
    ]


def emit_tao(ledger: Ledger, subnets: list[int]) -> dict[int, int]:
    """Mint the block's TAO and put each subnet's share into its pool.

    Returns:
        Alpha-rao that each subnet mints for people in this block.
    """
    write(ledger, "BlockEmission", value=rules.block_emission(number(ledger, "TotalIssuance")))
    candidates = [_candidate(ledger, netuid) for netuid in subnets]
    gate = _gate(ledger, rules.demand(candidates))
    shares = rules.subnet_emissions(candidates, number(ledger, "BlockEmission"), gate)
    alpha = {netuid: rules.block_emission(alpha_issuance(ledger, netuid)) for netuid in subnets}
    for netuid in subnets:
        _inject(ledger, netuid, shares[netuid], alpha[netuid])
    return alpha


def _candidate(ledger: Ledger, netuid: int) -> Candidate:
    return Candidate(
        netuid=netuid,
        moving_price=moving_price(ledger, netuid),
        withheld=int(read(ledger, "MinerBurned", netuid)["bits"]),
        enabled=bool(read(ledger, "SubnetEmissionEnabled", netuid)),
    )


def _gate(ledger: Ledger, shares: list[int]) -> Gate:
    """The emission gate, its bar set anew every 360 blocks and where there is none yet."""
    bar = int(read(ledger, "EmissionGateBar")["bits"])
    if bar == 0 or ledger.block_number % _GATE_INTERVAL == 0:
        quantile = int(read(ledger, "EmissionBarQuantile")["bits"])
        bar = rules.gate_bar(shares, rank=number(ledger, "EmissionBarRank"), quantile=quantile)
        write(ledger, "EmissionGateBar", value={"bits": bar})
    return Gate(bar=bar, exponent=int(read(ledger, "EmissionGateExponent")["bits"]))


def _inject(ledger: Ledger, netuid: int, tao_emission: int, alpha_emission: int) -> None:
    """Add TAO and alpha to a pool at its price, then let the TAO that is left over buy alpha."""
    parts = rules.injection(
        tao_emission,
        alpha_emission=alpha_emission,
        price=swap.price(ledger, netuid),
        root_part=root_share(ledger, netuid),
    )
    tao, alpha = _keep_price(ledger, netuid, parts.tao, parts.alpha)
    write(ledger, "SubnetExcessTao", netuid, value=_buy_back(ledger, netuid, parts.excess_tao))
    write(ledger, "SubnetAlphaInEmission", netuid, value=alpha)
    mint_alpha(ledger, netuid, alpha)
    add(ledger, "SubnetAlphaIn", netuid, amount=alpha)
    if tao and not _issue_to(ledger, netuid, tao):
        tao = 0
    write(ledger, "SubnetTaoInEmission", netuid, value=tao)
    if tao:
        add(ledger, "SubnetTAO", netuid, amount=tao)
        add(ledger, "TotalStake", amount=tao)
        _record_protocol_flow(ledger, netuid, tao)


def _keep_price(ledger: Ledger, netuid: int, tao: int, alpha: int) -> tuple[int, int]:
    """Adjust the pool's weights to an injection; nothing is injected where they would tip."""
    grown = swap.pool_of(ledger, netuid).injected(tao, alpha)
    if grown is None:
        return 0, 0
    ledger.put("Swap", "SwapBalancer", netuid, value={"quote": grown.tao_weight})
    return tao, alpha


def _buy_back(ledger: Ledger, netuid: int, tao: int) -> int:
    """Buy alpha that no account holds, without fees; the rao that entered the pool."""
    if tao == 0:
        return 0
    try:
        with ledger.transaction():
            if not _issue_to(ledger, netuid, tao):
                return 0
            done = trading.buy_alpha(ledger, netuid, tao, limit_rao=MAX_PRICE_RAO, fees=False)
            add(ledger, "SubnetProtocolAlpha", netuid, amount=done.paid)
            _record_protocol_flow(ledger, netuid, done.taken)
    except DispatchError:
        return 0
    return done.taken


def _issue_to(ledger: Ledger, netuid: int, tao: int) -> bool:
    """Create TAO in a subnet's account, counted by both issuances; False where it is too little to exist."""
    account = money.subnet_account(netuid)
    if balances.free(ledger, account) + tao < balances.EXISTENTIAL_DEPOSIT:
        return False
    balances.deposit(ledger, account, tao)
    balances.issue(ledger, tao)
    add(ledger, "TotalIssuance", amount=tao)
    return True


def _record_protocol_flow(ledger: Ledger, netuid: int, change: int) -> None:
    write(ledger, "SubnetProtocolFlow", netuid, value=number(ledger, "SubnetProtocolFlow", netuid) + change)


def mint_alpha(ledger: Ledger, netuid: int, amount: int) -> None:
    """Count newly created alpha in the subnet's issuance."""
    _count(ledger, "TotalAlphaIssuance", netuid, amount)


def burn_alpha(ledger: Ledger, netuid: int, amount: int) -> None:
    """Put alpha out of reach; it stays in the issuance."""
    _count(ledger, "AlphaBurned", netuid, amount)


def recycle_alpha(ledger: Ledger, netuid: int, amount: int) -> None:
    """Destroy outstanding alpha so that it can be emitted again."""
    take(ledger, "SubnetAlphaOut", netuid, amount=amount)
    _count(ledger, "TotalAlphaIssuance", netuid, -amount)
    _count(ledger, "AlphaRecycled", netuid, amount)


def _count(ledger: Ledger, item: str, netuid: int, change: int) -> None:
    if change:
        value = max(0, int(ledger.get("AlphaAssets", item, netuid)) + change)
        ledger.put("AlphaAssets", item, netuid, value=value)


def update_prices(ledger: Ledger, subnets: list[int]) -> None:
    """Let moving prices and root's parts follow, after this block's emission used the old ones."""
    smoothing = int(read(ledger, "SubnetMovingAlpha")["bits"])
    for netuid in subnets:
        started = number(ledger, "FirstEmissionBlockNumber", netuid) - 1
        moved = rules.moving_price(
            I96F32.convert(moving_price(ledger, netuid), U64F64),
            swap.price(ledger, netuid),
            smoothing=smoothing,
            blocks_since_start=max(0, ledger.block_number - max(0, started)),
            halving_blocks=number(ledger, "EMAPriceHalvingBlocks", netuid),
        )
        write(ledger, "SubnetMovingPrice", netuid, value={"bits": moved})
    for netuid in subnets:
        write(ledger, "RootProp", netuid, value={"bits": root_share(ledger, netuid)})
