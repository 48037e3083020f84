"""What drives an association: DTLS carries its packets, the event loop tells its time, a handler hears of it."""

from __future__ import annotations

import asyncio
import logging
import os
import time
import weakref
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, ClassVar, Protocol

from ..sctp.association import Association
from ..sctp.events import Ended, Established, Event, GivenUp, Message, Part, Restarted, StreamClosed, StreamReset
from ..sctp.handshake import CLOSED, EVERYTHING

logger = logging.getLogger(__name__)

EARLY = 0.001
"Seconds by which uvloop may be early: it counts in milliseconds."


class Dtls(Protocol):
    """What an association wants of DTLS."""

    @property
    def largest_packet(self) -> int: ...

    def send_packets(self, packets: Sequence[bytes]) -> bool: ...
    def keep_whole(self, whole: bool) -> None: ...
    def give_data(self, receiver: Callable[[list[bytes]], None] | None) -> None: ...


class AssociationHandler(Protocol):
    """Who uses an association. Nothing here may wait."""

    def established(self) -> None:
        """Bytes can flow."""

    def restarted(self) -> None:
        """The peer has begun anew: no stream is in use, and what was under way is lost."""

    def ended(self) -> None:
        """The association is over, whoever ended it."""

    def message(self, stream_id: int, protocol: int, data: bytes) -> None:
        """A whole message has arrived."""

    def part(self, stream_id: int, protocol: int, data: bytes, *, first: bool, last: bool) -> None:
        """A part of a message has arrived that is too large to be kept until it is whole.

        Nothing else of its stream is told until its last part, or `given_up`.
        """

    def given_up(self, stream_id: int) -> None:
        """The rest of a message of which parts have arrived never comes."""

    def taken(self) -> None:
        """The messages that arrived together have all been told of."""

    def stream_reset(self, stream_id: int) -> None:
        """The peer sends nothing more on a stream that is in use."""

    def stream_closed(self, stream_id: int) -> None:
        """Both directions of a stream were reset: its number is free."""

    def refill(self) -> bool:
        """All that was queued has left, and there is room: queues a further message, or returns False."""

    def settled(self) -> None:
        """A turn ends: nothing more can go in it."""

    def backlog(self) -> int:
        """Bytes received that nobody has read yet."""


class _Nobody:
    """The handler of an association that was left."""

    def established(self) -> None: ...
    def restarted(self) -> None: ...
    def ended(self) -> None: ...
    def message(self, stream_id: int, protocol: int, data: bytes) -> None: ...
    def part(self, stream_id: int, protocol: int, data: bytes, *, first: bool, last: bool) -> None: ...
    def given_up(self, stream_id: int) -> None: ...
    def taken(self) -> None: ...
    def stream_reset(self, stream_id: int) -> None: ...
    def stream_closed(self, stream_id: int) -> None: ...
    def settled(self) -> None: ...

    def refill(self) -> bool:
        return False

    def backlog(self) -> int:
        return 0


