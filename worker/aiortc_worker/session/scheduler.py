"""What a session has to send, and in which order: control, then audio, then video, then data, channel by channel."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from .quotas import Hold
from .wire import BINARY, CREDIT, FRAGMENT, LENGTH, MEDIA, MEDIA_CONTINUES, MEDIA_MORE, MESSAGE, MORE, RECORD

Buffer = bytes | bytearray | memoryview
Lane = Literal["audio", "video", "data"]

LOW_MARK: Final = 64 * 1024
"A channel whose queue falls to this is told so."
LEAST_ROOM: Final = 4096
"A window with less room than this waits for an acknowledgement, rather than cutting messages into crumbs."


class Frame(NamedTuple):
    """A frame for the local socket, its length ahead."""

    parts: list[Buffer]
    size: int
    "Bytes without the length."
    counted: bool


class _Message(NamedTuple):
    payload: memoryview
    flags: int


class _Media(NamedTuple):
    chunks: Iterator[Frame]
    hold: Hold | None
    "Its share of what the session may hold."


_Item = _Message | _Media | bytes
"Bytes are a text frame that keeps its place among the messages of its object."


class Stream:
    """What one object has to send, in order, besides control."""

    def __init__(self, object_id: int, lane: Lane) -> None:
        self.object_id = object_id
        self.lane = lane
        self.items: deque[_Item] = deque()
        self.bytes = 0
        "Of messages that were not taken."
        self.texts = 0
        "Text frames among the items."
        self.sent = 0
        "Bytes of the first message that went as fragments."
        self.on_drain: Callable[[], None] | None = None


class Scheduler:
    """Queues by object; `next` gives one frame, so that what is urgent never waits for more than that."""

    def __init__(self) -> None:
        self._control: deque[bytes | list[tuple[int, int]]] = deque()
        self._lanes: dict[Lane, deque[Stream]] = {"audio": deque(), "video": deque(), "data": deque()}

    def control(self, text: bytes) -> None:
        """Queues a text frame ahead of all media and messages."""
        self._control.append(text)

    def credit(self, object_id: int, amount: int) -> None:
        """Queues a credit, in order with control; those that wait side by side share a frame."""
        last = self._control[-1] if self._control else None
        if isinstance(last, list) and len(last) < FRAGMENT // (RECORD.size + LENGTH.size):
            last.append((object_id, amount))
        else:
            self._control.append([(object_id, amount)])

    def message(self, stream: Stream, payload: bytes, flags: int) -> None:
        """Queues a message of a channel or a part of one, with the flags of its last record."""
        stream.bytes += len(payload)
        self._push(stream, _Message(memoryview(payload), flags))

    def text_in_order(self, stream: Stream, text: bytes) -> None:
        """Queues a text frame behind the messages of its object."""
        stream.texts += 1
        self._push(stream, text)

    def media(self, stream: Stream, header: bytes, planes: Sequence[Buffer], hold: Hold | None = None) -> None:
        """Queues a frame of media, which keeps `hold` until it has gone."""
        parts = [memoryview(LENGTH.pack(len(header)) + header), *(memoryview(plane).cast("B") for plane in planes)]
        self._push(stream, _Media(_media_chunks(stream.object_id, parts), hold))

    def discard(self, stream: Stream) -> None:
        """Forgets what an object had to send."""
        if stream.items:
            self._lanes[stream.lane].remove(stream)
        stream.items.clear()
        stream.bytes = stream.texts = stream.sent = 0

    def next(self, room: int) -> Frame | None:
        """The next frame to send, or None.

        `room` is what the window has left for counted frames; media is not counted, and goes on when there is none.
        """
        if self._control:
            frame = self._next_control()
            if frame.size <= room:
                self._control.popleft()
                return frame
            room = 0
        return self._next_media("audio", room) or self._next_media("video", room) or self._next_data(room)

    def _next_control(self) -> Frame:
        first = self._control[0]
        if isinstance(first, bytes):
            return _text(first)
        parts: list[Buffer] = [b""]
        for object_id, amount in first:
            parts.append(RECORD.pack(CREDIT, 0, object_id, LENGTH.size) + LENGTH.pack(amount))
        return _binary(parts, len(first) * (RECORD.size + LENGTH.size), counted=True)

    def _next_media(self, lane: Lane, room: int) -> Frame | None:
        ring = self._lanes[lane]
        waiting = 0
        while waiting < len(ring):
            stream = ring[0]
            item = stream.items[0]
            if isinstance(item, bytes):
                if len(item) <= room:
                    stream.texts -= 1
                    self._pop(ring, stream)
                    return _text(item)
                # It waits for the window, with what is behind it, and lets the other streams by.
                ring.rotate(-1)
                waiting += 1
                continue
            assert isinstance(item, _Media)
            if (frame := next(item.chunks, None)) is not None:
                return frame
            self._pop(ring, stream)
        return None

    def _next_data(self, room: int) -> Frame | None:
        ring = self._lanes["data"]
        if not ring or room < LEAST_ROOM:
            return None
        budget = min(room, FRAGMENT + RECORD.size)
        parts: list[Buffer] = [b""]
        size = 0
        while ring:
            stream = ring[0]
            item = stream.items[0]
            if isinstance(item, bytes):
                if size or len(item) > room:
                    break
                stream.texts -= 1
                self._pop(ring, stream)
                return _text(item)
            assert isinstance(item, _Message)
            rest = len(item.payload) - stream.sent
            if size and size + RECORD.size + rest > budget:
                break
            length = min(rest, budget - size - RECORD.size)
            flags = item.flags if length == rest else item.flags | MORE
            parts.append(RECORD.pack(MESSAGE, flags, stream.object_id, length))
            parts.append(item.payload[stream.sent : stream.sent + length])
            size += RECORD.size + length
            self._took(ring, stream, length, whole=length == rest)
        return _binary(parts, size, counted=True) if size else None

    def _took(self, ring: deque[Stream], stream: Stream, length: int, whole: bool) -> None:
        high = stream.bytes > LOW_MARK
        stream.bytes -= length
        if whole:
            stream.sent = 0
            self._pop(ring, stream)
        else:
            stream.sent += length
            ring.rotate(-1)
        if stream.on_drain and ((high and stream.bytes <= LOW_MARK) or not stream.bytes):
            stream.on_drain()

    def _push(self, stream: Stream, item: _Item) -> None:
        if not stream.items:
            self._lanes[stream.lane].append(stream)
        stream.items.append(item)

    @staticmethod
    def _pop(ring: deque[Stream], stream: Stream) -> None:
        """Takes the first item off the first stream of a ring, and gives the next stream its turn."""
        stream.items.popleft()
        ring.popleft()
        if stream.items:
            ring.append(stream)


def _media_chunks(object_id: int, parts: list[memoryview]) -> Iterator[Frame]:
    """Cuts a frame of media into frames of the wire, copying nothing."""
    left = sum(part.nbytes for part in parts)
    flags = 0
    while left:
        length = min(left, FRAGMENT)
        left -= length
        chunk: list[Buffer] = [b"", RECORD.pack(MEDIA, flags | (MEDIA_MORE if left else 0), object_id, length)]
        need = length
        while need:
            head = parts[0]
            chunk.append(head[:need])
            if head.nbytes <= need:
                need -= head.nbytes
                parts.pop(0)
            else:
                parts[0] = head[need:]
                need = 0
        yield _binary(chunk, RECORD.size + length, counted=False)
        flags = MEDIA_CONTINUES


def _text(text: bytes) -> Frame:
    return Frame([LENGTH.pack(len(text)), text], len(text), counted=True)


def _binary(parts: list[Buffer], size: int, counted: bool) -> Frame:
    parts[0] = LENGTH.pack(size | BINARY)
    return Frame(parts, size, counted)
