"""0x811, 0x812 and 0x813: the clock, the runtime's constants, and which precompiles are switched off.

Constants come from metadata; those that metadata does not carry are written here as the runtime's source has
them. TAO amounts among them are answered in wei. Source: `timestamp.rs`, `runtime_configuration.rs`,
`registry.rs`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.evm.precompiles.frame import WEI_PER_RAO, Frame
from subnetlab.devnet.evm.precompiles.words import Arguments, Body, Constants, Precompile, Read, Stored
from subnetlab.devnet.pallets.subtensor import evm_key
from subnetlab.units import RAO_PER_TAO

_PALLET_ACCOUNT = b"modl"
_ACCOUNT_BYTES = 32
_MOST_COMMIT_BYTES = 5000
_MOST_COLLATERAL_HOTKEYS = 32
_COLDKEY_SWAP_RAO = RAO_PER_TAO // 10
_LOCK_YEAR_BLOCKS = 7200 * 365 + 1800
_QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"


def _subtensor(*names: str | int, wei: bool = False) -> Constants:
    full = [name if isinstance(name, int) else f"SubtensorModule.{name}" for name in names]
    return Constants(*full, wei=[name for name in full if isinstance(name, str)] if wei else ())


def _pallet(pallet: str, *names: str, wei: Sequence[str] = ()) -> Constants:
    return Constants(*(f"{pallet}.{name}" for name in names), wei=[f"{pallet}.{name}" for name in wei])


def pallet_account(identifier: str) -> bytes:
    """The account of a pallet whose eight-byte id is given as `0x…`."""
    return (_PALLET_ACCOUNT + bytes.fromhex(identifier[2:])).ljust(_ACCOUNT_BYTES, b"\0")


def _with_account(constants: Constants, *identifiers: str) -> Body:
    """Constants, then the accounts of pallets."""

    def body(frame: Frame, arguments: Arguments) -> Sequence[Any]:
        constant = frame.ledger.codec.constant
        accounts = [pallet_account(constant(*name.split("."))) for name in identifiers]
        return [*constants(frame, arguments), *accounts]

    return body


def _weight(frame: Frame, _arguments: Arguments) -> Sequence[Any]:
    weight = frame.ledger.codec.constant("Scheduler", "MaximumWeight")
    most = frame.ledger.codec.constant("Scheduler", "MaxScheduledPerBlock")
    return [weight["ref_time"], weight["proof_size"], most]


def _drand(frame: Frame, _arguments: Arguments) -> Sequence[Any]:
    constant = frame.ledger.codec.constant
    priority, timeout = constant("Drand", "UnsignedPriority"), constant("Drand", "HttpFetchTimeout")
    return [_QUICKNET, priority, timeout, 50, 216_000, 100]


def _in_an_extrinsic(ledger: Ledger) -> bool:
    """Whether this block's clock is set: it is before any extrinsic, and cleared when the block ends."""
    return isinstance(ledger.phase, dict)


