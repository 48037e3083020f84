"""The worker's local socket: each connection of the bridge is a session."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import logging
import threading
from typing import Final

from . import registry, tasks
from .collector import Collector
from .link import Link
from .session import Session
from .watchdog import Watchdog
from .wire import WorkerInfo

logger = logging.getLogger(__name__)

END_SECONDS: Final = 5.0
"A worker that was told to end does so within this, whatever its sessions do."


class Server:
    """Listens, and keeps the sessions."""

    def __init__(self, secret: str | None = None, debug: bool = False) -> None:
        self.sessions: set[Session] = set()
        self._secret = secret
        self._debug = debug
        self._info: WorkerInfo | None = None
        self._server: asyncio.Server | None = None
        self._watchdog: Watchdog | None = None
        self._collector: Collector | None = None
        self._warm: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def listen(self, path: str | None) -> dict[str, object]:
        """Listens at a Unix socket, or at a loopback port when `path` is None; gives what a bridge must know."""
        loop = asyncio.get_running_loop()
        tasks.install(loop)
        if path is not None:
            self._server = await loop.create_unix_server(self._accept, path)
            return {"socket": path}
        self._server = await loop.create_server(self._accept, "127.0.0.1", 0)
        return {"port": self._server.sockets[0].getsockname()[1]}

    def warm_up(self) -> None:
        """Imports the objects' types, in a thread: it takes its time beside the first hello, which needs none."""
        threading.Thread(target=self._import, args=(asyncio.get_running_loop(),), name="warm", daemon=True).start()

    async def stop(self) -> None:
        """Ends every session."""
        if self._watchdog is not None:
            self._watchdog.stop()
        if self._collector is not None:
            self._collector.stop()
        if self._server is not None:
            self._server.close()
        ending = [session.ended for session in self.sessions]
        for session in self.sessions:
            session.end()
        if ending:
            await asyncio.wait(ending, timeout=END_SECONDS)

    def _import(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            registry.warm()
        except Exception:
            logger.exception("a type of object cannot be imported", extra={"kind": "import-failed"})
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._warmed)

    def _warmed(self) -> None:
        self._warm.set_result(None)
        # Not earlier: the thread that imports takes time from the loop.
        self._watchdog = Watchdog(asyncio.get_running_loop())
        self._collector = Collector(asyncio.get_running_loop())

    def _accept(self) -> Link:
        session = Session(self._describe, secret=self._secret, debug=self._debug, warm=self._warm)
        self.sessions.add(session)
        session.ended.add_done_callback(lambda _: self.sessions.discard(session))
        return session.link

    def _describe(self) -> WorkerInfo:
        if self._info is None:
            self._info = WorkerInfo(importlib.metadata.version("aiortc"), registry.CODECS)
        return self._info
