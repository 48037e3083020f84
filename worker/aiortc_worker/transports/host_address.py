"""Where host candidates are bound, and the addresses that they tell."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

import ifaddr

from ..session.wire import Network
from .ice_candidate import LOOPBACK, ip_version, is_loopback

ANY = {4: "0.0.0.0", 6: "::"}


class HostAddress(NamedTuple):
    """An address to bind, and the one that the candidate has."""

    bound: str
    announced: str


def host_addresses(network: Network) -> list[HostAddress]:
    """Addresses for host candidates.

    Those of the named interfaces, else of all but loopback, else of loopback. An announced address stands for them:
    where no interface is named, for all of its IP version at once, behind one socket that hears them all.
    @see https://www.rfc-editor.org/rfc/rfc8445#section-5.1.1.1
    """
    if not network.announce:
        return [HostAddress(address, address) for address in _own_addresses(network.interfaces)]
    announced = {ip_version(address): address for address in network.announce}
    own = _own_addresses(network.interfaces) if network.interfaces else [ANY[v] for v in (4, 6) if v in announced]
    return [HostAddress(each, announced[version]) for each in own if (version := ip_version(each)) in announced]


def _own_addresses(interfaces: tuple[str, ...]) -> list[str]:
    """IPv6 link-local addresses are left out: they need a scope that a peer does not have."""
    found = [
        address
        for adapter in ifaddr.get_adapters()
        for address in (ip.ip if isinstance(ip.ip, str) else ip.ip[0] for ip in adapter.ips)
        if not interfaces or {adapter.name, adapter.nice_name, address} & set(interfaces)
    ]
    usable = list(dict.fromkeys(address for address in found if _usable(address)))
    if interfaces:
        return usable
    real = [address for address in usable if not is_loopback(address)]
    return real or [address for address in usable if is_loopback(address)] or [LOOPBACK[4]]


def _usable(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    return not (ip.is_unspecified or ip.is_multicast or (ip.version == 6 and ip.is_link_local))
