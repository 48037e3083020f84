"""Raw counters, named as in webrtc-stats; the shim makes RTCStatsReport of them.

https://www.w3.org/TR/webrtc-stats/
"""

from __future__ import annotations

from msgspec import Struct, field


class RemoteInboundStats(Struct, rename="camel"):
    """What the receiver of a stream reported: remote-inbound-rtp."""

    packets_lost: int = 0
    fraction_lost: float = 0.0
    jitter: float = 0.0
    "Seconds."
    round_trip_time: float | None = None
    "Seconds."
    total_round_trip_time: float = 0.0
    round_trip_time_measurements: int = 0


class OutboundStats(Struct, rename="camel"):
    """A stream that is sent: outbound-rtp."""

    ssrc: int
    rtx_ssrc: int | None = None
    rid: str | None = None
    active: bool = False
    payload_type: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    header_bytes_sent: int = 0
    retransmitted_packets_sent: int = 0
    retransmitted_bytes_sent: int = 0
    nack_count: int = 0
    pli_count: int = 0
    fir_count: int = 0
    frames_encoded: int = 0
    key_frames_encoded: int = 0
    frames_sent: int = 0
    frame_width: int = 0
    frame_height: int = 0
    frames_per_second: int = 0
    "Pictures encoded in the last second."
    quality_limitation_reason: str = "none"
    "none, cpu or bandwidth."
    quality_limitation_durations: dict[str, float] = field(default_factory=dict)
    "Seconds for each reason."
    quality_limitation_resolution_changes: int = 0
    "Pictures get another size only when the application wants it."
    target_bitrate: int = 0
    total_encode_time: float = 0.0
    "Seconds on a thread of the executor."
    remote: RemoteInboundStats | None = None


class SenderStats(Struct, frozen=True, rename="camel"):
    """An RtpSender's counters."""

    streams: list[OutboundStats] = field(default_factory=list)
    available_outgoing_bitrate: int | None = None
    "Of its transport, when feedback told it."


class RemoteOutboundStats(Struct, rename="camel"):
    """What the sender of a stream reported: remote-outbound-rtp."""

    packets_sent: int = 0
    bytes_sent: int = 0
    remote_timestamp: float = 0.0
    "Milliseconds since the Unix epoch, of the sender's clock."
    timestamp: float = 0.0
    "When it came, by ours."
    reports_sent: int = 0


class InboundStats(Struct, rename="camel"):
    """A stream that is received: inbound-rtp."""

    ssrc: int
    rtx_ssrc: int | None = None
    rid: str | None = None
    mid: str = ""
    payload_type: int = 0
    packets_received: int = 0
    bytes_received: int = 0
    header_bytes_received: int = 0
    packets_lost: int = 0
    packets_discarded: int = 0
    jitter: float = 0.0
    "Seconds."
    last_packet_received_timestamp: float | None = None
    "Milliseconds since the Unix epoch."
    retransmitted_packets_received: int = 0
    retransmitted_bytes_received: int = 0
    nack_count: int = 0
    pli_count: int = 0
    fir_count: int = 0
    frames_received: int = 0
    frames_decoded: int = 0
    frames_per_second: int = 0
    "Pictures decoded in the last second."
    key_frames_decoded: int = 0
    frames_dropped: int = 0
    frame_width: int = 0
    frame_height: int = 0
    jitter_buffer_delay: float = 0.0
    "Seconds for which whole frames were held back, of each picture or each sample."
    jitter_buffer_target_delay: float = 0.0
    jitter_buffer_emitted_count: int = 0
    "Pictures, or samples of sound."
    total_decode_time: float = 0.0
    total_samples_received: int = 0
    "Of all sound that was given out, whatever it was made of."
    concealed_samples: int = 0
    silent_concealed_samples: int = 0
    concealment_events: int = 0
    inserted_samples_for_deceleration: int = 0
    removed_samples_for_acceleration: int = 0
    audio_level: float | None = None
    "0 to 1, of the last packet that told it."
    remote: RemoteOutboundStats | None = None


class ReceiverStats(Struct, frozen=True, rename="camel"):
    """An RtpReceiver's counters."""

    streams: list[InboundStats] = field(default_factory=list)
