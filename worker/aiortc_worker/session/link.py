"""One connection of the bridge: frames in and out, counted, acknowledged, held to the window."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Protocol, cast

from .scheduler import Buffer, Scheduler
from .wire import ACK_BYTES, ACK_SECONDS, BINARY, LENGTH, WINDOW, ProtocolError, close_frame

READ_BUFFER: Final = 128 * 1024
WRITE_HIGH: Final = 256 * 1024
"The scheduler keeps what is beyond this in the socket's buffer, where the urgent can still pass."
WRITE_AT_ONCE: Final = WRITE_HIGH // 2
LINGER_SECONDS: Final = 2.0
"A bridge that has been told why its session ends may take so long to close the connection."
JOIN_BELOW: Final = 16 * 1024
"Writes smaller than this are cheaper copied than gathered."


class Receiver(Protocol):
    """Who takes the frames of a link. What it raises of ProtocolError closes the link with its reason."""

    def frame(self, payload: bytes, binary: bool) -> None:
        """Takes a frame; says `link.took()` when it is done with it."""

    def lost(self) -> None:
        """The connection ended."""


class Link(asyncio.BufferedProtocol):
    """The worker's end of a session's link.

    The local socket does not break while the session lives, so nothing is kept to be sent again: the bridge does that.
    """

    def __init__(self, receiver: Receiver, max_frame: int) -> None:
        self.scheduler = Scheduler()
        self.window = WINDOW
        self.max_frame = max_frame
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(READ_BUFFER)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0
        self._taken = 0
        self._acked = 0
        self._unacked_bytes = 0
        self._ack_timer: asyncio.TimerHandle | None = None
        self._under_way: deque[int] = deque()
        self._under_way_bytes = 0
        self._peer_acked = 0
        self._writable = True
        self._flushing = False

    # --- reading

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_HIGH)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        if self._transport is None:
            self._start = self._end = 0
            return
        self._end += nbytes
        try:
            while self._transport and (frame := self._parse()) is not None:
                self._receiver.frame(*frame)
        except ProtocolError as error:
            self.refuse(error)
            return
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._ack_timer:
            self._ack_timer.cancel()
        self._receiver.lost()

    def _parse(self) -> tuple[bytes, bool] | None:
        have = self._end - self._start
        if have < LENGTH.size:
            return None
        (head,) = LENGTH.unpack_from(self._buffer, self._start)
        size = head & ~BINARY
        if size > self.max_frame:
            raise ProtocolError(f"a frame of {size} bytes; at most {self.max_frame} are allowed")
        if have < LENGTH.size + size:
            return None
        start = self._start + LENGTH.size
        self._start = start + size
        return bytes(self._view[start : self._start]), bool(head & BINARY)

    def _make_room(self) -> None:
        """Moves what is left of the buffer to its front, and grows it to hold the frame that has begun."""
        have = self._end - self._start
        if not have:
            self._start = self._end = 0
            return
        need = LENGTH.size
        if have >= need:
            (head,) = LENGTH.unpack_from(self._buffer, self._start)
            need += head & ~BINARY
        if self._start + max(need, READ_BUFFER // 2) <= len(self._buffer):
            return
        rest = bytes(self._view[self._start : self._end])
        if need > len(self._buffer):
            self._buffer = bytearray(need)
            self._view = memoryview(self._buffer)
        self._buffer[:have] = rest
        self._start, self._end = 0, have

    # --- counting

    def took(self, size: int) -> None:
        """A counted frame of `size` bytes was handled."""
        self._taken += 1
        self._unacked_bytes += size
        if self._unacked_bytes >= ACK_BYTES:
            self._acknowledge()
        elif not self._ack_timer:
            self._ack_timer = self._loop.call_later(ACK_SECONDS, self._acknowledge)

    def _acknowledge(self) -> None:
        if self._ack_timer:
            self._ack_timer.cancel()
            self._ack_timer = None
        if self._acked == self._taken:
            return
        self._acked = self._taken
        self._unacked_bytes = 0
        self._write_text(b'{"ack":%d}' % self._taken)

    def peer_acked(self, count: int) -> None:
        """The shim has taken `count` counted frames in all."""
        fresh = count - self._peer_acked
        if fresh < 0 or fresh > len(self._under_way):
            raise ProtocolError(f"ack {count} of {self._peer_acked + len(self._under_way)} frames")
        self._peer_acked = count
        for _ in range(fresh):
            self._under_way_bytes -= self._under_way.popleft()
        self.wake()

    # --- writing

    def wake(self) -> None:
        """Sends what the scheduler has, at the end of this turn of the loop."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self.flush)

    def write_now(self, text: bytes) -> None:
        """Sends an uncounted text frame, such as hello, ahead of everything."""
        self._write_text(text)

    def refuse(self, error: ProtocolError) -> None:
        """Says why this session ends, and ends it when the bridge has read that.

        A socket that is closed while there is something to read is reset, and the last frame lost on the way. So what
        still comes is read and forgotten, until the bridge closes its end.
        """
        if not self._transport:
            return
        self._write_text(close_frame(error.code, str(error)))
        transport, self._transport = self._transport, None
        transport.write_eof()
        self._loop.call_later(LINGER_SECONDS, transport.abort)

    def close(self) -> None:
        """Closes the connection once what was written has gone."""
        if self._transport:
            self._transport.close()
            self._transport = None

    def abort(self) -> None:
        """Closes the connection, whatever waits in it."""
        if self._transport:
            self._transport.abort()
            self._transport = None

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self.wake()

    def flush(self) -> None:
        """Sends now what `wake` would send at the end of this turn."""
        if not self._flushing:
            return
        self._flushing = False
        while self._transport and self._writable:
            parts, size = self._gather()
            if not parts:
                return
            if size < JOIN_BELOW:
                self._transport.write(b"".join(parts))
            else:
                self._transport.writelines(parts)
            if size < WRITE_AT_ONCE:
                return

    def _gather(self) -> tuple[list[Buffer], int]:
        """What the scheduler and the window let go, a little beyond WRITE_AT_ONCE; less only if it is all."""
        parts: list[Buffer] = []
        total = 0
        while total < WRITE_AT_ONCE:
            room = self.window - self._under_way_bytes if self._under_way else self.max_frame
            frame = self.scheduler.next(room)
            if frame is None:
                break
            parts += frame.parts
            total += frame.size + LENGTH.size
            if frame.counted:
                self._under_way.append(frame.size)
                self._under_way_bytes += frame.size
        return parts, total

    def _write_text(self, text: bytes) -> None:
        if self._transport:
            self._transport.write(LENGTH.pack(len(text)) + text)
