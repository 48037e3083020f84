"""An association by its packets, a section of the RFCs each: what comes in, and what must go out."""

from __future__ import annotations

from typing import Any

import pytest
from sctp_network import End, Network, joined, pair

from aiortc_worker.sctp import chunks as c
from aiortc_worker.sctp.association import SHUTDOWN_ACK_SENT, SHUTDOWN_SENT
from aiortc_worker.sctp.cookie import LIFETIME
from aiortc_worker.sctp.events import Ended, Established, Restarted, StreamClosed, StreamReset
from aiortc_worker.sctp.handshake import EVERYTHING, FORWARD_TSN, INTERLEAVING, PADDING, RECONFIG, ZERO_CHECKSUM
from aiortc_worker.sctp.packet import decode_packet, encode_packet
from aiortc_worker.sctp.parameters import STATE_COOKIE, OtherRequest, OutgoingReset, ReconfigResponse

PLAIN = FORWARD_TSN | RECONFIG


def sent(end: End) -> list[list[Any]]:
    """The chunks of each packet that an end has sent since it was asked last."""
    packets, end.link.sent[:] = list(end.link.sent), []
    return [decode_packet(packet, False).chunks for packet in packets]


def give(end: End, *chunks: Any, tag: int | None = None) -> list[list[Any]]:
    """Gives an end a packet; returns what it sends at once."""
    sent(end)
    own = end.association.local_tag if tag is None else tag
    end.arrive(encode_packet(5000, 5000, own, [chunk.encode() for chunk in chunks]))
    end.network.run(0)
    return sent(end)


def kinds(packets: list[list[Any]]) -> list[list[int]]:
    return [[chunk.kind for chunk in packet] for packet in packets]


def alone(known: int = PLAIN) -> tuple[Network, End, int]:
    """An end whose peer is the test, and the TSN that it expects next."""
    network, a, _ = joined(known=known)
    a.link.dead = True
    sent(a)
    return network, a, a.association.transfer.inbound.cumulative + 1


# RFC 9260, section 5: the handshake


def test_5_1_four_packets_begin_an_association() -> None:
    network, a, b = pair()
    b.association.listen(5000)
    a.begin()
    network.run(1)
    assert kinds(sent(a)) == [[1], [10]]
    assert kinds(sent(b)) == [[2], [11]]
    assert (a.events, b.events) == ([Established()], [Established()])


@pytest.mark.parametrize("apart", [0.0, 0.005, 0.012, 0.025])
def test_5_2_1_both_may_begin_at_once(apart: float) -> None:
    network, a, b = pair()
    a.begin()
    network.run(apart)
    b.begin()
    a.send(b"from a")
    b.send(b"from b")
    network.run(0.5)
    assert (a.data, b.data) == ([b"from b"], [b"from a"])
    assert (a.events, b.events) == ([Established()], [Established()])


@pytest.mark.parametrize("lost", [1, 2, 10, 11])
def test_5_1_each_packet_of_the_handshake_may_get_lost(lost: int) -> None:
    network, a, b = pair()
    b.association.listen(5000)
    left = [lost]

    def passes(packet: bytes) -> bool:
        if decode_packet(packet, False).chunks[0].kind in left:
            left.clear()
            return False
        return True

    a.link.passes = b.link.passes = passes
    a.send(b"x")
    a.begin()
    network.run(10, lambda: bool(b.messages))
    assert not left
    assert b.data == [b"x"]


def test_5_2_2_an_init_that_comes_late_changes_nothing() -> None:
    network, a, b = pair()
    a.begin()
    init = a.link.sent[0]
    b.begin()
    network.run(1)
    b.arrive(init)
    network.run(1)
    a.send(b"goes on")
    network.run(1)
    assert b.data == [b"goes on"]
    assert b.events == [Established()]


def test_5_2_4_a_peer_that_begins_anew_is_met_as_a_new_one() -> None:
    network, a, b = joined()
    b.send(b"x" * 2000)
    network.run(1)
    c_ = End(network, 99)
    c_.other, b.other = b, c_
    c_.begin()
    network.run(5, lambda: c_.association.is_established)
    assert b.events == [Established(), Restarted()]
    c_.send(b"new")
    b.send(b"answer")
    network.run(5)
    assert (b.data, c_.data) == ([b"new"], [b"answer"])
    assert a.association.local_tag != c_.association.local_tag


def test_5_2_4_d_a_cookie_that_comes_twice_is_acknowledged_twice() -> None:
    network, a, b = pair()
    b.association.listen(5000)
    a.begin()
    network.run(1)
    echo = a.link.sent[1]
    sent(b)
    b.arrive(echo)
    network.run(0)
    assert kinds(sent(b)) == [[11]]
    assert b.events == [Established()]


