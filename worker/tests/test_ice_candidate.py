"""Candidates as text, which a peer has written and somebody has passed on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiortc_worker.transports.ice_candidate import LONGEST, format_candidate, parse_candidate

BROWSERS = [
    "candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0 ufrag EsAw network-id 1",
    "candidate:842163049 1 udp 1677729535 203.0.113.5 46154 typ srflx raddr 10.0.0.17 rport 46154 generation 0",
    "candidate:0 1 UDP 2122252543 6b3c7a1e-4f0e-4b7a-9d15-2a3f8d2c1b0e.local 58312 typ host",
    "candidate:3 1 TCP 2105524479 2001:db8::1 9 typ host tcptype active",
]
REFUSED = {
    "nothing": "candidate:",
    "no port": "candidate:1 1 udp 1 192.0.2.1 typ host",
    "a port of a digit that is no ASCII": "candidate:1 1 udp 1 192.0.2.1 ٣ typ host",
    "a port with an underscore": "candidate:1 1 udp 1 192.0.2.1 1_0 typ host",
    "port 0": "candidate:1 1 udp 1 192.0.2.1 0 typ host",
    "port 65536": "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
    "another word than typ": "candidate:1 1 udp 1 192.0.2.1 9 type host",
    "a negative priority": "candidate:1 1 udp -1 192.0.2.1 9 typ host",
    "a foundation of 65 characters": f"candidate:{'f' * 65} 1 udp 1 192.0.2.1 9 typ host",
    "a name of 256 characters": f"candidate:1 1 udp 1 {'x' * 256} 9 typ host",
    "a second line": "candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=ice-lite",
    "a space that is no space": "candidate:1 1 udp 1 192.0.2.1\u2003192.0.2.2 9 typ host",
    "too much": f"candidate:1 1 udp 1 192.0.2.1 9 typ host {'x' * LONGEST}",
}


@pytest.mark.parametrize("text", BROWSERS)
def test_what_browsers_write_is_taken_as_it_was_written(text: str) -> None:
    candidate = parse_candidate(f"a={text}")
    assert candidate.text == text
    assert text.startswith(format_candidate(candidate)[:60])


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_peer_writes_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_candidate(REFUSED[name])


@given(
    st.text(max_size=80) | st.sampled_from(BROWSERS).flatmap(lambda text: st.permutations(text.split()).map(" ".join))
)
def test_no_text_does_more_than_a_value_error(text: str) -> None:
    try:
        candidate = parse_candidate(text)
    except ValueError:
        return
    assert "\n" not in candidate.text
    assert 0 <= candidate.priority < 10**10