class SctpAssociation:
    """One association over DTLS. None of its methods waits or raises.

    What is to be sent waits for the end of a turn: of the packets that arrived together, or of the event loop's when
    the application sends. So small messages share packets, and a batch of packets is acknowledged at once.
    """

    known: ClassVar[int] = EVERYTHING
    "Extensions that are offered and taken, as `handshake` numbers them."

    def __init__(self, dtls: Dtls, port: int, handler: AssociationHandler) -> None:
        self.end_reason = ""
        "Why it is over, where neither side has asked for it."
        self.abort_cause: int | None = None
        "Of the peer's ABORT."
        self._dtls = dtls
        # The handler owns the association.
        self._handler: AssociationHandler = weakref.proxy(handler)
        self._core = Association(port, os.urandom, self.known)
        self._loop = asyncio.get_running_loop()
        self._listening = False
        "Whether DTLS gives its packets to us."
        self._turning = False
        "Whether a turn ends soon anyway."
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = inf

    @property
    def is_established(self) -> bool:
        """Whether bytes can flow."""
        return self._core.is_established

    @property
    def is_closed(self) -> bool:
        """Whether the association is over, or was never begun."""
        return self._core.state == CLOSED

    @property
    def streams(self) -> int:
        """How many streams may be used, once established."""
        return self._core.streams

    @property
    def interleaves(self) -> bool:
        """Whether messages of several streams may be sent at a time (RFC 8260)."""
        return self._core.interleaves

    @property
    def malformed(self) -> int:
        """Packets that were dropped for what they say of themselves."""
        return self._core.malformed

    def begin(self, remote_port: int) -> None:
        """Sends INIT; both ends do (RFC 8841, section 9.3)."""
        self._dtls.give_data(self.take)
        self._listening = True
        self._core.largest = self._dtls.largest_packet
        self._send(self._core.begin(remote_port, time.monotonic()))
        self._arm()

    def end(self) -> None:
        """Aborts the association, as closing a peer connection does; may be called in any state."""
        self._send(self._core.abort(b"closed"))
        self._tell()

    def lost(self) -> None:
        """Ends the association without a word: there is no transport any more."""
        self._core.lose()
        self._tell()

    def leave(self) -> None:
        """Ends the association without a word to anybody, its handler included."""
        self._handler = _Nobody()
        self.lost()

    def move(self, dtls: Dtls) -> None:
        """Goes on over another DTLS association with the same peer; what is under way is sent again."""
        if self._listening:
            self._dtls.give_data(None)
            dtls.give_data(self.take)
        self._dtls = dtls
        self.route_changed()

    def route_changed(self) -> None:
        """Another path carries the packets from now on."""
        self._core.largest = self._dtls.largest_packet
        self._core.path_changed()
        self.wake()

    # What is sent

    def send(
        self,
        stream_id: int,
        protocol: int,
        data: bytes,
        *,
        ordered: bool = True,
        expiry: float | None = None,
        max_retransmits: int | None = None,
    ) -> None:
        """Sends a message when this turn ends, or when there is room; parameters as `queue` has them."""
        self.queue(stream_id, protocol, data, ordered=ordered, expiry=expiry, max_retransmits=max_retransmits)
        self.wake()

    def queue(
        self,
        stream_id: int,
        protocol: int,
        data: bytes,
        *,
        ordered: bool,
        expiry: float | None,
        max_retransmits: int | None,
        more: bool = False,
    ) -> bool:
        """Queues a message in the course of `refill`; with `more`, the part of one that further calls go on with.

        `data` is not empty; `expiry` is in seconds of `time.monotonic()`. Until the last part other streams may queue
        something only where the association `interleaves`. Returns False when the message was given up meanwhile.
        """
        ends_at = inf if expiry is None else expiry
        limit = -1 if max_retransmits is None else max_retransmits
        return self._core.send(stream_id, protocol, data, ordered, ends_at, limit, more)

    def abandon(self, stream_id: int) -> None:
        """Gives up the message of a stream whose last part was not queued (RFC 3758, section 3.5)."""
        self._core.abandon(stream_id)
        self.wake()

    def under_way(self, stream_id: int) -> bool:
        """Whether data of a stream is not acknowledged yet."""
        return self._core.transfer.outbound.is_under_way(stream_id)

    def use(self, stream_id: int) -> None:
        """From now on `stream_reset` and `stream_closed` tell of this stream."""
        self._core.use(stream_id)

    def reset(self, stream_id: int) -> None:
        """Resets the outgoing direction of a stream, once (RFC 6525, section 5.1.2); nothing should be under way."""
        self._core.reset(stream_id)
        self.wake()

    def update_window(self) -> None:
        """Tells the peer of a window that has opened again, if it was told of a much smaller one."""
        self._core.transfer.inbound.backlog = self._handler.backlog()
        if self._core.has_opened():
            self.wake()

    def figures(self) -> dict[str, Any]:
        """The fields of SctpStats that are SCTP's."""
        transfer = self._core.transfer
        return {
            "smoothed_round_trip_time": transfer.recovery.round_trip.smoothed,
            "congestion_window": transfer.congestion.cwnd,
            "receiver_window": transfer.inbound.window,
            "mtu": self._core.packet_size,
            "unacked_data": transfer.recovery.flight,
        }

    # Turns

    def take(self, packets: list[bytes]) -> None:
        """Takes the packets that arrived together, and ends the turn."""
        self._turning = True
        self._core.transfer.inbound.backlog = self._handler.backlog()
        self._core.receive(packets, time.monotonic())
        self._tell()
        self._handler.taken()
        # Not before: somebody waits for the messages.
        self._end_turn()

    def wake(self) -> None:
        """Ends this turn when the event loop's ends; `refill` is asked for messages then, if there is room."""
        if not self._turning:
            self._turning = True
            self._loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        # What wants to be sent from now on gets a turn of its own.
        self._turning = False
        core, handler = self._core, self._handler
        core.transfer.inbound.backlog = handler.backlog()
        self._send(core.flush(time.monotonic(), handler.refill, self._send))
        # After the packets, which somebody waits for.
        self._tell()
        if core.is_established:
            handler.settled()
        self._arm()

    def _send(self, packets: list[bytes]) -> None:
        if packets and not self._dtls.send_packets(packets):
            logger.debug("not all of %d packets were sent: there is no DTLS, or no path", len(packets))
            self._core.unsent()

    def _tell(self) -> None:
        events = self._core.events
        while events:
            told = events[:]
            events.clear()
            message = self._handler.message
            for event in told:
                if isinstance(event, Message):
                    message(*event)
                else:
                    self._tell_other(event)
                    message = self._handler.message

    def _tell_other(self, event: Event) -> None:
        handler = self._handler
        if isinstance(event, Part):
            handler.part(event.stream, event.protocol, event.data, first=event.first, last=event.last)
        elif isinstance(event, GivenUp):
            handler.given_up(event.stream)
        elif isinstance(event, StreamReset):
            handler.stream_reset(event.stream)
        elif isinstance(event, StreamClosed):
            handler.stream_closed(event.stream)
        elif isinstance(event, Established):
            handler.established()
        elif isinstance(event, Restarted):
            handler.restarted()
        elif isinstance(event, Ended):
            self._ended(event)
        elif not isinstance(event, Message):
            self._dtls.keep_whole(event.whole)

    def _ended(self, event: Ended) -> None:
        self.abort_cause, self.end_reason = event.cause, event.reason
        if self._listening:
            self._dtls.give_data(None)
            self._listening = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._handler.ended()

    # Time

    def _arm(self) -> None:
        """Sets a timer unless one goes off before: most deadlines move on before they come."""
        deadline = self._core.deadline
        if deadline == inf or (self._timer is not None and self._timer_at <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._loop.call_later(max(0.0, deadline - time.monotonic()) + EARLY, self._due)

    def _due(self) -> None:
        self._timer = None
        now = time.monotonic()
        if self._core.deadline > now:
            self._arm()
            return
        self._core.timeout(now)
        self._end_turn()
