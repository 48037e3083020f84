"""Header extensions of RTP packets, read by the sizes that their specifications give.

aiortc makes objects of all elements of a packet, goes on behind those that end the list, and lets `struct.error` escape
on a value of another size.

@see https://www.rfc-editor.org/rfc/rfc8285#section-4
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from aiortc import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap

from .parameters import HeaderExtension

ONE_BYTE: Final = 0xBEDE
TWO_BYTE: Final = 0x1000
"The profiles of the two forms; the low 4 bits of the second are the application's (section 4.3)."
LAST_ID: Final = 15
"Of the one-byte form: nothing behind it is read (section 4.2)."


class ExtensionsMap(HeaderExtensionsMap):
    """aiortc's reader and writer of the header extensions that it knows; others are ignored."""

    def __init__(self, extensions: Iterable[HeaderExtension] = ()) -> None:
        super().__init__()
        known = [each for each in extensions if each.uri in READERS]
        self.configure(
            RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(id=e.id, uri=e.uri) for e in known])
        )
        self._readers = {each.id: READERS[each.uri] for each in known}

    def get(self, extension_profile: int, extension_value: bytes) -> HeaderExtensions:
        """What a packet's extension says (aiortc/rtp.py:78). Raises ValueError when it is malformed."""
        values = HeaderExtensions()
        for id, at, size in elements(extension_profile, extension_value):
            if id in self._readers:
                name, read = self._readers[id]
                setattr(values, name, read(extension_value[at : at + size]))
        return values


def elements(profile: int, data: bytes) -> Iterator[tuple[int, int, int]]:
    """The id of each element, and where its value begins and how long it is; none of a profile that is not RFC 8285's.

    Raises ValueError when an element reaches beyond the end.
    """
    if profile != ONE_BYTE and profile & 0xFFF0 != TWO_BYTE:
        return
    short = profile == ONE_BYTE
    at, end = 0, len(data)
    while at < end:
        first = data[at]
        at += 1
        if first == 0:
            continue  # Padding.
        if short:
            id, size = first >> 4, (first & 15) + 1
            if id in (0, LAST_ID):
                return
        else:
            if at == end:
                raise ValueError("a header extension without its length")
            id, size = first, data[at]
            at += 1
        if at + size > end:
            raise ValueError(f"a header extension of {size} bytes; {end - at} are left")
        yield id, at, size
        at += size


def _sized(size: int, data: bytes) -> bytes:
    if len(data) != size:
        raise ValueError(f"a header extension of {len(data)} bytes; {size} expected")
    return data


def _text(data: bytes) -> str:
    return data.decode()


def _name(data: bytes) -> str:
    return data.decode("ascii")


def _send_time(data: bytes) -> int:
    return int.from_bytes(_sized(3, data), "big")


def _offset(data: bytes) -> int:
    return int.from_bytes(_sized(3, data), "big", signed=True)


def _level(data: bytes) -> tuple[bool, int]:
    # The two-byte form may pad it (RFC 6464, section 3).
    (level,) = _sized(1, data[:1])
    return level >= 0x80, level & 0x7F


def _sequence(data: bytes) -> int:
    return int.from_bytes(_sized(2, data), "big")


READERS: Final[dict[str, tuple[str, Callable[[bytes], Any]]]] = {
    "urn:ietf:params:rtp-hdrext:sdes:mid": ("mid", _text),
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": ("repaired_rtp_stream_id", _name),
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": ("rtp_stream_id", _name),
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": ("abs_send_time", _send_time),
    "urn:ietf:params:rtp-hdrext:toffset": ("transmission_offset", _offset),
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level": ("audio_level", _level),
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": (
        "transport_sequence_number",
        _sequence,
    ),
}
"By URI: the name of the value in aiortc's HeaderExtensions, and what reads it."