_BODIES: dict[str, Body] = {
    "getEvmChainId": Stored("EVMChainId.ChainId"),
    "getTransactionRateLimit": Stored("SubtensorModule.TxRateLimit"),
    "getSubtensorEconomicConstants": _subtensor(
        "InitialIssuance",
        "InitialRAORecycledForRegistration",
        "InitialBurn",
        "InitialMinBurn",
        "InitialMaxBurn",
        "InitialMinStake",
        "InitialMinTransfer",
        "MinBurnUpperBound",
        "MaxBurnLowerBound",
        "InitialNetworkMinLockCost",
        "KeySwapCost",
        "KeySwapOnSubnetCost",
        _COLDKEY_SWAP_RAO * WEI_PER_RAO,
        wei=True,
    ),
    "getSubtensorSubnetConstants": _subtensor(
        "InitialTempo",
        "MinTempo",
        "MaxTempo",
        "InitialMinAllowedUids",
        "InitialMaxAllowedUids",
        "InitialMaxAllowedValidators",
        "InitialImmunityPeriod",
        "InitialActivityCutoff",
        "MinActivityCutoffFactorMilli",
        "MaxActivityCutoffFactorMilli",
        "MaxImmuneUidsPercentage",
        "InitialSubnetOwnerCut",
        "InitialMaxEpochsPerBlock",
    ),
    "getSubtensorConsensusConstants": _subtensor(
        "InitialMinAllowedWeights",
        "InitialEmissionValue",
        "InitialRho",
        "InitialAlphaSigmoidSteepness",
        "InitialKappa",
        "InitialBondsMovingAverage",
        "InitialBondsPenalty",
        "InitialBondsResetOn",
        "InitialValidatorPruneLen",
        "InitialScalingLawPower",
        "InitialPruningScore",
        "InitialWeightsVersionKey",
        "InitialTaoWeight",
    ),
    "getSubtensorRegistrationConstants": _subtensor(
        "InitialDifficulty",
        "InitialMinDifficulty",
        "InitialMaxDifficulty",
        "InitialAdjustmentInterval",
        "InitialAdjustmentAlpha",
        "InitialMaxRegistrationsPerBlock",
        "InitialTargetRegistrationsPerInterval",
        "InitialNetworkRateLimit",
        "InitialNetworkImmunityPeriod",
        "InitialNetworkLockReductionInterval",
        "InitialEmaPriceHalvingPeriod",
    ),
    "getSubtensorDelegationConstants": _subtensor(
        "InitialDefaultDelegateTake",
        "InitialMinDelegateTake",
        "InitialDefaultChildKeyTake",
        "InitialMinChildKeyTake",
        "InitialMaxChildKeyTake",
        "AlphaHigh",
        "AlphaLow",
        "LiquidAlphaOn",
        "Yuma3On",
    ),
    "getSubtensorRateLimitConstants": _subtensor(
        "InitialServingRateLimit",
        "InitialTxRateLimit",
        "InitialTxDelegateTakeRateLimit",
        "InitialTxChildKeyTakeRateLimit",
        evm_key.RATE_LIMIT_BLOCKS,
        "InitialColdkeySwapAnnouncementDelay",
        "InitialColdkeySwapReannouncementDelay",
        "InitialDissolveNetworkScheduleDuration",
        "InitialStartCallDelay",
        "HotkeySwapOnSubnetInterval",
        "LeaseDividendsDistributionInterval",
    ),
    "getSubtensorProtocolConstants": Constants(
        _MOST_COMMIT_BYTES,
        evm_key.MOST_UIDS_PER_KEY,
        _MOST_COLLATERAL_HOTKEYS,
        1,
        1,
        100,
        4096,
        16,
        100_800,
        10**18,
        360,
        _LOCK_YEAR_BLOCKS,
        100 * WEI_PER_RAO,
        13_889,
        21_000_000 * RAO_PER_TAO * WEI_PER_RAO,
    ),
    "getSubtensorSystemAccounts": _with_account(
        Constants(), "SubtensorModule.SubtensorPalletId", "SubtensorModule.BurnAccountId"
    ),
    "getBalancesConstants": _pallet(
        "Balances", "ExistentialDeposit", "MaxLocks", "MaxReserves", "MaxFreezes", wei=["ExistentialDeposit"]
    ),
    "getProxyConstants": _pallet(
        "Proxy",
        "ProxyDepositBase",
        "ProxyDepositFactor",
        "MaxProxies",
        "MaxPending",
        "AnnouncementDepositBase",
        "AnnouncementDepositFactor",
        wei=[
            "ProxyDepositBase",
            "ProxyDepositFactor",
            "AnnouncementDepositBase",
            "AnnouncementDepositFactor",
        ],
    ),
    "getSchedulerConstants": _weight,
    "getDrandConstants": _drand,
    "getCrowdloanConstants": _with_account(
        _pallet(
            "Crowdloan",
            "MinimumDeposit",
            "AbsoluteMinimumContribution",
            "MinimumBlockDuration",
            "MaximumBlockDuration",
            "RefundContributorsLimit",
            "MaxContributors",
            wei=["MinimumDeposit", "AbsoluteMinimumContribution"],
        ),
        "Crowdloan.PalletId",
    ),
    "getSwapConstants": _with_account(
        _pallet(
            "Swap",
            "MaxFeeRate",
            "MinimumLiquidity",
            "MinimumReserve",
            wei=["MinimumLiquidity", "MinimumReserve"],
        ),
        "Swap.ProtocolId",
    ),
    "getTimestampConstants": _pallet("Timestamp", "MinimumPeriod"),
    "getAdminConstants": Constants(32),
}

RUNTIME_CONFIGURATION = Precompile(
    name="runtime-configuration", switch="RuntimeConfiguration", bodies=_BODIES, borrowed=True
)

TIMESTAMP = Precompile(
    name="timestamp",
    switch="Timestamp",
    bodies={
        "getTimestamp": Stored("Timestamp.Now"),
        "wasUpdatedThisBlock": Read(1, _in_an_extrinsic),
    },
    borrowed=True,
)


def registry(switches: Callable[[], dict[bytes, str]]) -> Precompile:
    """The precompile that says which others are switched off, given their switches by address."""

    def status(frame: Frame, arguments: Arguments) -> Sequence[Any]:
        switch = switches().get(arguments["precompile"])
        if switch is None:
            return [[False, False, None, None, ""]]
        frame.charge_reads(1)
        enabled = frame.ledger.get("AdminUtils", "PrecompileEnable", switch)
        return [[False, not enabled, None, None, ""]]

    return Precompile(
        name="precompile-registry",
        switch="PrecompileRegistry",
        bodies={"getPrecompileStatus": status},
        borrowed=True,
    )
