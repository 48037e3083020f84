"""A session for the tests of media: objects in a dict, events in a list, threads as usual; and a consumer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from fakes import quotas

from aiortc_worker.media.frames import Frame
from aiortc_worker.media.http_file import HttpFile
from aiortc_worker.media.media_source import MediaSource
from aiortc_worker.media.settings import AudioConstraints, VideoConstraints
from aiortc_worker.media.track import Track
from aiortc_worker.session.executors import Executors
from aiortc_worker.session.quotas import Hold, Quotas
from aiortc_worker.session.remote import CallError, Remote
from aiortc_worker.session.wire import Limits

T = TypeVar("T")


def http_file(url: str, *, allow_private: bool = False, url_seconds: int = 20) -> HttpFile:
    """A file that is open."""
    file = HttpFile(url, quotas(url_seconds=url_seconds).url_seconds, allow_private=allow_private)
    file.open()
    return file


class MediaSession:
    """As much of a Session as media uses."""

    def __init__(self, capabilities: frozenset[str] = frozenset({"file", "url", "device"}), **limits: int) -> None:
        self.capabilities = capabilities
        self.warnings: list[str] = []
        self.quotas = Quotas(Limits(**limits), self.warnings.append)
        self.holds: list[Hold | None] = []
        "Of what was sent: the link has taken nothing, until a test clears them."
        self.events: list[tuple[str, str]] = []
        "Class of the object, and the event's name."
        self.sent: list[tuple[bytes, bytes]] = []
        "Headers and planes of media."
        self.credits = 0
        self.failures: list[BaseException] = []
        self._objects: dict[int, Remote] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._executors = Executors(4)

    def add(self, cls: type[Any], **params: Any) -> Any:
        """Makes an object as the session would; its id is the next one."""
        id = len(self._objects) + 1
        self._objects[id] = cls(self, id, cls.In(**params))
        return self._objects[id]

    def source(self, type: str = "test", **params: Any) -> MediaSource:
        """A MediaSource, with audio and video unless one is said."""
        if not {"audio", "video"} & params.keys():
            params |= {"audio": AudioConstraints(), "video": VideoConstraints(width=160, height=120)}
        return self.add(MediaSource, type=type, **params)

    def track(self, source: Remote, kind: str) -> Track:
        return self.add(Track, source=source.id, kind=kind)

    def get(self, id: int, cls: type[T]) -> T:
        remote = self._objects.get(id)
        if not isinstance(remote, cls):
            raise CallError("TypeError", f"object {id} is no {cls.__name__}")
        return remote

    def emit(self, remote: Remote, event: str, out: object = None) -> None:
        assert event in remote.events
        self.events.append((type(remote).__name__, event))

    def spawn(self, remote: Remote, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def send_media(
        self, remote: Remote, header: bytes, planes: Sequence[bytes], kind: str, hold: Hold | None = None
    ) -> None:
        self.holds.append(hold)
        self.sent.append((header, b"".join(planes)))

    def credit(self, remote: Remote, amount: int) -> None:
        self.credits += amount

    async def run_blocking(self, kind: str, work: Callable[..., T], *args: Any) -> T:
        return await self._executors.run(kind, lambda: work(*args))

    async def close(self) -> None:
        """Closes all objects, and checks that no task outlives them."""
        for remote in sorted(self._objects.values(), key=lambda each: each.close_order):
            await remote.close()
        await asyncio.sleep(0.01)
        assert not self._tasks, "tasks are left"

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.failures.append(error)


class Sink:
    """Consumes: keeps frames and when they came."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.arrivals: list[float] = []
        self.has_ended = False

    def frame(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.arrivals.append(time.monotonic())

    def ended(self) -> None:
        self.has_ended = True

    @property
    def times(self) -> list[float]:
        """Of the frames, in seconds."""
        return [float((frame.pts or 0) * (frame.time_base or 0)) for frame in self.frames]

    async def until(self, count: int, seconds: float = 5.0) -> None:
        """Waits until so many frames came."""
        await wait_for(lambda: len(self.frames) >= count, seconds)


async def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions are on plain objects
            await asyncio.sleep(0.005)
