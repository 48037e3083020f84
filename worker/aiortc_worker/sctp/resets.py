"""Streams that are closed: their numbers begin again, once both directions were reset.

@see https://www.rfc-editor.org/rfc/rfc6525#section-5
"""

from __future__ import annotations

from math import inf
from typing import Final

from .chunks import Reconfig
from .events import Event, StreamClosed, StreamReset
from .inbound import Inbound
from .numbers import unwrap
from .outbound import Outbound
from .parameters import OtherRequest, OutgoingReset, ReconfigResponse

NOTHING_TO_DO: Final = 0
PERFORMED: Final = 1
DENIED: Final = 2
BAD_SEQUENCE: Final = 5
IN_PROGRESS: Final = 6
"Results (section 4.4)."

MOST_STREAMS: Final = 200
"Streams in a request, which has to fit into a packet."


class Resets:
    """Requests of both sides to reset streams."""

    def __init__(
        self, events: list[Event], inbound: Inbound, outbound: Outbound, local_tsn: int, peer_tsn: int
    ) -> None:
        self.deadline = inf
        "When the request is sent again."
        self.due = False
        "Whether a request is to be sent in this turn."
        self.errors = 0
        "Time-outs of the request in a row."
        self._events = events
        self._inbound = inbound
        self._outbound = outbound
        self._next_request = local_tsn & 0xFFFFFFFF
        self._expected = peer_tsn & 0xFFFFFFFF
        "The number of the peer's next request."
        self._queue: list[int] = []
        self._request: OutgoingReset | None = None
        "Of ours that was not answered yet: there may be one (section 5.1.1)."
        self._deferred: OutgoingReset | None = None
        "Of the peer's, until all up to its last TSN has arrived (section 5.2.2, E2)."
        self._answer = ReconfigResponse(0, NOTHING_TO_DO)
        "To the peer's latest request."
        self._used: set[int] = set()
        self._reset_in: set[int] = set()
        self._reset_out: set[int] = set()

    def use(self, stream: int) -> None:
        """From now on `StreamReset` and `StreamClosed` tell of a stream."""
        self._used.add(stream)
        self._reset_in.discard(stream)
        self._reset_out.discard(stream)

    def reset(self, stream: int) -> None:
        """Resets the outgoing direction of a stream in use, once; nothing of it should be under way."""
        asked = self._request is not None and stream in self._request.streams
        if stream not in self._used or asked or stream in self._queue or stream in self._reset_out:
            return
        self._queue.append(stream)
        self.due = self.due or self._request is None

    def request(self, now: float, rto: float) -> bytes:
        """The request that is due, as a chunk."""
        self.due = False
        if self._request is None:
            streams, self._queue = self._queue[:MOST_STREAMS], self._queue[MOST_STREAMS:]
            last = (self._outbound.next_tsn - 1) & 0xFFFFFFFF
            self._request = OutgoingReset(self._next_request, (self._expected - 1) & 0xFFFFFFFF, last, streams)
            self._next_request = (self._next_request + 1) & 0xFFFFFFFF
        self.deadline = now + rto
        return Reconfig([self._request]).encode()

    def timed_out(self) -> None:
        """The request was not answered in time (section 5.1.1)."""
        self.deadline = inf
        self.errors += 1
        self.due = True

    def take(self, chunk: Reconfig) -> bytes | None:
        """Acts on what the peer asks and answers; returns our answer."""
        answer = None
        for each in chunk.parameters:
            if isinstance(each, ReconfigResponse):
                self._take_response(each)
            else:
                answer = self._take_request(each)
        return None if answer is None else Reconfig([answer]).encode()

    def progress(self) -> None:
        """Performs the peer's request when the last of its data has arrived."""
        deferred = self._deferred
        if deferred is not None and self._has_all(deferred):
            self._deferred = None
            self._perform(deferred)

    def _take_request(self, request: OutgoingReset | OtherRequest) -> ReconfigResponse:
        number = request.request
        if number == (self._expected - 1) & 0xFFFFFFFF and self._answer.request == number:
            if self._answer.result == IN_PROGRESS and self._deferred is None:
                self._answer = ReconfigResponse(number, PERFORMED)
            return self._answer
        if number != self._expected:
            return ReconfigResponse(number, BAD_SEQUENCE)
        self._expected = (self._expected + 1) & 0xFFFFFFFF
        result = DENIED
        if isinstance(request, OutgoingReset):
            result = PERFORMED if self._has_all(request) else IN_PROGRESS
            if result == PERFORMED:
                self._perform(request)
            else:
                self._deferred = request
        self._answer = ReconfigResponse(number, result)
        return self._answer

    def _has_all(self, request: OutgoingReset) -> bool:
        return unwrap(request.last_tsn, self._inbound.cumulative) <= self._inbound.cumulative

    def _perform(self, request: OutgoingReset) -> None:
        """The peer's outgoing streams begin again (section 5.2.2, E4)."""
        for stream in request.streams or sorted(self._used):
            self._inbound.reassembly.reset(stream, self._inbound.cumulative)
            if stream in self._used and stream not in self._reset_in:
                self._reset_in.add(stream)
                self._events.append(StreamReset(stream))
                self._close(stream)

    def _take_response(self, response: ReconfigResponse) -> None:
        request = self._request
        if request is None or response.request != request.request:
            return
        self.errors = 0
        if response.result == IN_PROGRESS:
            return  # Asked again, when the timer goes off.
        self._request = None
        self.deadline = inf
        for stream in request.streams:
            if response.result in (NOTHING_TO_DO, PERFORMED):
                self._outbound.reset(stream)
            # One that is refused, too: nobody can do more about it.
            self._reset_out.add(stream)
            self._close(stream)
        self.due = bool(self._queue)

    def _close(self, stream: int) -> None:
        if stream in self._reset_in and stream in self._reset_out:
            self._reset_in.discard(stream)
            self._reset_out.discard(stream)
            self._used.discard(stream)
            self._events.append(StreamClosed(stream))
