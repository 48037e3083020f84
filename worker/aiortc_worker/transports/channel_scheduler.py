"""Which channel's message an association gets next: one message at a time, round-robin."""

from __future__ import annotations

from collections import deque

from .channel import Channel, Part
from .dcep import DCEP
from .sctp_association import SctpAssociation


class ChannelScheduler:
    """Hands an association the next message when all of the previous one has left; of a large one, the next part.

    The association's own queue is first in, first out over all channels: what it has is as good as sent. With I-DATA
    (RFC 8260) channels take turns part by part. Without, the TSNs of a message are consecutive, so from its first part
    to its last one every other channel waits (RFC 9260, section 6.9).
    """

    def __init__(self, association: SctpAssociation) -> None:
        self._association = association
        self._ready: deque[Channel] = deque()
        self._begun: Channel | None = None
        "Whose message must end before another begins."
        self._unfinished: set[Channel] = set()
        "Of whose messages the association has the first part, and not the last."
        self._control: deque[tuple[int, bytes]] = deque()
        "Messages of DCEP and their streams, which wait for the end of the message that has begun."
        self._leaving: tuple[Channel, Part] | None = None
        self._left: dict[Channel, int] = {}
        "What has left in this turn or was given up, as it counts in bufferedAmount."
        self._finishing: set[Channel] = set()

    def move(self, association: SctpAssociation) -> None:
        """Goes on with another association. What the one before has of a message is lost, and counts as sent."""
        self._association = association
        self._ready.clear()
        self._finishing.clear()
        self._control.clear()
        for channel in self._unfinished:
            channel.skipping = True
        self._unfinished.clear()
        self._begun = None
        self._has_left()
        self.settled()

    def control(self, stream_id: int, data: bytes) -> None:
        """Sends a message of DCEP, ahead of all messages that have not begun."""
        if self._begun is None:
            self._association.send(stream_id, DCEP, data)
        else:
            self._control.append((stream_id, data))

    def push(self, channel: Channel, part: Part) -> None:
        """Queues a message or the next part of one; it goes when this turn ends, if it can."""
        channel.outbound.append(part)
        if channel.state == "open" and len(channel.outbound) == 1:
            self._enter(channel)

    def opened(self, channel: Channel) -> None:
        """Sends what a channel was given before it could send."""
        if channel.outbound:
            self._enter(channel)

    def finish(self, channel: Channel) -> None:
        """Resets the channel's stream when all it was given is acknowledged. A message without its end is given up."""
        self.cut(channel)
        self._finishing.add(channel)
        self._association.wake()

    def cut(self, channel: Channel) -> None:
        """Gives up a message whose last part was not pushed: it will not be."""
        while channel.outbound and not channel.outbound[-1].last:
            part = channel.outbound.pop()
            self._left[channel] = self._left.get(channel, 0) + part.cost
            if part.first:
                break
        if not channel.outbound:
            self._leave(channel)

    def discard(self, channel: Channel) -> None:
        """Forgets what a channel has not sent."""
        channel.outbound.clear()
        self._control = deque(each for each in self._control if each[0] != channel.stream_id)
        self._finishing.discard(channel)
        self._leave(channel)

    def refill(self) -> bool:
        """Queues the next message or part, if there is one; all that was queued before has left."""
        self._has_left()
        if self._control and self._begun is None:
            stream_id, data = self._control.popleft()
            self._association.queue(stream_id, DCEP, data, ordered=True, expiry=None, max_retransmits=None)
            return True
        while self._begun or self._ready:
            channel = self._begun or self._ready.popleft()
            if not channel.outbound:
                return False  # The rest of the message that has begun is not here yet.
            part = channel.outbound.popleft()
            taken = self._hand_over(channel, part)
            self._note(channel, unfinished=taken and not part.last)
            if self._begun is None and channel.outbound:
                self._ready.append(channel)
            self._leaving = (channel, part)
            if taken:
                return True
            self._has_left()
        return False

    def settled(self) -> None:
        """Gives credit for what has left, and resets the streams of channels that have finished."""
        left, self._left = self._left, {}
        for channel, cost in left.items():
            if channel.owner is not None:
                channel.owner.sent(cost)
        for channel in tuple(self._finishing):
            assert channel.stream_id is not None
            if not channel.outbound and not self._is_under_way(channel.stream_id):
                self._finishing.discard(channel)
                self._association.reset(channel.stream_id)

    def _is_under_way(self, stream_id: int) -> bool:
        return any(waiting == stream_id for waiting, _ in self._control) or self._association.under_way(stream_id)

    def _note(self, channel: Channel, unfinished: bool) -> None:
        """Notes whether the association waits for the rest of a channel's message."""
        if unfinished:
            self._unfinished.add(channel)
        else:
            self._unfinished.discard(channel)
        self._begun = channel if unfinished and not self._association.interleaves else None

    def _enter(self, channel: Channel) -> None:
        if channel is not self._begun:
            self._ready.append(channel)
        self._association.wake()

    def _hand_over(self, channel: Channel, part: Part) -> bool:
        """Gives a part to the association; False when its message was given up, which the rest of it is with it."""
        if part.first:
            channel.skipping = False
        if channel.skipping:
            return False
        assert channel.stream_id is not None
        if channel.expired(part):
            channel.skipping = True
            if not part.first:
                self._association.abandon(channel.stream_id)
            return False
        taken = self._association.queue(
            channel.stream_id,
            part.protocol,
            part.data,
            ordered=channel.must_order,
            expiry=part.expiry,
            max_retransmits=channel.options.max_retransmits,
            more=not part.last,
        )
        channel.skipping = not taken
        return taken

    def _leave(self, channel: Channel) -> None:
        """A channel has nothing to send any more; what has begun of a message is given up."""
        if channel in self._ready:
            self._ready.remove(channel)
        if channel in self._unfinished:
            assert channel.stream_id is not None
            self._association.abandon(channel.stream_id)
            self._unfinished.discard(channel)
        if channel is self._begun:
            self._begun = None

    def _has_left(self) -> None:
        if self._leaving is None:
            return
        (channel, part), self._leaving = self._leaving, None
        channel.messages_sent += part.last
        channel.bytes_sent += part.size
        self._left[channel] = self._left.get(channel, 0) + part.cost
