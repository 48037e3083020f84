"""The frames of a session: `docs/protocol.md` is the reference, `shim/link/frames.ts` the other end."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

VERSION: Final = 1
WINDOW: Final = 512 * 1024
"Bytes that may be under way, unacknowledged, in one direction of a session."
FRAGMENT: Final = 64 * 1024
"Payload of a record, and of a frame that small messages share."
ACK_BYTES: Final = 64 * 1024
"What was taken is acknowledged after so many bytes at the latest."
ACK_SECONDS: Final = 0.02
"... or after so long."

MESSAGE: Final = 1
MEDIA: Final = 2
CREDIT: Final = 3

TEXT: Final = 1
"Flag of a message: UTF-8."
MORE: Final = 2
"Flag of a message: a further fragment follows."
GIVEN_UP: Final = 4
"Flag of a message, down: nothing more follows, and the fragments that came are void."
MEDIA_MORE: Final = 1
"Flag of media: a further chunk follows."
MEDIA_CONTINUES: Final = 2
"Flag of media: not the first chunk. One without it begins a frame: what was incomplete was cut off."
CREDIT_ABSOLUTE: Final = 1
"Flag of credit: the amount replaces the credit, rather than adding to it."

BINARY: Final = 0x8000_0000
"In the length before a frame on the local socket: the frame is binary."

LENGTH: Final = struct.Struct("!I")
RECORD: Final = struct.Struct("!BBxxII")
"Kind, flags, object, length of the payload."

CLOSE_PROTOCOL: Final = 4000
CLOSE_VERSION: Final = 4002
CLOSE_LIMIT: Final = 4003


class ProtocolError(Exception):
    """A frame that is not of the protocol, or beyond a limit; ends its session with `code` and this message."""

    def __init__(self, message: str, code: int = CLOSE_PROTOCOL) -> None:
        super().__init__(message)
        self.code = code


class Limits(Struct, frozen=True, rename="camel"):
    """What a session may use: `bridge/limits.ts` has the same names and defaults, `quotas.py` the errors."""

    objects: int = 4096
    pending_calls: int = 1024
    frame: int = 1024 * 1024
    "Bytes of one frame."
    message: int = 64 * 1024 * 1024
    "Bytes of one channel message that a peer may send."
    blocking: int = 4
    "Threads of each executor that the session may occupy at once."
    decoded_pixels: int = 2_000_000_000
    "Pixels a second decoded, of peers' tracks and of files: 32 tracks of 1920x1080 at 30 frames a second."
    encoded_pixels: int = 1_000_000_000
    "Pixels a second encoded, each layer by itself: 36 of 1280x720 at 30, 144 of 640x360."
    generated_pixels: int = 1_000_000_000
    "Pixels a second of test pictures."
    held_bytes: int = 512 * 1024 * 1024
    "Bytes of frames that wait: to be read, to be whole, to be converted or consumed; and of test pictures."
    sources: int = 512
    "MediaSources."
    readers: int = 512
    "FrameReaders."
    files: int = 128
    "Files, URLs and devices that are open, of the sources."
    url_seconds: int = 20
    "Seconds in all for opening a URL, and for reading what is played next."
    peer_channels: int = 1024
    "Channels that the peer of a connection has opened and that are not closed."


class Network(Struct, frozen=True, rename="camel"):
    """Where the session's host candidates may be, and what they say of it."""

    udp_ports: tuple[int, int] = (0, 0)
    "The lowest and the highest; 0 leaves the choice to the system."
    announce: tuple[str, ...] = ()
    "Addresses that stand in candidates for those of this machine: at most one of IPv4 and one of IPv6."
    interfaces: tuple[str, ...] = ()
    "Names of interfaces, or addresses of theirs, that alone are used; empty is all."


class WorkerInfo(Struct, frozen=True):
    """What the shim is told of its worker."""

    aiortc: str
    "Version."
    codecs: list[str]
    "Media types that the worker encodes and decodes."


class Hello(Struct, frozen=True):
    """What the bridge says first."""

    version: int
    session: str = ""
    capabilities: frozenset[str] = frozenset()
    limits: Limits = Limits()
    network: Network = Network()
    window: int = WINDOW
    seal_key: bytes = msgspec.field(default=b"", name="sealKey")
    "Base64 of 32 bytes that the sessions of one token share, and no shim knows."


class HelloFrame(Struct, frozen=True):
    """The first frame of the bridge."""

    hello: Hello


class Envelope(Struct, frozen=True, forbid_unknown_fields=True):
    """A text frame of the shim: which of its fields are there says what it is."""

    new: int | UnsetType = UNSET
    call: int | UnsetType = UNSET
    drop: int | UnsetType = UNSET
    ack: int | UnsetType = UNSET
    type: str = ""
    on: int = -1
    do: str = ""
    in_: Raw = msgspec.field(name="in", default=Raw(b"{}"))


class Record(NamedTuple):
    """A record of a binary frame; the payload is a view of the frame's bytes."""

    kind: int
    flags: int
    object: int
    payload: memoryview


encode: Final = msgspec.json.Encoder().encode
_decode_envelope: Final = msgspec.json.Decoder(Envelope).decode
_decode_hello: Final = msgspec.json.Decoder(HelloFrame).decode


def decode_envelope(frame: bytes) -> Envelope:
    """Decodes a text frame.

    Raises ProtocolError when it is none of the protocol's.
    """
    try:
        return _decode_envelope(frame)
    except msgspec.MsgspecError as error:
        # The name of an unknown field is the shim's own bytes, which go into no log and no reason.
        why = "an unknown field" if "unknown field" in str(error) else error
        raise ProtocolError(f"a text frame that is none of the protocol's: {why}") from None
    except UnicodeDecodeError as error:
        raise ProtocolError(f"a text frame that is not UTF-8: {error.reason}") from None
    except RecursionError:
        raise ProtocolError("a text frame that is nested too deeply") from None


def decode_hello(frame: bytes) -> Hello:
    """Decodes the bridge's first frame."""
    try:
        hello = _decode_hello(frame).hello
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProtocolError(f"not a hello: {error}") from None
    if hello.version != VERSION:
        raise ProtocolError(f"version {hello.version}; this worker speaks {VERSION}", CLOSE_VERSION)
    return hello


def parse_records(frame: bytes) -> list[Record]:
    """The records of a binary frame, in order."""
    view = memoryview(frame)
    size = len(frame)
    records = []
    offset = 0
    while True:
        start = offset + RECORD.size
        if start > size:
            raise ProtocolError("a record whose header is cut short")
        kind, flags, object_id, length = RECORD.unpack_from(frame, offset)
        if not MESSAGE <= kind <= CREDIT:
            raise ProtocolError(f"a record of kind {kind}")
        if length > FRAGMENT:
            raise ProtocolError(f"a record of {length} bytes; at most {FRAGMENT} are allowed")
        offset = start + length
        if offset > size:
            raise ProtocolError(f"a record of {length} bytes that is cut short")
        records.append(Record(kind, flags, object_id, view[start:offset]))
        if offset == size:
            return records


def close_frame(code: int, reason: str) -> bytes:
    """The last frame of a session that broke the protocol or a limit; the bridge closes the WebSocket with it."""
    return encode({"close": {"code": code, "reason": reason}})


def is_ack(frame: bytes) -> bool:
    """Whether a text frame acknowledges others."""
    return frame.startswith(b'{"ack":')


def is_counted(frame: bytes, binary: bool) -> bool:
    """Whether both ends count the frame: all but acknowledgements and media."""
    return frame[0] != MEDIA if binary else not is_ack(frame)
