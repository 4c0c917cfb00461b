"""Where a neuron can be reached: axon, its TLS certificate, and Prometheus.

Source: `subnets/serving.rs`.
"""

from typing import Any

from subnetlab.devnet.chain.codec import bytes_of
from subnetlab.devnet.chain.ledger import Ledger
from subnetlab.devnet.chain.registry import Origin, call, ensure_signed
from subnetlab.devnet.pallets.subtensor.entries import event, exists, number, read, require, write

_IPV4, _IPV6 = 4, 6
_LOCALHOST = {_IPV4: 0x7F000001, _IPV6: 1}
_HIGHEST = {_IPV4: 2**32 - 1, _IPV6: 2**128 - 1}
_MAX_CERTIFICATE = 65


def _is_address(ip_type: int, ip: int) -> bool:
    return ip < _HIGHEST[ip_type] and ip != _LOCALHOST[ip_type]


def _ensure_rate(ledger: Ledger, item: str, netuid: int, hotkey: str) -> None:
    limit, before = number(ledger, "ServingRateLimit", netuid), read(ledger, item, netuid, hotkey)
    last = 0 if before is None else int(before["block"])
    passes = limit == 0 or last == 0 or ledger.block_number - last >= limit
    require(passes, "ServingRateLimitExceeded")


@call("SubtensorModule", "serve_axon")
def serve_axon(ledger: Ledger, origin: Origin, netuid: int, **axon: int) -> None:
    """Publish the signing hotkey's axon; address zero is allowed.

    Raises:
        DispatchError: in order HotKeyNotRegisteredInNetwork, InvalidIpType, InvalidIpAddress,
            ServingRateLimitExceeded, InvalidPort.
    """
    hotkey = ensure_signed(origin)
    require(exists(ledger, "Uids", netuid, hotkey), "HotKeyNotRegisteredInNetwork")
    require(axon["ip_type"] in _HIGHEST, "InvalidIpType")
    require(_is_address(axon["ip_type"], axon["ip"]), "InvalidIpAddress")
    _ensure_rate(ledger, "Axons", netuid, hotkey)
    require(axon["port"], "InvalidPort")
    write(ledger, "Axons", netuid, hotkey, value={"block": ledger.block_number, **axon})
    event(ledger, "AxonServed", [netuid, hotkey])


@call("SubtensorModule", "serve_axon_tls")
def serve_axon_tls(ledger: Ledger, origin: Origin, netuid: int, certificate: Any, **axon: int) -> None:
    """Publish an axon with its certificate: one byte naming the algorithm, then the public key."""
    serve_axon(ledger, origin, netuid, **axon)
    raw = list(bytes_of(certificate))
    if 1 <= len(raw) <= _MAX_CERTIFICATE:
        value = {"public_key": raw[1:], "algorithm": raw[0]}
        write(ledger, "NeuronCertificates", netuid, ensure_signed(origin), value=value)


@call("SubtensorModule", "serve_prometheus")
def serve_prometheus(ledger: Ledger, origin: Origin, netuid: int, **endpoint: int) -> None:
    """Publish the signing hotkey's Prometheus endpoint.

    Raises:
        DispatchError: in order InvalidIpType, InvalidIpAddress, HotKeyNotRegisteredInNetwork,
            ServingRateLimitExceeded, InvalidPort.
    """
    hotkey = ensure_signed(origin)
    require(endpoint["ip_type"] in _HIGHEST, "InvalidIpType")
    require(endpoint["ip"] and _is_address(endpoint["ip_type"], endpoint["ip"]), "InvalidIpAddress")
    require(exists(ledger, "Uids", netuid, hotkey), "HotKeyNotRegisteredInNetwork")
    _ensure_rate(ledger, "Prometheus", netuid, hotkey)
    require(endpoint["port"], "InvalidPort")
    write(ledger, "Prometheus", netuid, hotkey, value={"block": ledger.block_number, **endpoint})
    event(ledger, "PrometheusServed", [netuid, hotkey])
