"""How long a datagram may be, and whether the network may cut it: what Linux tells and takes."""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import Final

from .ice_candidate import ip_version

# https://man7.org/linux/man-pages/man7/ip.7.html and ipv6.7; Python's socket module has no names for them.
_LEVEL: Final = {4: socket.IPPROTO_IP, 6: socket.IPPROTO_IPV6}
_MTU_DISCOVER: Final = {4: 10, 6: 23}
_MTU: Final = {4: 14, 6: 24}
_WANT: Final = 1
"PMTUDISC_WANT, the default: what is too long leaves in fragments."
_PROBE: Final = 3
"PMTUDISC_PROBE: nothing is fragmented, here or on the way."
_HEADERS: Final = {4: 20 + 8, 6: 40 + 8}
"Bytes of IP and UDP."


def largest_datagram(host: str, port: int) -> int:
    """Bytes of the longest datagram that the interface towards an address takes in one piece; 0 where nobody tells."""
    version = ip_version(host)
    if sys.platform != "linux" or version is None:
        return 0
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    try:
        # Only a connected socket is told; connecting sends nothing.
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((host, port))
            return asking.getsockopt(_LEVEL[version], _MTU[version]) - _HEADERS[version]
    except OSError:
        return 0


def keep_whole(bound: socket.socket, whole: bool) -> None:
    """Forbids that what a socket sends is fragmented, or allows it again; where `largest_datagram` tells."""
    if sys.platform != "linux":
        return  # The numbers mean other options elsewhere.
    version = 6 if bound.family == socket.AF_INET6 else 4
    with contextlib.suppress(OSError):  # It was closed meanwhile.
        bound.setsockopt(_LEVEL[version], _MTU_DISCOVER[version], _PROBE if whole else _WANT)
