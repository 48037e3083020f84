"""Where a program's own media comes from."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from msgspec import Struct

from ..session.remote import CallError, Empty, ObjectId, Remote, call, lacks
from ..weak import weakly
from .container import Container
from .devices import open_device
from .fan_out import FanOut
from .feed import Feed
from .frames import Kind
from .http_file import FORMATS, HttpFile
from .live_feed import LiveFeed
from .pattern_feed import PatternFeed
from .playback import Playback
from .settings import AudioConstraints, Opened, VideoConstraints
from .written_feed import WrittenFeed

if TYPE_CHECKING:
    from ..session.session import Session

T = TypeVar("T")


class MediaSource(Remote):
    """One or two kinds of media of one origin, in sync; the tracks of the shim that share it name it."""

    class In(Struct, frozen=True, omit_defaults=True):
        type: Literal["test", "file", "url", "device", "frames"]
        source: str | None = None
        "A path or file: URL, an http(s) URL, or a device."
        loop: bool = False
        "Whether a file begins again at its end."
        audio: AudioConstraints | None = None
        "Given when there is to be audio."
        video: VideoConstraints | None = None
        "Given when there is to be video."

    events: ClassVar = {"ended": Empty}
    close_order = 65

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        if params.type in ("file", "url", "device") and params.type not in session.capabilities:
            raise CallError("NotAllowedError", lacks(params.type))
        self.type = params.type
        self._params = params
        self._kinds: frozenset[Kind] = frozenset(kind for kind in ("audio", "video") if getattr(params, kind))
        if not self._kinds:
            raise CallError("TypeError", "A source has audio, video or both")
        # Each is given back when the source closes, or when it cannot be made.
        quotas = session.quotas
        self._holds = [quotas.sources.hold()]
        if params.type in ("file", "url", "device"):
            self._holds.append(quotas.files.hold())
        self.feed: Feed = self._make()
        for output in self.feed.outputs.values():
            output.on_end(self._ended)

    @call
    async def open(self) -> Opened:
        """Acquires the source; its settings are the answer.

        Raises CallError: NotFoundError when the file or device does not exist or has nothing of a kind,
        NotReadableError when it cannot be read or decoded, or when the session has no share left for it.
        """
        return await self.feed.open()

    def output(self, kind: Kind) -> FanOut:
        """The Source of a kind; raises CallError NotFoundError when it was not asked for."""
        output = self.feed.outputs.get(kind)
        if not output:
            raise CallError("NotFoundError", f"Source {self.id} has no {kind}")
        return output

    async def close(self) -> None:
        for output in self.feed.outputs.values():
            output.end()
        await self.feed.close()
        for hold in self._holds:
            hold.release()

    def _make(self) -> Feed:
        params, spawn, run, quotas = self._params, weakly(self.spawn), weakly(self._run), self.session.quotas
        if params.type == "test":
            return PatternFeed(params.audio, params.video, spawn, weakly(self._draw), quotas)
        if params.type == "frames":
            return WrittenFeed(self._kinds)
        decoded = quotas.decoded_pixels
        if params.type == "file":
            path = _path(params.source)
            return Playback(partial(_open_file, path, params.loop), self._kinds, spawn, run, decoded)
        if params.type == "device":
            make = partial(open_device, params.source, params.audio, params.video)
            return LiveFeed(make, self._kinds, spawn, run, decoded)
        # Who may read the machine's files is at home there, and may reach what only it reaches.
        private = "file" in self.session.capabilities
        file = HttpFile(params.source or "", quotas.url_seconds, allow_private=private)
        return Playback(partial(_open_url, file, params.loop), self._kinds, spawn, run, decoded)

    def _ended(self) -> None:
        if all(output.ended for output in self.feed.outputs.values()):
            self.emit("ended")

    async def _run(self, work: Callable[..., T], *args: Any) -> T:
        return await self.session.run_blocking("file", work, *args)

    async def _draw(self, work: Callable[..., T], *args: Any) -> T:
        return await self.session.run_blocking("draw", work, *args)


def _path(source: str | None) -> Path:
    if not source:
        raise CallError("TypeError", "A file source needs a path")
    return Path(url2pathname(urlsplit(source).path) if source.startswith("file:") else source)


def _open_file(path: Path, loop: bool, kinds: frozenset[Kind]) -> Container:
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CallError("NotFoundError", f"There is no file {path}") from error
    except (OSError, ValueError) as error:
        raise CallError("NotReadableError", f"{path} cannot be read: {error}") from error
    # A pipe or a device could keep a thread for ever.
    if not stat.S_ISREG(mode):
        raise CallError("NotReadableError", f"{path} is no regular file")
    # A playlist may name other files, never the network.
    return Container(f"file:{path}", kinds, name=str(path), loop=loop, options={"protocol_whitelist": "file"})


def _open_url(file: HttpFile, loop: bool, kinds: frozenset[Kind]) -> Container:
    try:
        file.open()
        return Container(file, kinds, name=file.url, loop=loop, options={"format_whitelist": FORMATS})
    except CallError:
        file.close()
        raise
