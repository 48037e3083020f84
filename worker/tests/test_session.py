"""A session, driven over its socket as a bridge drives it."""

from __future__ import annotations

import asyncio
import gc
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest
from msgspec import Struct
from wire_peer import WirePeer, payloads

from aiortc_worker.media.frame_reader import FrameReader
from aiortc_worker.media.frame_writer import FrameWriter
from aiortc_worker.media.media_source import MediaSource
from aiortc_worker.media.track import Track
from aiortc_worker.rtp.rtp_receiver import RtpReceiver
from aiortc_worker.rtp.rtp_sender import RtpSender
from aiortc_worker.session.registry import register
from aiortc_worker.session.remote import CallError, ObjectId, Remote, call
from aiortc_worker.session.session import Session
from aiortc_worker.session.wire import CREDIT, LENGTH, MEDIA, MESSAGE, MORE, RECORD, TEXT, WINDOW
from aiortc_worker.transports.data_channel import DataChannel
from aiortc_worker.transports.dtls_transport import DtlsTransport
from aiortc_worker.transports.ice_transport import IceTransport
from aiortc_worker.transports.sctp_transport import SctpTransport


class Number(Struct, frozen=True):
    n: int


class Amount(Struct, frozen=True):
    count: int
    size: int


trace: list[str] = []


@register
class Probe(Remote):
    """An object whose every way to behave can be asked for."""

    events: ClassVar = {"told": Number}
    close_order = 20

    class In(Struct, frozen=True):
        refuse: bool = False
        peers: bool = False
        other: ObjectId | None = None

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        if params.refuse:
            raise CallError("NotReadableError", "refused")
        if params.other is not None:
            self.other = session.get(params.other, Probe)
        self.got: list[bytes] = []
        trace.append(f"new {id}")

    @classmethod
    def is_peers(cls, params: In) -> bool:
        return params.peers

    def receive(self, kind: int, flags: int, payload: memoryview) -> None:
        self.got.append(bytes(payload))
        trace.append(f"record {self.id}")

    @call
    async def echo(self, params: Number) -> Number:
        trace.append(f"echo {self.id} {params.n}")
        await asyncio.sleep(0.01)
        trace.append(f"done {self.id} {params.n}")
        return params

    @call
    async def hang(self) -> None:
        await asyncio.Event().wait()

    @call
    async def refuse(self) -> None:
        raise CallError("InvalidModificationError", "no")

    @call
    async def crash(self) -> None:
        raise ZeroDivisionError("by zero")

    @call
    async def tell(self, params: Number) -> None:
        self.emit("told", params)

    @call
    async def send(self, params: Amount) -> None:
        for n in range(params.count):
            self.session.send_message(self, bytes([n % 256]) * params.size, 0)

    @call
    async def orphan(self) -> None:
        """Leaves a task behind that fails, as aiortc's own do."""

        async def fail() -> None:
            await asyncio.sleep(0)
            raise ValueError("orphaned")

        asyncio.get_running_loop().call_later(0.01, lambda: self._keep(asyncio.ensure_future(fail())))

    @call
    async def callback(self) -> None:
        asyncio.get_running_loop().call_soon(lambda: [][0])

    def _keep(self, task: asyncio.Task[None]) -> None:
        self.task = task

    @call
    async def linger(self) -> None:
        self.spawn(asyncio.sleep(3600))

    @call
    async def credit(self, params: Number) -> None:
        self.session.credit(self, params.n)

    @call
    async def media(self, params: Number) -> None:
        self.session.send_media(self, b'{"timestamp":0}', [bytes(params.n), b"end"], "video")

    @call
    async def last_media(self) -> None:
        self.session.send_media(self, b"{}", [bytes(100_000)], "video")
        self.emit("told", Number(1))
        self.session.send_media(self, b"{}", [b"after"], "video")

    async def close(self) -> None:
        trace.append(f"close {self.id}")


@register
class EarlyProbe(Probe):
    """One that ends before the others do."""

    close_order = 5


@pytest.fixture
async def peer() -> Any:
    trace.clear()
    peer = await WirePeer.connect()
    yield peer
    await peer.close()


def new(peer: WirePeer, id: int, **params: Any) -> None:
    peer.text({"new": id, "type": "Probe", "in": params})


def invoke(peer: WirePeer, number: int, on: int, do: str, **params: Any) -> None:
    peer.text({"call": number, "on": on, "do": do, "in": params})