def test_5_2_6_a_cookie_that_is_stale_is_said_to_be_and_asked_for_again() -> None:
    network, a, b = pair()
    b.association.listen(5000)
    a.link.passes = lambda packet: decode_packet(packet).chunks[0].kind != 10
    a.begin()
    network.run(0.5)
    echo = a.link.sent[1]
    a.link.passes = lambda _: True
    network.now += LIFETIME + 1
    b.arrive(echo)
    network.run(0.005)
    assert kinds(sent(b))[-1] == [9]
    network.run(5)
    assert a.association.is_established
    assert b.association.is_established


def test_5_1_3_a_cookie_of_somebody_else_is_void() -> None:
    _network, _a, b = pair()
    b.association.listen(5000)
    assert give(b, c.CookieEcho(bytes(100)), tag=7) == []
    assert not b.association.is_established


def test_3_2_1_unknown_parameters_are_reported_where_they_ask_for_it() -> None:
    _, a, _ = pair()
    a.association.listen(5000)
    init = c.Init(7, 10_000, 1, 1, 1, [(0x4123, b"say"), (0x8123, b"do not")])
    [[ack]] = give(a, init, tag=0)
    assert [value for kind, value in ack.parameters if kind == 8] == [b"\x41\x23\x00\x07say"]


def test_3_3_2_an_init_without_a_tag_or_streams_is_refused() -> None:
    for bad in (c.Init(0, 10_000, 1, 1, 1, []), c.Init(7, 10_000, 0, 1, 1, []), c.Init(7, 10_000, 1, 0, 1, [])):
        _, a, _ = pair()
        a.association.listen(5000)
        assert kinds(give(a, bad, tag=0)) == [[6]]


def test_8_5_a_packet_with_another_tag_is_void() -> None:
    _, a, tsn = alone()
    assert give(a, c.Data(3, tsn, 0, 0, 53, b"x"), tag=a.association.local_tag ^ 1) == []
    assert give(a, c.Abort([]), tag=a.association.local_tag ^ 1) == []
    assert give(a, c.Init(7, 1000, 1, 1, 1, []), c.Data(3, tsn, 0, 0, 53, b"x"), tag=0) == []
    assert a.messages == []
    assert a.association.is_established


def test_3_2_unknown_chunks_are_skipped_or_end_the_packet_as_their_upper_bits_say() -> None:
    for kind, goes_on, reported in ((0x3F, False, False), (0x7F, False, True), (0xBF, True, False), (0xFF, True, True)):
        _, a, tsn = alone()
        packets = give(a, c.Unknown(kind, 0, b"?"), c.Data(3, tsn, 0, 0, 53, b"behind"))
        assert (a.data == [b"behind"]) is goes_on, hex(kind)
        assert any(9 in packet for packet in kinds(packets)) is reported, hex(kind)


# RFC 9260, section 6: data


def test_6_2_every_second_packet_is_acknowledged_and_a_single_one_a_little_later() -> None:
    network, a, tsn = alone()
    assert give(a, c.Data(3, tsn, 0, 0, 53, b"x")) == []
    network.run(0.05)
    assert kinds(sent(a)) == [[3]]
    assert give(a, c.Data(3, tsn + 1, 0, 1, 53, b"x")) == []
    [[sack]] = give(a, c.Data(3, tsn + 2, 0, 2, 53, b"x"))
    assert (sack.tsn, sack.gaps) == ((tsn + 2) & 0xFFFFFFFF, [])


def test_6_2_what_asks_for_it_is_out_of_order_or_double_is_acknowledged_at_once() -> None:
    _, a, tsn = alone()
    assert kinds(give(a, c.Data(3 | 8, tsn, 0, 0, 53, b"x"))) == [[3]]
    [[sack]] = give(a, c.Data(3, tsn + 2, 0, 2, 53, b"x"))
    assert sack.gaps == [(2, 2)]
    [[sack]] = give(a, c.Data(3, tsn + 2, 0, 2, 53, b"x"))
    assert sack.duplicates == [(tsn + 2) & 0xFFFFFFFF]
    assert a.data == [b"x"]


def test_6_2_data_without_data_ends_the_association() -> None:
    _, a, tsn = alone()
    [[abort]] = give(a, c.Data(3, tsn, 0, 0, 53, b""))
    assert abort.causes == [(9, (tsn & 0xFFFFFFFF).to_bytes(4, "big"))]
    assert a.ended == Ended(None, "a DATA chunk without data")


def test_6_6_what_is_unordered_does_not_wait() -> None:
    _, a, tsn = alone()
    give(a, c.Data(3, tsn, 0, 1, 53, b"second"), c.Data(7, tsn + 1, 0, 0, 53, b"unordered"))
    assert a.data == [b"unordered"]
    give(a, c.Data(3, tsn + 2, 0, 0, 53, b"first"))
    assert a.data == [b"unordered", b"first", b"second"]


