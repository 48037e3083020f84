"""Which channel's message an association gets next: one message at a time, round-robin."""

from __future__ import annotations

from collections import deque

from ..aiortc_compat import run_now
from ..compat.sctp import SctpAssociation
from .channel import Channel, Message


class ChannelScheduler:
    """Hands an association the next message when all of the previous one has left.

    The association's own queue is first in, first out over all channels: what it has is as good as sent.
    """

    def __init__(self, association: SctpAssociation) -> None:
        self._association = association
        self._ready: deque[Channel] = deque()
        self._leaving: tuple[Channel, Message] | None = None
        self._finishing: set[Channel] = set()
        self._running = False

    def push(self, channel: Channel, message: Message) -> None:
        """Queues a message; it goes at once if it can."""
        channel.outbound.append(message)
        if channel.state == "open" and len(channel.outbound) == 1:
            self._ready.append(channel)
            run_now(self.run())

    def opened(self, channel: Channel) -> None:
        """Sends what a channel was given before it could send."""
        if channel.outbound:
            self._ready.append(channel)
            run_now(self.run())

    def finish(self, channel: Channel) -> None:
        """Resets the channel's stream when all it was given is acknowledged."""
        self._finishing.add(channel)
        run_now(self.run())

    def discard(self, channel: Channel) -> None:
        """Forgets what a channel has not sent."""
        channel.outbound.clear()
        self._finishing.discard(channel)
        if channel in self._ready:
            self._ready.remove(channel)

    async def run(self) -> None:
        """Sends while there is room, then resets the streams of channels that have finished."""
        if self._running or not self._association.is_established:
            return
        self._running = True
        try:
            await self._send()
            self._reset()
        finally:
            self._running = False

    async def _send(self) -> None:
        while not self._association.busy:
            self._left()
            if not self._ready:
                return
            channel = self._ready.popleft()
            message = channel.outbound.popleft()
            self._leaving = (channel, message)
            if channel.outbound:
                self._ready.append(channel)
            assert channel.stream_id is not None
            if not channel.expired(message):
                await self._association.send(
                    channel.stream_id,
                    message.protocol,
                    message.data,
                    ordered=channel.must_order,
                    expiry=message.expiry,
                    max_retransmits=channel.options.max_retransmits,
                )

    def _left(self) -> None:
        if self._leaving is None:
            return
        (channel, message), self._leaving = self._leaving, None
        channel.messages_sent += 1
        channel.bytes_sent += message.size
        if channel.owner is not None:
            channel.owner.sent(message.cost)

    def _reset(self) -> None:
        for channel in tuple(self._finishing):
            assert channel.stream_id is not None
            if not channel.outbound and not self._association.under_way(channel.stream_id):
                self._finishing.discard(channel)
                self._association.reset(channel.stream_id)