async def test_hello_says_version_and_codecs() -> None:
    peer = await WirePeer.connect(hello={})
    hello = await peer.greet()
    assert hello["hello"]["version"] == 1
    assert "video/VP8" in hello["hello"]["worker"]["codecs"]
    await peer.close()


async def test_an_unknown_version_is_refused_with_the_one_spoken() -> None:
    peer = await WirePeer.connect(hello={})
    peer.text({"hello": {"version": 2}})
    assert await peer.raw() == {"close": {"code": 4002, "reason": "version 2; this worker speaks 1"}}
    await peer.close()


async def test_a_wrong_secret_is_refused() -> None:
    peer = await WirePeer.connect(hello={}, secret="right")
    peer.send(b"wrong")
    assert (await peer.raw())["close"]["code"] == 4000
    await peer.close()


async def test_the_right_secret_is_followed_by_hello() -> None:
    peer = await WirePeer.connect(hello={}, secret="right")
    peer.send(b"right")
    assert "hello" in await peer.greet()
    await peer.close()


async def test_a_call_on_an_object_just_made_is_answered(peer: WirePeer) -> None:
    new(peer, 1)
    invoke(peer, 7, 1, "echo", n=5)
    assert await peer.frame() == {"reply": 7, "out": {"n": 5}}


async def test_calls_of_one_object_run_one_after_another_and_of_two_side_by_side(peer: WirePeer) -> None:
    new(peer, 1)
    new(peer, 2)
    invoke(peer, 1, 1, "echo", n=1)
    invoke(peer, 2, 1, "echo", n=2)
    invoke(peer, 3, 2, "echo", n=3)
    for _ in range(3):
        await peer.frame()
    assert trace[2:] == ["echo 1 1", "echo 2 3", "done 1 1", "echo 1 2", "done 2 3", "done 1 2"]


async def test_frames_start_in_order(peer: WirePeer) -> None:
    new(peer, 1)
    invoke(peer, 1, 1, "echo", n=1)
    new(peer, 2, other=1)
    peer.record(MESSAGE, 2, b"x")
    invoke(peer, 2, 2, "echo", n=2)
    new(peer, 3)
    await peer.frame()
    await peer.frame()
    assert trace[:6] == ["new 1", "echo 1 1", "new 2", "record 2", "echo 2 2", "new 3"]


async def test_a_refused_creation_poisons_its_id_and_what_names_it(peer: WirePeer) -> None:
    new(peer, 1, refuse=True)
    new(peer, 2, other=1)
    invoke(peer, 1, 1, "echo", n=1)
    invoke(peer, 2, 2, "echo", n=1)
    refused = {"name": "NotReadableError", "message": "refused"}
    assert await peer.frame() == {"event": "error", "on": 1, "out": refused}
    assert await peer.frame() == {"event": "error", "on": 2, "out": refused}
    assert await peer.frame() == {"reply": 1, "error": refused}
    assert await peer.frame() == {"reply": 2, "error": refused}


@pytest.mark.parametrize(
    ("do", "params", "name"),
    [
        ("refuse", {}, "InvalidModificationError"),
        ("crash", {}, "OperationError"),
        ("nothing", {}, "NotSupportedError"),
        ("echo", {"n": "text"}, "TypeError"),
    ],
)
async def test_a_failed_call_is_answered_with_its_error(
    peer: WirePeer, do: str, params: dict[str, Any], name: str
) -> None:
    new(peer, 1)
    invoke(peer, 1, 1, do, **params)
    assert (await peer.frame())["error"]["name"] == name
    invoke(peer, 2, 1, "echo", n=1)
    assert (await peer.frame())["out"] == {"n": 1}


@pytest.mark.parametrize("debug", [False, True])
async def test_a_traceback_is_sent_in_debug_alone(debug: bool) -> None:
    peer = await WirePeer.connect(debug=debug)
    new(peer, 1)
    invoke(peer, 1, 1, "crash")
    message = (await peer.frame())["error"]["message"]
    assert message.startswith("ZeroDivisionError: by zero")
    assert ("Traceback" in message) is debug
    await peer.close()


async def test_an_event_comes_before_the_reply_of_its_call(peer: WirePeer) -> None:
    new(peer, 1)
    invoke(peer, 1, 1, "tell", n=3)
    assert await peer.frame() == {"event": "told", "on": 1, "out": {"n": 3}}
    assert await peer.frame() == {"reply": 1, "out": {}}


