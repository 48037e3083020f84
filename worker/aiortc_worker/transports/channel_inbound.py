"""Messages on their way to the shim, and how far it is behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sctp.association import SctpAssociation
from ..session.remote import Remote
from .channel import Channel
from .dcep import BINARY, BINARY_EMPTY, STRING, STRING_EMPTY

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
        if protocol not in (STRING, BINARY, STRING_EMPTY, BINARY_EMPTY) or channel.state not in ("connecting", "open"):
            return True
        payload = b"" if protocol in (STRING_EMPTY, BINARY_EMPTY) else data
        channel.acknowledged = True
        channel.messages_received += 1
        channel.bytes_received += len(payload)
        self._deliver(channel, payload, protocol in (STRING, STRING_EMPTY))
        return True

    def adopt(self, channel: Channel) -> None:
        """Gives a channel what came on its stream before it was there."""
        assert channel.stream_id is not None
        for protocol, data in self._unclaimed.pop(channel.stream_id, []):
            self._unclaimed_bytes -= len(data)
            self.message(channel.stream_id, channel, protocol, data)

    def release(self, channel: Channel) -> None:
        """Delivers what was held for the channel's owner."""
        self._held.discard(channel)
        for data, text in channel.release():
            self._deliver(channel, data, text)

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

    def _deliver(self, channel: Channel, data: bytes, text: bool) -> None:
        owner = channel.owner
        if owner is None:
            channel.hold(data, text)
            self._held.add(channel)
            return
        owner.delivered(data, text)
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
