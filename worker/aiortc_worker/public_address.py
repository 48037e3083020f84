"""Which addresses are of the public internet: others are the machine's own network, which a token must be allowed."""

from __future__ import annotations

import ipaddress
from typing import Final

PRIVATE: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        "64:ff9b::/96",  # NAT64 (RFC 6052): the address behind it is whatever the translator makes of it.
        "64:ff9b:1::/48",  # NAT64 of the network's own (RFC 8215).
        "fec0::/10",  # Site-local, deprecated (RFC 3879), and still routed by who never heard of that.
        "::/96",  # IPv4-compatible, deprecated (RFC 4291, section 2.5.5.1).
    )
)
"What `is_global` takes for public, in some version of Python."


def is_public(address: str) -> bool:
    """Whether an IP address, with or without a scope, is of the public internet; so is one that is embedded in it."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    embedded = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if not ip.is_global or ip.is_multicast or any(ip in network for network in PRIVATE):
        return False
    return embedded is None or embedded.is_global