async def test_events_stay_in_order_with_messages_and_replies_with_events(peer: WirePeer) -> None:
    peer.acks = False
    new(peer, 1)
    invoke(peer, 1, 1, "send", count=12, size=64 * 1024)
    invoke(peer, 2, 1, "tell", n=1)
    frames = []
    while not (frames and isinstance(frames[-1], dict) and frames[-1].get("reply") == 2):
        frames.append(await peer.frame())
        peer.ack()
    kinds = ["data" if isinstance(frame, list) else next(iter(frame)) for frame in frames]
    assert kinds[-2:] == ["event", "reply"]
    assert sum(len(payload) for frame in frames if isinstance(frame, list) for payload in payloads(frame)) == 12 * 65536


async def test_the_window_stalls_and_an_ack_releases_it(peer: WirePeer) -> None:
    peer.acks = False
    new(peer, 1)
    invoke(peer, 1, 1, "send", count=100, size=64 * 1024)
    got = 0
    while got < WINDOW - 2 * 65536:
        frame = await peer.frame()
        got += sum(map(len, payloads(frame))) if isinstance(frame, list) else 0
    while (frame := await peer.frame_within(0.2)) is not None:
        got += sum(map(len, payloads(frame))) if isinstance(frame, list) else 0
    assert got <= WINDOW
    peer.acks = True
    peer.ack()
    while got < 100 * 65536:
        frame = await peer.frame()
        got += sum(map(len, payloads(frame))) if isinstance(frame, list) else 0
    assert got == 100 * 65536


async def test_media_of_the_shim_is_not_counted(peer: WirePeer) -> None:
    new(peer, 2)
    for _ in range(3):
        peer.record(MEDIA, 2, b"frame")
    invoke(peer, 1, 2, "echo", n=1)
    assert (await peer.frame())["out"] == {"n": 1}
    while not peer.acked:
        assert await peer.frame_within(0.1) is None
    assert peer.acked[-1] == 2


async def test_media_goes_on_while_the_window_is_full(peer: WirePeer) -> None:
    peer.acks = False
    new(peer, 1)
    new(peer, 2)
    invoke(peer, 1, 1, "send", count=20, size=64 * 1024)
    invoke(peer, 2, 2, "media", n=100_000)
    media = []
    while len(media) < 2:
        frame = await peer.frame()
        media += [record for record in frame if record.kind == MEDIA] if isinstance(frame, list) else []
    assert [record.flags for record in media] == [1, 2]
    whole = b"".join(bytes(record.payload) for record in media)
    assert whole == LENGTH.pack(15) + b'{"timestamp":0}' + bytes(100_000) + b"end"


async def test_an_event_stays_in_order_with_media(peer: WirePeer) -> None:
    new(peer, 1)
    invoke(peer, 1, 1, "last_media")
    frames = [await peer.frame() for _ in range(5)]
    kinds = [f"media {frame[0].flags}" if isinstance(frame, list) else next(iter(frame)) for frame in frames]
    assert kinds == ["media 1", "media 2", "event", "media 0", "reply"]


async def test_a_large_message_is_fragmented_and_small_ones_share_a_frame(peer: WirePeer) -> None:
    new(peer, 1)
    new(peer, 2)
    invoke(peer, 1, 1, "send", count=1, size=150_000)
    records = []
    while not records or records[-1].flags & MORE:
        frame = await peer.frame()
        records += frame if isinstance(frame, list) else []
    assert [len(record.payload) for record in records] == [65536, 65536, 150_000 - 2 * 65536]
    invoke(peer, 2, 2, "send", count=100, size=10)
    frames = [await peer.frame(), await peer.frame()]
    assert any(isinstance(frame, list) and len(frame) == 100 for frame in frames)


async def test_what_is_flushed_is_written_at_once_and_once(peer: WirePeer) -> None:
    assert peer.session is not None
    link = peer.session.link
    written: list[bytes] = []
    socket, link._transport = link._transport, cast(asyncio.Transport, SimpleNamespace(write=written.append))
    link.scheduler.control(b'{"event":"x"}')
    link.wake()
    assert written == []
    link.flush()
    assert written == [b'\x00\x00\x00\x0d{"event":"x"}']
    link.flush()
    await asyncio.sleep(0.01)
    assert len(written) == 1
    link._transport = socket


async def test_credit_goes_in_steps_but_what_empties_a_channel_at_once(peer: WirePeer) -> None:
    new(peer, 1)
    for _ in range(2):
        peer.record(MESSAGE, 1, bytes(60_000))
    peer.record(MESSAGE, 1, b"", TEXT)
    for number, amount in enumerate([40_000, 40_000, 40_001]):
        invoke(peer, number, 1, "credit", n=amount)
    frames = [await peer.frame() for _ in range(5)]
    credits = [record for frame in frames if isinstance(frame, list) for record in frame if record.kind == CREDIT]
    assert [int.from_bytes(record.payload, "big") for record in credits] == [80_000, 40_001]


