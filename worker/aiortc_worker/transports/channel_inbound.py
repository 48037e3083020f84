"""Messages on their way to the shim, and how far it is behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..session.remote import Remote
from ..session.wire import GIVEN_UP, MORE, TEXT
from .channel import Channel
from .dcep import BINARY, BINARY_EMPTY, STRING, STRING_EMPTY
from .sctp_association import SctpAssociation

if TYPE_CHECKING:
    from ..session.session import Session

KEPT = 256 * 1024
"Bytes kept for streams that have no channel yet: a negotiated one may be made a little later than the peer's."


class ChannelInbound:
    """Delivers the messages of an association, in order within a channel; never waits.

    What the link has not taken, and what waits for an object of the shim's, shrinks the window that the association
    announces: the peer stops, and nobody else does.
    """

    def __init__(self, session: Session, association: SctpAssociation) -> None:
        self.limit = session.limits.message
        "Bytes of a message."
        self._session = session
        self._association = association
        self._behind: set[Remote] = set()
        self._watched: set[Remote] = set()
        self._held: set[Channel] = set()
        self._unclaimed: dict[int, list[tuple[int, bytes]]] = {}
        self._unclaimed_bytes = 0

    def move(self, association: SctpAssociation) -> None:
        """Goes on with another association, which has other streams."""
        self._association = association
        self._unclaimed.clear()
        self._unclaimed_bytes = 0

    def message(self, stream_id: int, channel: Channel | None, protocol: int, data: bytes) -> bool:
        """Takes a message of a channel or of a stream that has none yet; False when it is too large."""
        if channel is None:
            self._keep(stream_id, protocol, data)
            return True
        if len(data) > self.limit:
            return False
        if not self._takes(channel, protocol):
            return True
        payload = b"" if protocol in (STRING_EMPTY, BINARY_EMPTY) else data
        channel.acknowledged = True
        channel.messages_received += 1
        channel.bytes_received += len(payload)
        self._deliver(channel, payload, _flags(protocol))
        return True

    def part(self, channel: Channel, protocol: int, data: bytes, *, first: bool, last: bool) -> bool:
        """Takes a part of a large message; False when the message becomes too large."""
        if first and self._takes(channel, protocol):
            channel.arriving = 0
        if channel.arriving is None:
            return True
        channel.arriving += len(data)
        if channel.arriving > self.limit:
            channel.arriving = None
            return False
        channel.bytes_received += len(data)
        if last:
            channel.arriving = None
            channel.messages_received += 1
        self._deliver(channel, data, _flags(protocol) | (0 if last else MORE))
        return True

    def given_up(self, channel: Channel) -> None:
        """The rest of a large message never comes."""
        if channel.arriving is not None:
            channel.arriving = None
            self._deliver(channel, b"", GIVEN_UP)

    def adopt(self, channel: Channel) -> None:
        """Gives a channel what came on its stream before it was there."""
        assert channel.stream_id is not None
        for protocol, data in self._unclaimed.pop(channel.stream_id, []):
            self._unclaimed_bytes -= len(data)
            self.message(channel.stream_id, channel, protocol, data)

    def release(self, channel: Channel) -> None:
        """Delivers what was held for the channel's owner."""
        self._held.discard(channel)
        for data, flags in channel.release():
            self._deliver(channel, data, flags)

    def forget(self, stream_id: int) -> None:
        """Drops what came on a stream that is now closed."""
        for _, data in self._unclaimed.pop(stream_id, []):
            self._unclaimed_bytes -= len(data)

    def left(self, channel: Channel) -> None:
        """A channel is closed: what the link still has of it counts no more."""
        if isinstance(channel.owner, Remote):
            self._behind.discard(channel.owner)
            self._watched.discard(channel.owner)

    def backlog(self) -> int:
        """Bytes that were received and are still here."""
        if not self._behind and not self._held:
            return 0
        return sum(channel.held_bytes for channel in self._held) + sum(map(self._session.outstanding, self._behind))

    def flushed(self) -> None:
        """The link has had the chance to take what there is."""
        for remote in tuple(self._behind):
            if not self._session.outstanding(remote):
                self._behind.discard(remote)

    @staticmethod
    def _takes(channel: Channel, protocol: int) -> bool:
        known = protocol in (STRING, BINARY, STRING_EMPTY, BINARY_EMPTY)
        return known and channel.state in ("connecting", "open")

    def _deliver(self, channel: Channel, data: bytes, flags: int) -> None:
        owner = channel.owner
        if owner is None:
            channel.hold(data, flags)
            self._held.add(channel)
            return
        owner.delivered(data, flags)
        if isinstance(owner, Remote):
            self._behind.add(owner)
            if owner not in self._watched:
                self._watched.add(owner)
                self._session.on_drain(owner, self._drained)

    def _drained(self) -> None:
        self._association.update_window()

    def _keep(self, stream_id: int, protocol: int, data: bytes) -> None:
        if self._unclaimed_bytes + len(data) <= KEPT:
            self._unclaimed_bytes += len(data)
            self._unclaimed.setdefault(stream_id, []).append((protocol, data))


def _flags(protocol: int) -> int:
    return TEXT if protocol in (STRING, STRING_EMPTY) else 0
