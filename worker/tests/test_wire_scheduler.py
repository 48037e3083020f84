"""What goes first, in which pieces, and that nothing is lost on the way."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aiortc_worker.session.scheduler import LEAST_ROOM, Frame, Lane, Scheduler, Stream
from aiortc_worker.session.wire import FRAGMENT, LENGTH, MEDIA, MESSAGE, MORE, RECORD, TEXT, Record, parse_records

ROOM = 2**40


def payload(frame: Frame) -> bytes:
    return b"".join(frame.parts)[LENGTH.size :]


def drain(scheduler: Scheduler, room: int = ROOM) -> list[bytes | list[Record]]:
    """Text frames as bytes, others as records."""
    frames: list[bytes | list[Record]] = []
    while (frame := scheduler.next(room)) is not None:
        whole = payload(frame)
        assert len(whole) == frame.size
        frames.append(whole if whole.startswith(b"{") else parse_records(whole))
    return frames


def sizes(frames: list[bytes | list[Record]]) -> list[list[tuple[int, int, int]]]:
    return [[(r.object, r.flags, len(r.payload)) for r in frame] for frame in frames if isinstance(frame, list)]


def stream(scheduler: Scheduler, object_id: int, lane: Lane, *lengths: int) -> Stream:
    made = Stream(object_id, lane)
    for length in lengths:
        if lane == "data":
            scheduler.message(made, bytes(length), 0)
        else:
            scheduler.media(made, b"{}", [bytes(length - 6)])
    return made


def test_control_goes_before_audio_audio_before_video_video_before_data() -> None:
    scheduler = Scheduler()
    stream(scheduler, 1, "data", 10)
    stream(scheduler, 2, "video", 20)
    stream(scheduler, 3, "audio", 30)
    scheduler.control(b"{}")
    scheduler.credit(4, 7)
    frames = drain(scheduler)
    assert frames[0] == b"{}"
    assert sizes(frames) == [[(4, 0, 4)], [(3, 0, 30)], [(2, 0, 20)], [(1, 0, 10)]]


def test_a_ping_waits_for_one_fragment_of_bulk_at_most() -> None:
    scheduler = Scheduler()
    stream(scheduler, 1, "data", 10 * FRAGMENT)
    scheduler.next(ROOM)
    stream(scheduler, 2, "data", 8)
    assert any((2, 0, 8) in frame for frame in sizes(drain(scheduler))[:2])


def test_channels_take_turns() -> None:
    scheduler = Scheduler()
    stream(scheduler, 1, "data", 2 * FRAGMENT)
    stream(scheduler, 2, "data", 2 * FRAGMENT)
    assert [frame[0][0] for frame in sizes(drain(scheduler))] == [1, 2, 1, 2]


def test_a_full_window_stops_all_that_is_counted_and_not_media() -> None:
    scheduler = Scheduler()
    stream(scheduler, 1, "data", 10)
    ending = stream(scheduler, 2, "video", 20)
    scheduler.text_in_order(ending, b'{"event":"ended"}')
    stream(scheduler, 3, "video", 30)
    assert sizes(drain(scheduler, 0)) == [[(2, 0, 20)], [(3, 0, 30)]]
    assert drain(scheduler)[0] == b'{"event":"ended"}'


def test_nothing_counted_overtakes_control_which_the_window_has_no_room_for() -> None:
    scheduler = Scheduler()
    scheduler.control(b"{%s}" % bytes(6000))
    stream(scheduler, 1, "data", 10)
    assert drain(scheduler, 5000) == []
    assert len(drain(scheduler)) == 2


def test_a_text_frame_in_order_follows_what_was_before_it() -> None:
    scheduler = Scheduler()
    made = stream(scheduler, 1, "data", 10)
    scheduler.text_in_order(made, b"{}")
    scheduler.message(made, bytes(20), TEXT)
    frames = drain(scheduler)
    assert frames[1] == b"{}"
    assert sizes(frames) == [[(1, 0, 10)], [(1, TEXT, 20)]]


def test_what_was_discarded_is_not_sent() -> None:
    scheduler = Scheduler()
    scheduler.discard(stream(scheduler, 1, "data", 10))
    stream(scheduler, 2, "data", 11)
    assert sizes(drain(scheduler)) == [[(2, 0, 11)]]


def test_a_drained_stream_says_so_at_the_low_mark_and_at_zero() -> None:
    scheduler = Scheduler()
    made = stream(scheduler, 1, "data", *[40_000] * 4)
    said: list[int] = []
    made.on_drain = lambda: said.append(made.bytes)
    drain(scheduler)
    assert said == [40_000, 0]


lengths = st.lists(st.integers(0, 100) | st.integers(0, 300_000), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(lengths, min_size=1, max_size=4), st.data())
def test_every_byte_goes_once_and_in_order(channels: list[list[int]], data: st.DataObject) -> None:
    scheduler = Scheduler()
    for object_id, wanted in enumerate(channels):
        stream(scheduler, object_id, "data", *wanted)
    got: list[list[int]] = [[] for _ in channels]
    partial = [0] * len(channels)
    while (frame := scheduler.next(data.draw(st.integers(LEAST_ROOM, 600_000)))) is not None:
        assert frame.size <= FRAGMENT + RECORD.size
        assert frame.counted
        for record in parse_records(payload(frame)):
            assert record.kind == MESSAGE
            partial[record.object] += len(record.payload)
            if not record.flags & MORE:
                got[record.object].append(partial[record.object])
                partial[record.object] = 0
    assert got == channels


@settings(deadline=None)
@given(st.binary(max_size=200), st.lists(st.binary(max_size=200_000), max_size=3))
def test_media_is_put_together_from_its_chunks(header: bytes, planes: list[bytes]) -> None:
    scheduler = Scheduler()
    scheduler.media(Stream(1, "video"), header, planes)
    records = [record for frame in drain(scheduler) for record in frame if isinstance(record, Record)]
    assert [record.flags for record in records] == [
        (1 if i < len(records) - 1 else 0) | (2 if i else 0) for i in range(len(records))
    ]
    assert all(record.kind == MEDIA for record in records)
    whole = b"".join(bytes(record.payload) for record in records)
    assert whole == LENGTH.pack(len(header)) + header + b"".join(planes)