async def test_credit_does_not_wait_for_a_message_that_waits_for_credit_itself(peer: WirePeer) -> None:
    new(peer, 1)
    peer.record(MESSAGE, 1, bytes(40_000))
    for _ in range(3):
        peer.record(MESSAGE, 1, bytes(65536), MORE)
    invoke(peer, 1, 1, "credit", n=40_000)
    frames = [await peer.frame() for _ in range(2)]
    credits = [record for frame in frames if isinstance(frame, list) for record in frame if record.kind == CREDIT]
    assert [int.from_bytes(record.payload, "big") for record in credits] == [40_000]


async def test_a_task_that_nobody_awaits_fails_as_its_objects_error(
    peer: WirePeer, caplog: pytest.LogCaptureFixture
) -> None:
    new(peer, 1)
    invoke(peer, 1, 1, "orphan")
    await peer.frame()
    assert (await peer.frame())["out"] == {"name": "OperationError", "message": "ValueError: orphaned"}
    gc.collect()
    assert not [line for line in caplog.messages if "never retrieved" in line]


async def test_a_callback_that_fails_is_its_objects_error(peer: WirePeer) -> None:
    new(peer, 1)
    invoke(peer, 1, 1, "callback")
    frames = [await peer.frame(), await peer.frame()]
    assert [frame["out"]["name"] for frame in frames if "event" in frame] == ["OperationError"]


async def test_drop_closes_the_object_and_refuses_what_it_was_doing(peer: WirePeer) -> None:
    new(peer, 1)
    invoke(peer, 1, 1, "hang")
    invoke(peer, 2, 1, "echo", n=1)
    peer.text({"drop": 1})
    frames = [await peer.frame(), await peer.frame()]
    assert {frame["reply"]: frame["error"]["name"] for frame in frames} == {
        1: "InvalidStateError",
        2: "InvalidStateError",
    }
    invoke(peer, 3, 0, "dump")
    assert (await peer.frame())["out"]["objects"] == {}
    assert trace[-1] == "close 1"


async def test_the_end_of_the_socket_closes_all_and_leaves_no_task(peer: WirePeer) -> None:
    session = peer.session
    assert session is not None
    new(peer, 1)
    new(peer, 2)
    invoke(peer, 1, 1, "linger")
    invoke(peer, 2, 2, "hang")
    await peer.frame()
    before = session.dump()
    assert before.objects == {"Probe": 2}
    assert before.tasks == 2
    await peer.close()
    assert session.dump().objects == {}
    assert session.dump().tasks == 0
    assert sorted(trace[-2:]) == ["close 1", "close 2"]
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_session_closes_its_objects_in_their_order(peer: WirePeer) -> None:
    new(peer, 1)
    peer.text({"new": 2, "type": "EarlyProbe", "in": {}})
    new(peer, 3)
    invoke(peer, 1, 3, "echo", n=1)
    await peer.frame()
    await peer.close()
    assert trace[-3] == "close 2"


def test_what_media_stands_on_outlives_it() -> None:
    # ICE or DTLS first would leave tasks of aiortc with exceptions that nobody awaits.
    stages = [(RtpSender, RtpReceiver), (SctpTransport,), (DataChannel,), (DtlsTransport,), (IceTransport,)]
    stages += [(FrameReader, FrameWriter), (Track,), (MediaSource,)]
    orders = [{each.close_order for each in stage} for stage in stages]
    assert all(len(order) == 1 for order in orders)
    assert orders == sorted(orders, key=max)
    assert len({max(order) for order in orders}) == len(stages)


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[]",
        b"\xff",
        b'{"what":1}',
        b'{"new":1,"type":"Nothing","in":{}}',
        b'{"new":0,"type":"Probe","in":{}}',
        b'{"drop":9}',
        b'{"ack":5}',
        b'{"new":"1","type":"Probe"}',
    ],
)
async def test_a_text_frame_not_of_the_protocol_ends_this_session_and_no_other(peer: WirePeer, payload: bytes) -> None:
    other = await WirePeer.connect()
    peer.send(payload)
    assert (await peer.frame())["close"]["code"] == 4000
    assert await peer.ended() == b""
    new(other, 1)
    invoke(other, 1, 1, "echo", n=1)
    assert (await other.frame())["out"] == {"n": 1}
    await other.close()


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x01\x00\x00", RECORD.pack(9, 0, 1, 0), RECORD.pack(1, 0, 1, 5) + b"abc", RECORD.pack(1, 0, 77, 0)],
)
async def test_a_binary_frame_not_of_the_protocol_ends_the_session(peer: WirePeer, payload: bytes) -> None:
    peer.send(payload, binary=True)
    assert (await peer.frame())["close"]["code"] == 4000


