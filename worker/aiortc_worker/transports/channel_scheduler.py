"""Which channel's message an association gets next: one message at a time, round-robin."""

from __future__ import annotations

from collections import deque

from ..sctp.association import SctpAssociation
from .channel import Channel, Message


class ChannelScheduler:
    """Hands an association the next message when all of the previous one has left.

    The association's own queue is first in, first out over all channels: what it has is as good as sent.
    """

    def __init__(self, association: SctpAssociation) -> None:
        self._association = association
        self._ready: deque[Channel] = deque()
        self._leaving: tuple[Channel, Message] | None = None
        self._left: dict[Channel, int] = {}
        "What has left in this turn, as it counts in bufferedAmount."
        self._finishing: set[Channel] = set()

    def move(self, association: SctpAssociation) -> None:
        """Goes on with another association. What the one before has of a message is lost, and counts as sent."""
        self._association = association
        self._ready.clear()
        self._finishing.clear()
        self._has_left()
        self.settled()

    def push(self, channel: Channel, message: Message) -> None:
        """Queues a message; it goes when this turn ends, if it can."""
        channel.outbound.append(message)
        if channel.state == "open" and len(channel.outbound) == 1:
            self._ready.append(channel)
            self._association.wake()

    def opened(self, channel: Channel) -> None:
        """Sends what a channel was given before it could send."""
        if channel.outbound:
            self._ready.append(channel)
            self._association.wake()

    def finish(self, channel: Channel) -> None:
        """Resets the channel's stream when all it was given is acknowledged."""
        self._finishing.add(channel)
        self._association.wake()

    def discard(self, channel: Channel) -> None:
        """Forgets what a channel has not sent."""
        channel.outbound.clear()
        self._finishing.discard(channel)
        if channel in self._ready:
            self._ready.remove(channel)

    def refill(self) -> bool:
        """Queues the next message, if there is one; all that was queued before has left."""
        self._has_left()
        while self._ready:
            channel = self._ready.popleft()
            message = channel.outbound.popleft()
            self._leaving = (channel, message)
            if channel.outbound:
                self._ready.append(channel)
            if channel.expired(message):
                self._has_left()
                continue
            assert channel.stream_id is not None
            self._association.queue(
                channel.stream_id,
                message.protocol,
                message.data,
                ordered=channel.must_order,
                expiry=message.expiry,
                max_retransmits=channel.options.max_retransmits,
            )
            return True
        return False

    def settled(self) -> None:
        """Gives credit for what has left, and resets the streams of channels that have finished."""
        left, self._left = self._left, {}
        for channel, cost in left.items():
            if channel.owner is not None:
                channel.owner.sent(cost)
        for channel in tuple(self._finishing):
            assert channel.stream_id is not None
            if not channel.outbound and not self._association.under_way(channel.stream_id):
                self._finishing.discard(channel)
                self._association.reset(channel.stream_id)

    def _has_left(self) -> None:
        if self._leaving is None:
            return
        (channel, message), self._leaving = self._leaving, None
        channel.messages_sent += 1
        channel.bytes_sent += message.size
        self._left[channel] = self._left.get(channel, 0) + message.cost
