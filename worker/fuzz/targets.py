"""The parsers that see bytes of a peer, of a server or of a stranger, each as a function of these bytes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from aiortc.rtp import RtpPacket, unwrap_rtx

from aiortc_worker.compat.libopus import LibopusDecoder, is_available
from aiortc_worker.rtp.depayload import depayload, starts_keyframe, vp8_pixels
from aiortc_worker.rtp.extensions import READERS, ExtensionsMap
from aiortc_worker.rtp.parameters import HeaderExtension
from aiortc_worker.rtp.router import Router
from aiortc_worker.rtp.rtcp import parse_part, parts_of, remb_bitrate
from aiortc_worker.rtp.transport_cc import unpack
from aiortc_worker.sctp.packet import decode_packet, encode_packet
from aiortc_worker.transports.dcep import decode_open
from aiortc_worker.transports.ice_candidate import parse_candidate
from aiortc_worker.transports.mdns_answer import addresses
from aiortc_worker.transports.stun_message import parse_stun
from aiortc_worker.transports.turn_stream import TurnStream

EXTENSIONS: Final = ExtensionsMap(HeaderExtension(uri, id) for id, uri in enumerate(READERS, 1))
"All that can be read, numbered from 1 in the order of `READERS`."
SEGMENT: Final = 7
"Bytes of the first piece of a stream; TCP cuts where it likes."


class Target(NamedTuple):
    """A parser. It returns, or raises ValueError and nothing else."""

    read: Callable[[bytes], Any]
    modules: tuple[str, ...]
    "Modules whose branches tell inputs apart."


def _turn(data: bytes) -> None:
    stream = TurnStream()
    for piece in (data[:SEGMENT], data[SEGMENT:]):
        for message in stream.messages(piece):
            if message[0] < 0x40:
                with suppress(ValueError):
                    parse_stun(message)


def _candidate(data: bytes) -> None:
    parse_candidate(data.decode())


def _rtp(data: bytes) -> None:
    packet = RtpPacket.parse(data, EXTENSIONS)
    if len(packet.payload) >= 2:
        unwrap_rtx(packet, 96, 1)


def _rtcp(data: bytes) -> None:
    for part in parts_of(data):
        if not part.is_transport_cc:
            remb_bitrate(getattr(parse_part(part), "fci", b""))


def _compound(data: bytes) -> None:
    Router(_nothing).handle_rtcp(data)


def _nothing(data: bytes) -> None:
    """Sends no feedback."""


def _transport_cc(data: bytes) -> None:
    unpack(data)


def _vp8(data: bytes) -> None:
    starts_keyframe("vp8", data)
    vp8_pixels(depayload("vp8", data))


def _h264(data: bytes) -> None:
    starts_keyframe("h264", data)
    depayload("h264", data)


def _opus(data: bytes) -> None:
    if not data:
        raise ValueError("padding: no packet of sound is empty")
    decoder = LibopusDecoder(48_000, 2)
    if decoder.repairable(data):
        decoder.repair(data)
    decoder.decode(data)


def _sctp(data: bytes) -> None:
    """The chunks of a packet whose checksum is right, as an association reads them."""
    decode_packet(encode_packet(5000, 5000, 1, [data]))


TARGETS: Final[dict[str, Target]] = {
    "stun": Target(parse_stun, ("aiortc_worker.transports.stun_message", "aioice.stun")),
    "turn": Target(_turn, ("aiortc_worker.transports.turn_stream", "aiortc_worker.transports.stun_message")),
    "mdns": Target(addresses, ("aiortc_worker.transports.mdns_answer",)),
    "candidate": Target(_candidate, ("aiortc_worker.transports.ice_candidate", "aioice.candidate")),
    "rtp": Target(_rtp, ("aiortc.rtp", "aiortc_worker.rtp.extensions")),
    "rtcp": Target(_rtcp, ("aiortc.rtp", "aiortc_worker.rtp.rtcp")),
    "compound": Target(
        _compound, ("aiortc_worker.rtp.router", "aiortc_worker.rtp.rtcp", "aiortc_worker.rtp.transport_cc")
    ),
    "transport-cc": Target(_transport_cc, ("aiortc_worker.rtp.transport_cc",)),
    "vp8": Target(_vp8, ("aiortc_worker.rtp.depayload", "aiortc.codecs.vpx")),
    "h264": Target(_h264, ("aiortc_worker.rtp.depayload",)),
    "sctp": Target(_sctp, ("aiortc_worker.sctp.packet", "aiortc_worker.sctp.parameters")),
    "dcep": Target(decode_open, ("aiortc_worker.transports.dcep",)),
}
if is_available():
    TARGETS["opus"] = Target(_opus, ("aiortc_worker.compat.libopus",))