def test_8_3_a_heartbeat_comes_back_as_it_is() -> None:
    _, a, _ = alone()
    [[ack]] = give(a, c.Heartbeat((1, b"anything")))
    assert ack == c.HeartbeatAck((1, b"anything"))


# RFC 9260, section 9: the end


def test_9_2_a_shutdown_waits_for_what_is_under_way() -> None:
    network, a, b = joined()
    a.send(b"x" * 100_000)
    network.run(0)
    a.association.shutdown()
    a.flush()
    network.run(5)
    assert len(b.messages) == 1
    assert (a.ended, b.ended) == (Ended(), Ended())


def test_9_2_a_shutdown_whose_packets_get_lost_ends_all_the_same() -> None:
    network, a, b = joined(loss=0.4, seed=3)
    a.association.shutdown()
    a.flush()
    network.run(300)
    assert a.ended is not None
    assert not b.association.is_established


def test_9_2_both_may_shut_down_at_once() -> None:
    network, a, b = joined()
    for end in (a, b):
        end.association.shutdown()
        end.flush()
        assert end.association.state == SHUTDOWN_SENT
    network.run(0.015)
    assert SHUTDOWN_ACK_SENT in (a.association.state, b.association.state)
    network.run(5)
    assert (a.ended, b.ended) == (Ended(), Ended())


def test_9_1_an_abort_is_told_with_its_cause() -> None:
    network, a, b = joined()
    a.emit(a.association.abort(b"closed"))
    network.run(1)
    assert b.ended == Ended(12, "the peer has aborted the association")


# RFC 3758: partial reliability


def test_3758_3_6_what_is_skipped_is_forgotten_and_what_waited_is_told() -> None:
    _, a, tsn = alone()
    a.association.events.clear()
    give(a, c.Data(2, tsn, 0, 0, 53, b"half"), c.Data(3, tsn + 2, 0, 1, 53, b"whole"))
    assert a.messages == []
    [[sack]] = give(a, c.ForwardTsn(tsn + 1, [(0, 0, False)]))
    assert sack.tsn == (tsn + 2) & 0xFFFFFFFF
    assert a.data == [b"whole"]
    assert a.association.transfer.inbound.reassembly.held == 0


def test_3758_messages_that_are_whole_keep_their_order_before_a_skip() -> None:
    _, a, tsn = alone()
    give(
        a,
        c.Data(1, tsn + 1, 7, 0, 53, b"b"),
        c.Data(3, tsn + 2, 7, 1, 53, b"c"),
        c.Data(2, tsn, 7, 0, 53, b"a"),
        c.Data(3, tsn + 3, 7, 2, 53, b"d"),
        c.ForwardTsn(tsn + 5, [(7, 3, False)]),
        c.Data(3, tsn + 6, 7, 4, 53, b"e"),
    )
    assert a.data == [b"ab", b"c", b"d", b"e"]


def test_3758_messages_that_waited_for_what_is_skipped_are_told_in_their_order() -> None:
    _, a, tsn = alone()
    give(a, c.Data(3, tsn + 3, 7, 3, 53, b"d"), c.Data(3, tsn + 2, 7, 2, 53, b"c"), c.Data(3, tsn + 4, 7, 4, 53, b"e"))
    assert a.messages == []
    give(a, c.ForwardTsn(tsn + 3, [(7, 3, False)]))
    assert a.data == [b"c", b"d", b"e"]
    assert a.association.transfer.inbound.reassembly.held == 0


def test_3758_3_5_a_skip_that_gets_lost_is_sent_again() -> None:
    network, a, b = joined()
    a.link.dead = True
    a.send(b"gone", limit=0)
    network.run(2)
    a.link.dead = False
    network.run(10)
    assert not a.association.transfer.outbound.outstanding
    a.send(b"next")
    network.run(1)
    assert b.data == [b"next"]


# RFC 6525: streams are reset


def reset(request: int, last: int, *streams: int) -> c.Reconfig:
    return c.Reconfig([OutgoingReset(request & 0xFFFFFFFF, 0, last & 0xFFFFFFFF, list(streams))])


def test_6525_a_stream_that_both_have_reset_begins_again() -> None:
    network, a, b = joined()
    for end in (a, b):
        end.association.use(3)
    a.send(b"one", 3)
    b.send(b"two", 3)
    network.run(1)
    a.association.reset(3)
    a.flush()
    network.run(1)
    assert b.events[-1] == StreamReset(3)
    b.association.reset(3)
    b.flush()
    network.run(1)
    for end in (a, b):
        assert end.events[-1] == StreamClosed(3)
        end.association.use(3)
    a.send(b"again", 3)
    network.run(1)
    assert b.data == [b"one", b"again"]


