"""A file over http(s) that PyAV can read and seek, fetched by us: libav would connect wherever it is told to."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urljoin, urlsplit

from ..public_address import is_public
from ..session.quotas import Quota
from ..session.remote import CallError
from ..tls import client_context

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TIMEOUT: Final = 10.0
"Seconds without an answer, or without a byte."
MAX_REDIRECTS: Final = 5
SKIP: Final = 256 * 1024
"Bytes: what lies not further ahead is read over rather than asked for anew."
FORMATS: Final = "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,ogg,mp3,wav,flac,aac,mpegts,ivf,avi,flv"
"Demuxers that need nothing but the file itself: playlists would name others, which libav would fetch."


class HttpFile(io.RawIOBase):
    """Reads `url`, once it is open; blocks.

    Opening it, redirects included, and what is read between two calls of `begin` may each take `quota` seconds in all:
    a server that sends a byte now and then keeps no thread longer.

    Every host, of redirects too, is resolved once, and the connection goes to the address that was checked: public
    ones alone, unless `allow_private`.

    Raises CallError: NotFoundError when the server says 404 or 410, NotReadableError when the file cannot be fetched,
    NotAllowedError when its address is private.
    """

    def __init__(self, url: str, quota: Quota, *, allow_private: bool = False) -> None:
        super().__init__()
        self.url = url
        self._quota = quota
        self._until = 0.0
        "When what is being done must be done, monotonic."
        self._allow_private = allow_private
        self._position = 0
        self._response_at = 0
        "Where the next byte of the response belongs."
        self._size: int | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None
        "What a thread may wait in; the connection forgets its own once a response has it."
        self._interrupted = False
        self._response: http.client.HTTPResponse | None = None

    def open(self) -> None:
        """Asks for it, from its beginning; what is read until `begin`, to find out what it is, has the same time."""
        self.begin()
        self._request(0)

    def begin(self) -> None:
        """What is read from now on has its time in all."""
        self._until = time.monotonic() + self._quota.limit

    def seconds_left(self) -> float:
        """For a step that waits; raises TimeoutError when there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(TIMEOUT, left)

    def _reason(self, error: Exception) -> str:
        is_over = isinstance(error, TimeoutError) and time.monotonic() >= self._until
        return self._quota.message if is_over else str(error)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._size is not None

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if self._size is None:
            raise io.UnsupportedOperation("the server gives no ranges")
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        if self._size is not None and self._position >= self._size:
            return b""
        try:
            self._catch_up()
            if self._response is None:
                return b""
            # What has come, rather than to wait for all.
            data = self._response.read1(size)
        except (OSError, http.client.HTTPException) as error:
            raise CallError("NotReadableError", f"{self.url} was cut off: {self._reason(error)}") from error
        self._position += len(data)
        self._response_at = self._position
        return data

    def interrupt(self) -> None:
        """Ends a read that another thread waits in, and lets no other begin."""
        self._interrupted = True
        if self._socket:
            # It may be closed already, or about to connect. An SSLSocket's own method would end its encryption first.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        if self._connection:
            self._connection.close()

    def _catch_up(self) -> None:
        """Makes the response give what is at the position."""
        ahead = self._position - self._response_at
        if self._response and 0 <= ahead <= SKIP:
            self._response_at += len(self._response.read(ahead))
        if self._response_at != self._position:
            self._request(self._position)

    def _request(self, start: int) -> None:
        url = self.url
        for _ in range(MAX_REDIRECTS + 1):
            response = self._get(urlsplit(url), start)
            if response.status not in (301, 302, 303, 307, 308):
                self._accept(response, start)
                return
            url = urljoin(url, response.getheader("Location") or "")
        raise CallError("NotReadableError", f"{self.url} redirects more than {MAX_REDIRECTS} times")

    def _get(self, url: SplitResult, start: int) -> http.client.HTTPResponse:
        if self._connection:
            self._connection.close()
        self._connection = self._connect(url)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        headers = {"Range": f"bytes={start}-", "Accept-Encoding": "identity", "User-Agent": "aiortc-shim"}
        try:
            self._connection.request("GET", target, headers=headers)
            return self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise CallError("NotReadableError", f"{self.url} cannot be fetched: {self._reason(error)}") from error

    def _accept(self, response: http.client.HTTPResponse, start: int) -> None:
        if response.status in (404, 410):
            raise CallError("NotFoundError", f"{self.url} does not exist: the server says {response.status}")
        if response.status not in (200, 206) or (response.status == 200 and start):
            raise CallError("NotReadableError", f"{self.url} cannot be fetched: the server says {response.status}")
        total = (response.getheader("Content-Range") or "").rpartition("/")[2]
        self._size = int(total) if response.status == 206 and total.isdecimal() else None
        self._response, self._response_at = response, start

    def _connect(self, url: SplitResult) -> http.client.HTTPConnection:
        try:
            host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        except ValueError as error:
            raise CallError("TypeError", f"{url.geturl()}: {error}") from error
        if url.scheme not in ("http", "https") or not host:
            raise CallError("TypeError", f"{url.geturl()} is no http(s) URL")
        try:
            connected = self._connect_to(host, port)
            if url.scheme == "https":
                connected = self._secure(connected, host)
        except OSError as error:
            raise CallError("NotReadableError", f"{host}:{port} cannot be reached: {self._reason(error)}") from error
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        # It asks a socket for no more than this one has.
        connection.sock = _TimedSocket(connected, self.seconds_left)
        return connection

    def _connect_to(self, host: str, port: int) -> socket.socket:
        failure = OSError("it has no address")
        for family, *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            if not (self._allow_private or is_public(str(address[0]))):
                raise CallError("NotAllowedError", f"{host} is {address[0]}, a private address")
            try:
                return self._open(family, (str(address[0]), port))
            except OSError as error:
                failure = error
        raise failure

    def _open(self, family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
        opened = self._socket = socket.socket(family)
        try:
            opened.settimeout(self.seconds_left())
            if self._interrupted:
                raise OSError("it is closed")
            opened.connect(address)
            return opened
        except OSError:
            opened.close()
            raise

    def _secure(self, connected: socket.socket, host: str) -> ssl.SSLSocket:
        secured = client_context().wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
        self._socket = secured
        try:
            secured.settimeout(self.seconds_left())
            secured.do_handshake()
            return secured
        except OSError:
            secured.close()
            raise


class _TimedSocket:
    """As much of a socket as HTTPConnection uses; each step waits as long as there is time."""

    def __init__(self, connected: socket.socket, seconds_left: Callable[[], float]) -> None:
        self._socket, self._seconds_left = connected, seconds_left

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(self._seconds_left())
        self._socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._socket, self._seconds_left))

    def close(self) -> None:
        self._socket.close()


class _TimedReader(io.RawIOBase):
    """What comes over a socket, which stays open until both are closed."""

    def __init__(self, connected: socket.socket, seconds_left: Callable[[], float]) -> None:
        self._socket, self._seconds_left = connected, seconds_left
        self._raw = connected.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._socket.settimeout(self._seconds_left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
