"""The worker with an object that hands every message back: what the link costs, without a network."""

from aiortc_worker.__main__ import main
from aiortc_worker.session import registry
from aiortc_worker.session.remote import Remote
from aiortc_worker.session.wire import MORE, TEXT


@registry.register
class Mirror(Remote):
    """Does with messages what a channel does on either side."""

    def __init__(self, session, id, params) -> None:
        super().__init__(session, id)
        self._parts: list[bytes] = []

    def receive(self, kind, flags, payload) -> None:
        self._parts.append(bytes(payload))
        if flags & MORE:
            return
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = []
        self.session.credit(self, len(data) or 1)
        self.session.send_message(self, data, flags & TEXT)


main()
