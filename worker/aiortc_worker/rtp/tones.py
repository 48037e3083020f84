"""DTMF tones as telephone events: named in RTP, for the receiver to play (RFC 4733)."""

from __future__ import annotations

import asyncio
import struct
import time

from .outbound_stream import OutboundStream
from .parameters import Codec

EVENTS = "0123456789*#ABCD"
"Tones by their event codes (RFC 4733, section 3.2)."

INTERVAL = 0.02
"Seconds between the reports on a tone that lasts."

END_REPEATS = 3
"How often the end is said, since a lost one would leave the tone on (section 2.5.1.4)."

VOLUME = 10
"Of the tone, in -dBm0."

LONGEST_SEGMENT = 0xFFFF
"What a report's duration can say; a longer tone goes on in another segment (section 2.5.1.3)."


async def play(stream: OutboundStream, codec: Codec, tone: str, duration: float, timestamp: int) -> None:
    """Sends the tone that begins at `timestamp` for `duration` seconds; returns when its end was said."""
    event = EVENTS.index(tone)
    whole = round(duration * codec.clock_rate)
    begun = time.monotonic()
    segment, sent = 0, False

    def report(length: int, ends: bool = False) -> None:
        nonlocal sent
        payload = struct.pack("!BBH", event, VOLUME | (0x80 if ends else 0), length)
        stream.send_event(payload, codec.payload_type, timestamp + segment, begins=not sent)
        sent = True

    while True:
        await asyncio.sleep(INTERVAL)
        played = min(round((time.monotonic() - begun) * codec.clock_rate), whole)
        while played - segment > LONGEST_SEGMENT:
            report(LONGEST_SEGMENT)
            segment += LONGEST_SEGMENT
        if played == whole:
            break
        report(played - segment)
    for _ in range(END_REPEATS):
        report(whole - segment, ends=True)