def test_6525_5_2_2_a_reset_waits_for_the_last_of_its_data() -> None:
    _, a, tsn = alone()
    a.association.use(3)
    [[answer]] = give(a, reset(tsn, tsn, 3))
    assert answer.parameters == [ReconfigResponse(tsn & 0xFFFFFFFF, 6)]
    give(a, c.Data(3, tsn, 3, 0, 53, b"last"))
    assert a.events[-1] == StreamReset(3)
    [[answer, *_]] = give(a, reset(tsn, tsn, 3))
    assert answer.parameters == [ReconfigResponse(tsn & 0xFFFFFFFF, 1)]
    assert a.events.count(StreamReset(3)) == 1


def test_6525_5_2_1_a_request_that_is_not_the_next_is_refused_and_one_that_is_not_supported_denied() -> None:
    _, a, tsn = alone()
    [[answer]] = give(a, reset(tsn + 5, tsn - 1, 3))
    assert answer.parameters == [ReconfigResponse((tsn + 5) & 0xFFFFFFFF, 5)]
    [[answer]] = give(a, c.Reconfig([OtherRequest(17, tsn & 0xFFFFFFFF)]))
    assert answer.parameters == [ReconfigResponse(tsn & 0xFFFFFFFF, 2)]


def test_6525_a_request_that_gets_lost_is_sent_again_and_performed_once() -> None:
    network, a, b = joined()
    for end in (a, b):
        end.association.use(3)
    b.link.dead = True
    a.association.reset(3)
    a.flush()
    network.run(3)
    b.link.dead = False
    network.run(10)
    assert b.events.count(StreamReset(3)) == 1
    assert a.association.transfer.resets.deadline == float("inf")
    assert a.association.transfer.resets._reset_out == {3}


# RFC 8260 and RFC 9653: what both ends must know


@pytest.mark.parametrize("ours", [PLAIN, EVERYTHING])
@pytest.mark.parametrize("theirs", [PLAIN, EVERYTHING])
def test_an_extension_is_used_where_both_know_it(ours: int, theirs: int) -> None:
    network, a, b = joined(known=ours, other=theirs)
    for end in (a, b):
        end.send(b"x" * 3000)
    network.run(1)
    assert len(a.messages) == len(b.messages) == 1
    both = ours & theirs
    assert a.association.interleaves is b.association.interleaves is bool(both & INTERLEAVING)
    for end in (a, b):
        assert all((packet[8:12] == bytes(4)) is bool(both & ZERO_CHECKSUM) for packet in end.link.sent)


def test_9653_the_handshake_has_checksums() -> None:
    network, a, b = pair()
    a.begin()
    b.association.listen(5000)
    network.run(1)
    for packet in (*a.link.sent[:2], b.link.sent[0]):
        assert decode_packet(packet).chunks
        assert packet[8:12] != bytes(4)


def test_8260_a_large_message_does_not_keep_other_streams_waiting() -> None:
    network, a, b = joined(known=PLAIN | INTERLEAVING, rate=1e6)
    for index in range(10):
        a.association.send(1, 53, bytes(20_000), more=index < 9)
        if index == 2:
            a.association.send(2, 53, b"between")
    a.flush()
    network.run(5, lambda: bool(b.messages))
    assert b.messages == [(2, b"between")]
    network.run(5, lambda: len(b.messages) == 2)
    assert b.messages[1] == (1, bytes(200_000))


def test_8260_many_large_messages_at_a_time_do_not_fill_the_window_for_good() -> None:
    network, a, b = joined(known=PLAIN | INTERLEAVING)
    pieces = 20
    for index in range(pieces):
        for stream in range(16):
            a.association.send(stream, 53, bytes([stream]) * 12_000, more=index < pieces - 1)
    a.flush()
    network.run(60, lambda: len(b.messages) == 16)
    assert sorted(b.messages) == [(stream, bytes([stream]) * 240_000) for stream in range(16)]


def test_path_probing_needs_a_peer_that_knows_padding() -> None:
    for known, size in ((EVERYTHING, 9000), (EVERYTHING & ~PADDING, 1189)):
        network, a, b = joined(known=known, largest=9000)
        network.run(5)
        assert a.association.packet_size == b.association.packet_size == size


def test_a_cookie_is_for_the_init_that_it_answers() -> None:
    _, a, _ = pair()
    a.association.listen(5000)
    [[ack]] = give(a, c.Init(7, 10_000, 1, 1, 1, []), tag=0)
    cookie = next(value for kind, value in ack.parameters if kind == STATE_COOKIE)
    assert give(a, c.CookieEcho(cookie), tag=ack.tag ^ 1) == []
    assert kinds(give(a, c.CookieEcho(cookie), tag=ack.tag)) == [[11]]
