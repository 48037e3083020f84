"""The types of objects that a shim may make, by their name on the wire."""

from __future__ import annotations

import importlib
from typing import Final

from .remote import Remote

MODULES: Final = {
    "Certificate": "aiortc_worker.transports.certificate",
    "IceTransport": "aiortc_worker.transports.ice_transport",
    "DtlsTransport": "aiortc_worker.transports.dtls_transport",
    "SctpTransport": "aiortc_worker.transports.sctp_transport",
    "DataChannel": "aiortc_worker.transports.data_channel",
    "MediaSource": "aiortc_worker.media.media_source",
    "Track": "aiortc_worker.media.track",
    "FrameReader": "aiortc_worker.media.frame_reader",
    "FrameConverter": "aiortc_worker.media.frame_converter",
    "FrameWriter": "aiortc_worker.media.frame_writer",
    "RtpSender": "aiortc_worker.rtp.rtp_sender",
    "RtpReceiver": "aiortc_worker.rtp.rtp_receiver",
}
"""Importing aiortc takes 0.3 s, which hello does not wait for: `warm` does it in a thread."""

CODECS: Final = [
    "audio/opus",
    "audio/G722",
    "audio/PCMU",
    "audio/PCMA",
    "video/VP8",
    "video/H264",
]
"""What aiortc encodes and decodes, said in hello without importing it; a test compares."""

_types: dict[str, type[Remote]] = {}


def knows(name: str) -> bool:
    """Whether there is a type `name`."""
    return name in _types or name in MODULES


def load(name: str) -> type[Remote]:
    """The class `name`, imported if need be."""
    if name not in _types:
        _types[name] = getattr(importlib.import_module(MODULES[name]), name)
    return _types[name]


def register(cls: type[Remote]) -> type[Remote]:
    """Adds a type beside the product's; for tests."""
    _types[cls.__name__] = cls
    return cls


def warm() -> None:
    """Imports every type ahead of its first use."""
    for name in MODULES:
        load(name)