async def test_messages_beyond_the_credit_end_the_session(peer: WirePeer) -> None:
    new(peer, 1)
    for _ in range(5):
        peer.record(MESSAGE, 1, bytes(65536))
    assert (await peer.frame())["close"]["code"] == 4003


async def test_a_frame_beyond_the_limit_ends_the_session(peer: WirePeer) -> None:
    peer._writer.write(LENGTH.pack(2**30))
    assert "at most" in (await peer.frame())["close"]["reason"]


async def test_objects_beyond_the_limit_are_refused() -> None:
    peer = await WirePeer.connect(hello={})
    await peer.greet(limits={"objects": 2})
    for id in (1, 2, 3):
        new(peer, id)
    assert (await peer.frame())["on"] == 3
    await peer.close()


async def test_what_a_peer_opened_leaves_the_application_its_objects() -> None:
    peer = await WirePeer.connect(hello={})
    await peer.greet(limits={"objects": 4})
    for id in range(1, 11):
        new(peer, id, peers=True)
    for id in range(11, 15):
        new(peer, id)
    # No error comes before the answer.
    peer.text({"call": 1, "on": 14, "do": "echo", "in": {"n": 1}})
    assert (await peer.frame())["reply"] == 1
    new(peer, 15)
    assert (await peer.frame())["on"] == 15
    # One that goes makes no room for another kind.
    peer.text({"drop": 1})
    new(peer, 16)
    assert (await peer.frame())["on"] == 16
    new(peer, 17, peers=True, refuse=True)
    assert (await peer.frame())["out"]["name"] == "NotReadableError"
    assert peer.session is not None
    assert peer.session.peers_objects == 9
    await peer.close()


async def test_a_quota_that_is_reached_is_told_once_and_dumped() -> None:
    peer = await WirePeer.connect(hello={})
    await peer.greet(limits={"readers": 1, "heldBytes": 1000})
    peer.text({"new": 1, "type": "MediaSource", "in": {"type": "frames", "video": {}}})
    peer.text({"new": 2, "type": "Track", "in": {"source": 1, "kind": "video"}})
    for id in (3, 4, 5):
        peer.text({"new": id, "type": "FrameReader", "in": {"track": 2}})
    frames = [await peer.frame() for _ in range(3)]
    assert [(frame["event"], frame["on"]) for frame in frames] == [("warning", 0), ("error", 4), ("error", 5)]
    assert frames[1]["out"] == {"name": "QuotaExceededError", "message": frames[0]["out"]["message"]}
    assert "--limit readers=NUMBER" in frames[0]["out"]["message"]
    peer.text({"call": 1, "on": 0, "do": "dump", "in": {}})
    quotas = (await peer.frame())["out"]["quotas"]
    assert quotas["readers"] == {"limit": 1, "used": 1, "refused": 2}
    assert quotas["heldBytes"] == {"limit": 1000, "used": 0, "refused": 0}
    assert quotas["sources"]["used"] == 1
    await peer.close()


async def test_acknowledgements_are_gathered(peer: WirePeer) -> None:
    for id in range(1, 101):
        new(peer, id)
    while not peer.acked or peer.acked[-1] < 100:
        assert await peer.frame_within(0.2) is None
    assert len(peer.acked) < 10


async def test_a_frame_split_into_bytes_is_one_frame(peer: WirePeer) -> None:
    new(peer, 1)
    payload = b'{"call":1,"on":1,"do":"echo","in":{"n":1}}'
    for byte in LENGTH.pack(len(payload)) + payload:
        peer._writer.write(bytes([byte]))
        await asyncio.sleep(0)
    assert (await peer.frame())["out"] == {"n": 1}


async def test_blocking_work_is_limited_a_session(peer: WirePeer) -> None:
    import threading
    import time

    session = peer.session
    assert session is not None
    running, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    await asyncio.gather(*(session.run_blocking("file", work) for _ in range(10)))
    assert 1 < most <= session.limits.blocking
